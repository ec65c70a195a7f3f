"""What talks to providers: the public plugin API, the loader, the HTTP client, the built-ins."""

import sys

# httpx comes with a command line of its own, whose libraries take longer to import than the rest of
# it does. It goes without where that cannot be imported, which None stands for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # typed as if it could not be
