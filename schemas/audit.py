"""The audit chain as pure functions: how an entry is linked to the one before it, and how faults are named.

Every case has its own chain. The digest covers the sealed body, never the readable one, so that deleting a case's key
(erasure) leaves the chain verifiable.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from schemas.message import Digest, Message

GENESIS = "0" * 64


class Head(Message):
    """The last entry of a chain. It stands in history and in the outcome, so that a cut tail is seen."""

    seq: int
    digest: Digest


class Audited(Message):
    """The result of an activity that left an entry."""

    head: Head | None = None


class Link(Message):
    """One entry as it stands in the table, body sealed."""

    id: str
    case: str
    seq: int
    at: str
    kind: str
    sealed: bytes
    previous: Digest
    digest: Digest

    def digest_now(self) -> Digest:
        """What the digest must be, given everything else."""
        sealed = sha256(self.sealed).hexdigest()
        parts = [self.previous, self.id, self.case, self.seq, self.at, self.kind, sealed]
        return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


class Fault(Message):
    case: str
    seq: int
    problem: str


def faults(case: str, links: Sequence[Link], heads: Iterable[Head]) -> list[Fault]:
    """What is wrong with one case's chain, `links` in order; `heads` are what was told to others at some time."""
    found = [
        *(Fault(case=case, seq=seq, problem=problem) for seq, problem in _broken(links)),
        *(Fault(case=case, seq=seq, problem=problem) for seq, problem in _unmet(links, heads)),
    ]
    return list(dict.fromkeys(found))


def _broken(links: Sequence[Link]) -> Iterator[tuple[int, str]]:
    """Where the links do not follow from one another."""
    previous, expected = GENESIS, 1
    for link in links:
        if link.seq < expected:
            yield link.seq, "stands twice, or in the wrong place"
        elif link.seq > expected:
            yield expected, f"to {link.seq - 1} are missing" if link.seq > expected + 1 else "is missing"
        elif link.previous != previous:
            yield link.seq, "does not follow from the entry before it"
        if link.digest_now() != link.digest:
            yield link.seq, "was edited"
        previous, expected = link.digest, link.seq + 1


def _unmet(links: Sequence[Link], heads: Iterable[Head]) -> Iterator[tuple[int, str]]:
    """Heads that no link answers to."""
    standing = {link.seq: link.digest for link in links}
    last = links[-1].seq if links else 0
    for head in heads:
        if head.seq > last:
            yield head.seq, f"was cut off: the chain ends at {last}"
        elif head.seq in standing and standing[head.seq] != head.digest:
            yield head.seq, "is not the entry that was written then"
