"""What is asked of the directory of approvers while a step is open, and what people are told about it."""

from collections.abc import Mapping
from datetime import datetime

from schemas.audit import Audited
from schemas.message import Digest, Message
from schemas.policy import ApprovalPolicy, Notice
from schemas.steps import Step
from schemas.turn import Turn


class StepOpening(Message):
    """Who holds this step, as of now? `at` is the case's own clock."""

    case: str
    step: Step
    policy: ApprovalPolicy
    at: datetime
    submitter: str = ""


class Opened(Message):
    """A step's people as they stood when it opened: kept in history, and what everything is judged by."""

    turns: tuple[Turn, ...]
    keys: Mapping[str, str] = {}
    """Ed25519 public keys in hexadecimal, of everybody in the turns, the delegates and the owner who has one."""
    delegates: tuple[str, ...] = ()
    revoked: Mapping[str, str] = {}
    """Who is named, but may not decide any more, and why."""


class Recheck(Message):
    """May those who voted still do so? Asked once more when a step closes."""

    case: str
    step: str
    voters: tuple[str, ...]
    keys: Mapping[str, str] = {}
    """Their keys as they stood when the step opened."""


class Struck(Audited):
    """Who may not any more, and why."""

    people: Mapping[str, str] = {}


class CodeFor(Message):
    """What a code is good for: one person, one opening of one step, one draft."""

    case: str
    run: int = 1
    person: str
    step: str
    draft: Digest
    opening: int


class CodesCheck(Message):
    """Are these the codes that were sent? In the order of `codes`, which pairs what it is for with what was given."""

    codes: tuple[tuple[CodeFor, str], ...]


class CodesChecked(Message):
    right: tuple[bool, ...]


class Telling(Message):
    """A notice: about which case, of which kind, to whom. Without content, unless a code goes with it."""

    case: str
    kind: Notice
    people: tuple[str, ...]
    step: str = ""
    draft: Digest | None = None
    opening: int = 0
    run: int = 1
    due: datetime | None = None
    outcome: str = ""
    with_code: bool = False
    """The step takes codes: each person is sent their own."""
    question: int = 0
    """Which question of this step it is that they are to answer; 0: they are to decide."""


class Told(Audited):
    """What became of a notice to one person."""

    sent: bool
    problem: str = ""
