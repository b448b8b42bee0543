"""Where the command begins: loading what it needs, and quiet about a Ctrl-C that comes before that."""

import sys

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""
LOOKING = ("inbox", "show", "cases")
"""Commands that only look, which people type all day: they are spared what the others must load."""


def main() -> None:
    try:
        if sys.argv[1:2] and sys.argv[1] in LOOKING:
            from starters.commands.people import main as run
        else:
            from starters.command import main as run
        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
