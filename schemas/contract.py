"""Contract approval: what is read from a contract and what a case starts with."""

from collections.abc import Mapping
from typing import Literal, get_args

from schemas.message import Message
from schemas.policy import ContractPolicy
from schemas.proposal import Proposal
from schemas.source import Document
from schemas.start import Start

REQUIRED = ("first_party", "second_party", "start_date")
OPTIONAL = (
    "end_date",
    "term",
    "renewal",
    "renewal_term",
    "notice_period",
    "value",
    "currency",
    "liability_cap",
    "governing_law",
    "personal_data",
)
FIELDS = REQUIRED + OPTIONAL
"""Terms and periods are ISO 8601 durations (P24M, P90D), `renewal` is automatic or option, `personal_data` yes or no.

`value` and `liability_cap` are amounts in `currency`; a cap may also be told as a share of fees, and is then no amount.
"""
DATES = ("start_date", "end_date")
AMOUNTS = ("value", "liability_cap")
PERIODS = ("term", "renewal_term", "notice_period")

ClauseKind = Literal[
    "unlimited-liability",
    "long-renewal",
    "exclusivity",
    "non-compete",
    "penalty",
    "unilateral-change",
    "free-assignment",
    "audit",
    "indemnity",
    "no-termination",
]
CLAUSE_KINDS: tuple[ClauseKind, ...] = get_args(ClauseKind)


class ContractCheck(Message):
    """What checking needs."""

    process: str
    case: str
    document: Document
    proposal: Proposal
    policy: ContractPolicy


class Intake(Start):
    """The start input of a case."""

    policy: ContractPolicy


def counterparty(values: Mapping[str, str], ours: tuple[str, ...]) -> str | None:
    """Of the two parties the one that is not us; None when that cannot be told."""
    names = [values[name] for name in ("first_party", "second_party") if values.get(name)]
    others = [name for name in names if not any(our.casefold() in name.casefold() for our in ours)]
    return others[0] if len(names) == 2 and len(others) == 1 else None  # noqa: PLR2004 - the two parties
