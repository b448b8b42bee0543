"""Where the command begins: quiet about a Ctrl-C that comes before anything is loaded."""

import sys

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""


def main() -> None:
    try:
        from starters.command import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
