"""What every source is: documents that arrive somewhere, and a way to say there that one has been dealt with.

A source keeps no record of its own. What has arrived stays where it is until its cases are entered; only then it is put
aside. Whoever dies in between sees it again, and the same bytes join the case they have.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Arrived(NamedTuple):
    key: str
    """By which the source finds it again."""
    name: str
    data: bytes
    problem: str = ""
    """Why it was not even fetched, or empty."""


class Source(Protocol):
    """Its methods block, and raise OSError when what is outside does not do as it should: then it is tried again."""

    def arrived(self) -> Iterator[Arrived]:
        """Whatever lies there now, each fetched when it is its turn."""
        ...

    def taken(self, one: Arrived) -> None:
        """Put it aside: its cases are entered. Harmless a second time."""
        ...

    def refused(self, one: Arrived, why: str) -> None:
        """Put it where people look for what could not be taken, with the reason."""
        ...
