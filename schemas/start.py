"""What every case starts with, and what it takes along when its history is begun anew."""

from collections.abc import Mapping

from schemas.case import View
from schemas.message import Message
from schemas.policy import Policy
from schemas.routing import Route
from schemas.source import Source
from schemas.wait import Wait


class Kept(Message):
    """A case that waits, as it stood when its history had grown long."""

    view: View
    route: Route
    wait: Wait
    recorded: Mapping[str, int] = {}
    """How many messages of each person were recorded."""


class Start(Message):
    """The start input of a case; each process has its own policy."""

    source: Source
    policy: Policy
    submitted_by: str = ""
    run: int = 1
    """Which run of the case it is: what was said in another one does not count in it."""
    kept: Kept | None = None
