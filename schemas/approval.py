"""What people say to a case that waits for them, and what they are answered."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints
from pydantic import Field as Bounded

from schemas.message import Digest, Message
from schemas.policy import Proof

Verb = Literal["approve", "reject", "correct", "comment", "ask", "answer", "delegate", "claim", "release"]
Channel = Literal["update", "signal"]
VOTES: frozenset[Verb] = frozenset(("approve", "reject", "correct"))

MESSAGES_PER_PERSON = 20
"""How many messages of one person a case records one by one; an approval needs one or two. What counts always is."""
MESSAGES_BEFORE_ASKED = 100
"""How many it records in all before it asks anything: a reset sends a long chain's messages again, all at once."""
SIGNED = ("id", "by", "verdict", "draft", "step", "note", "corrections", "to", "seat")
"""What a signature is over, beside case, run and expiry. Never changed: cases are open that hold older signatures."""


class Decision(Message):
    """What a person says: a vote, or one of the things around it.

    `id` is a nonce: what was said once under it is not heard again. `by` is proven by a signature or a code, or else
    asserted; the policy tells what it accepts.
    """

    id: str = Bounded(default="", max_length=100)
    by: str = Bounded(min_length=1, max_length=64)
    verdict: Verb
    draft: Digest
    note: str = Bounded(default="", max_length=2000)
    """The reason, the comment, the question or the answer."""
    corrections: Mapping[str, Annotated[str, StringConstraints(max_length=500)]] = Bounded(default={}, max_length=50)
    step: str = Bounded(default="", max_length=40)
    """The step it is meant for; empty is whichever is open."""
    to: str = Bounded(default="", max_length=64)
    """Who is handed the seat."""
    seat: str = Bounded(default="", max_length=64)
    """Whose seat is handed over, when the owner does it; empty is one's own."""
    expires: AwareDatetime | None = None
    """A signature is good until then."""
    signature: str = Bounded(default="", max_length=128)
    """Ed25519 over `signed(case, run)`, in hexadecimal."""
    code: str = Bounded(default="", max_length=40)

    def signed(self, case: str, run: int) -> bytes:
        """The bytes that a signature is over: JSON with sorted keys, no spaces, and the expiry in UTC."""
        expires = self.expires.astimezone(UTC).isoformat() if self.expires else None
        said = {"case": case, "run": run, "expires": expires, **{name: getattr(self, name) for name in SIGNED}}
        return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


class Withdrawal(Message):
    """What a sender leaves who has not been answered in time; `id` is the decision's."""

    id: str = Bounded(min_length=1, max_length=100)


class Reply(Message):
    accepted: bool
    reason: str = ""


class Act(Message):
    """Something a person did to a case, heard or not understood, and what was answered."""

    kind: Literal["decision", "withdrawal", "unreadable", "misspelt", "flood"]
    channel: Channel
    reply: Reply
    by: str = ""
    proof: Proof | None = None
    """None: nothing that was accepted as proof."""
    decision: Decision | None = None
    detail: str = ""
    at_deadline: bool = False


class ActsRequest(Message):
    case: str
    acts: tuple[Act, ...]


class Question(Message):
    """What somebody who decides wants to know of whoever submitted the case; the clock stands still for it."""

    by: str
    note: str
    since: datetime
    until: datetime
    answered_by: str = ""
    answer: str = ""


class Vote(Message):
    """What somebody said on a step, as it is shown to those who come after."""

    step: str
    by: str
    verdict: Verb
    note: str = ""
