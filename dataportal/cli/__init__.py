"""The command line: options in, exit code out. No SQL, no HTTP, no formatting.

A command is a module of its name: history.py has `dataportal history`. Its function `command`
reads from the top: the options, what is asked with them, what is shown of the answer. What is asked
lies in another room, which the command imports when it needs it:

    dataportal.store     what is in the database; query("history_current") there is the file
                         sql/queries/history_current.sql
    dataportal.collect   runs of sources
    dataportal.config    sources.yaml
    dataportal.render    what is shown
"""

from dataportal.cli.app import run

__all__ = ["run"]
