"""Edge cases: each reason is told, and an ordinary case is none."""

from typing import Any

import pytest

from activities.learning.edges import REASONS, reasons
from schemas.observed import Observed
from tests.weeks import START

DECIDED = {"outcome": "applied", "decided_by": "ap-clerk", "asked_at": START, "ended_at": START}
EDGES: dict[str, dict[str, Any]] = {
    "low": {**DECIDED, "confidence": 0.4},
    "high": {**DECIDED, "confidences": {"iban": 0.99, "supplier": 0.2}, "corrected": ("iban",)},
    "unreadable": {"verdict": "missing"},
    "hostile": {"verdict": "hostile"},
    "crm": {"refused_by_crm": True},
    "people": {"disagreed": True},
    "readings": {"findings": ("amounts.disagree",)},
}


def why(**told: Any) -> list[str]:
    one = Observed.model_validate({"case": "invoice-intake/1", "started_at": START, "verdict": "ok", **told})
    return list(reasons(one, threshold=0.9))


@pytest.mark.parametrize("kind", REASONS)
def test_each_reason_is_told_alone(kind: str) -> None:
    assert why(**EDGES[kind]) == [REASONS[kind]]


@pytest.mark.parametrize(
    "told", [{**DECIDED, "confidence": 0.95}, {**DECIDED, "confidence": 0.4, "corrected": ("iban",)}]
)
def test_ordinary_case_is_none(told: dict[str, Any]) -> None:
    assert why(**told) == []
