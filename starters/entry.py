"""Where the command begins and ends: loading what it needs, and leaving nothing half taken down."""

import atexit
import gc
import os
import sys
from collections.abc import Callable

INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended."""
LOOKING = ("inbox", "show", "cases")
"""Commands that only look, which people type all day: they are spared what the others must load."""


def main() -> None:
    """Run the command, and end the process with its status.

    The Temporal SDK has threads of its own. One that hands over an answer while the interpreter is taken down aborts
    the process (exit 134) when all its work is done. So it is not taken down: once Python has joined its own threads
    and run the exit handlers, of which ours is the last, the process ends.
    """
    status = 1  # of an error that nobody caught

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)

    atexit.register(leave)
    try:
        _command()()
        status = 0
    except KeyboardInterrupt:
        status = INTERRUPTED
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise


def _command() -> Callable[[], None]:
    """Load it. Nothing that is loaded is garbage: to look through it again and again took a third of the time."""
    gc.disable()
    if sys.argv[1:2] and sys.argv[1] in LOOKING:
        from starters.commands.people import main as run
    else:
        from starters.command import main as run
    gc.freeze()
    gc.enable()
    return run


if __name__ == "__main__":
    main()
