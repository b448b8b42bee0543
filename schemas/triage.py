"""Request triage: labelled examples, and what a classifier says of a message."""

from collections.abc import Mapping

from pydantic import Field as Bounded

from schemas.message import Message

CATEGORY = "category"
"""The field in which a reading of a message says what is wanted; without a value it is none of these."""


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
