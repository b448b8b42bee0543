"""Errors a person can act on: one clear line, never a traceback, for everything that is not our mistake."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from temporalio.service import RPCError

from starters.refused import Refused
from starters.screen import err, plain
from workers.database import NoDatabase
from workers.settings import BadSettings
from workers.troubles import NoServer, ServerTrouble

FAILED, USED_WRONGLY = 1, 2
FULL = "the disk is full: free some space (df -h) and run the command again; nothing that was entered is lost"


@contextmanager
def explained() -> Iterator[None]:
    """Turn a known trouble into its message and exit status; what is not known keeps its traceback."""
    try:
        yield
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing must be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except KeyboardInterrupt:
        _leave("stopped; cases that were started go on without us", FAILED)
    except tuple(WORDS) as error:
        words, status = next(said for kind, said in WORDS.items() if isinstance(error, kind))
        _leave(words(error), status)


def _problems(error: ValidationError) -> str:
    problems = (f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
    return f"that cannot be sent: {'; '.join(problems)}"


def _system(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return FULL if full else f"{error.filename or 'the system'}: {error.strerror or error}"


WORDS: Mapping[type[Exception], tuple[Callable[[Any], str], int]] = {
    BadSettings: (lambda error: f"a setting is wrong: {error}", USED_WRONGLY),
    Refused: (str, FAILED),
    NoServer: (str, FAILED),
    NoDatabase: (str, FAILED),
    ServerTrouble: (str, FAILED),
    ValidationError: (_problems, USED_WRONGLY),
    RPCError: (lambda error: f"the Temporal server said: {error.message} ({error.status.name.lower()})", FAILED),
    DBAPIError: (lambda error: FULL if "full" in str(error.orig) else f"the database said: {error.orig}", FAILED),
    OSError: (_system, FAILED),
}


def _leave(message: str, status: int) -> None:
    err.print(f"[red]casework:[/] {plain(message, 1000)}")
    sys.exit(status)
