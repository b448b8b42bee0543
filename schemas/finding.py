"""A finding: one result of checking a document or what was read from it."""

from typing import Literal

from schemas.message import Message

Severity = Literal["info", "warn", "review", "block"]


class Finding(Message):
    """What is wrong, by a code that stays the same.

    review: a person must look. block: cannot be written as it stands, so a person corrects or rejects.
    """

    code: str
    severity: Severity
    field: str = ""
    message: str


class Findings(Message):
    """What a parser process found."""

    findings: tuple[Finding, ...] = ()
