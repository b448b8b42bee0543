"""Errors a person can act on: one clear line, never a traceback, for everything that is not our mistake."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError

from starters.launch import Refused
from starters.screen import err, plain
from workers.server import ServerTrouble
from workers.settings import BadSettings
from workers.temporal import NoServer

FAILED, USED_WRONGLY = 1, 2
FULL = "the disk is full: free some space (df -h) and run the command again; nothing that was entered is lost"


@contextmanager
def explained() -> Iterator[None]:
    """Turn a known trouble into its message and exit status; what is not known keeps its traceback."""
    try:
        yield
    except BadSettings as error:
        _leave(f"a setting is wrong: {error}", USED_WRONGLY)
    except (Refused, NoServer, ServerTrouble) as error:
        _leave(str(error), FAILED)
    except RPCError as error:
        _leave(f"the Temporal server said: {error.message} ({error.status.name.lower()})", FAILED)
    except DBAPIError as error:
        _leave(FULL if "full" in str(error.orig) else f"the database said: {error.orig}", FAILED)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _leave(FULL, FAILED)
        _leave(f"{error.filename or 'the system'}: {error.strerror or error}", FAILED)
    except KeyboardInterrupt:
        _leave("stopped; cases that were started go on without us", FAILED)


def _leave(message: str, status: int) -> None:
    err.print(f"[red]casework:[/] {plain(message, 1000)}")
    sys.exit(status)
