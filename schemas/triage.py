"""Request triage: labelled examples, and what a classifier says of a message."""

from collections.abc import Mapping

from pydantic import Field as Bounded

from schemas.message import Message
from schemas.policy import RequestPolicy
from schemas.proposal import Proposal
from schemas.source import Document
from schemas.start import Start

CATEGORY = "category"
"""The field in which a reading of a message says what is wanted; without a value it is none of these."""


FIELDS = (CATEGORY, "priority", "language", "sender")
"""What is read of every message, beside the details of its policy; a language is an ISO 639 code."""


class Example(Message):
    """A message and what was wanted; null is none of the categories."""

    text: str
    category: str | None = None


class Classification(Message):
    """What is wanted, or none of the categories, and how likely that answer is right."""

    category: str | None = None
    confidence: float = Bounded(default=0, ge=0, le=1)
    likeliest: Mapping[str, float] = {}
    """The categories that come first, whether or not one of them is the answer."""


class RequestCheck(Message):
    """What checking needs."""

    process: str
    case: str
    document: Document
    proposal: Proposal
    policy: RequestPolicy


class Intake(Start):
    """The start input of a case."""

    policy: RequestPolicy
