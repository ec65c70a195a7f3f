"""For authors of plugins: a conformance kit, and the HTTP server that it uses. Public.

A test of a plugin is a few lines:

    KIT = Conformance(
        plugin=RatesPlugin,
        params=lambda provider: {"base_url": provider.url, "api_key": provider.secret},
        provider=rates,  # what the provider answers to a request, given the points it has
    )

    @pytest.mark.parametrize("check", KIT.checks(), ids=str)
    def test_rates(check: Check) -> None:
        check()

Each check raises `BrokenRuleError`, an AssertionError that says which rule was broken, why there is
such a rule, and what was found. Nothing here needs pytest.
"""

from __future__ import annotations

from dataportal.testing.conformance import Check, Conformance
from dataportal.testing.harness import BrokenRuleError, Point, Provider
from dataportal.testing.local_server import LocalServer, Reply, Request

__all__ = [
    "BrokenRuleError",
    "Check",
    "Conformance",
    "LocalServer",
    "Point",
    "Provider",
    "Reply",
    "Request",
]
