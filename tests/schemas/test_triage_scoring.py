"""How answers to requests are scored: in scope, none of these, and what confidence is worth."""

import pytest

from schemas.proposal import Field
from schemas.scoring import Judged, Labelled
from schemas.triage import CATEGORY
from schemas.triage_scoring import RequestScore, ece, request_score


def scored(*answers: tuple[str | None, str | None, float]) -> RequestScore:
    """Of (wanted, answered, confidence)."""
    labelled = [Labelled(text="x", expected={CATEGORY: wanted}) for wanted, _, _ in answers]
    judged = [
        Judged(
            verdict="ok",
            rung="embedded-reader",
            fields={CATEGORY: Field(value=answered, confidence=confidence)},
            confidence=confidence,
            clean=answered is not None,
        )
        for _, answered, confidence in answers
    ]
    return request_score(labelled, judged)


def test_request_answered_as_none_is_wrong_and_none_answered_as_none_is_right() -> None:
    found = scored(("a", "a", 0.9), ("a", None, 0.6), (None, None, 0.9), (None, "a", 0.6), (None, None, 0.8))

    assert (found.in_scope_accuracy, found.none_recall) == (0.5, 0.667)


def test_without_a_message_that_is_none_its_recall_cannot_be_told() -> None:
    assert scored(("a", "a", 0.9)).none_recall is None


@pytest.mark.parametrize(
    ("confidence", "right", "error"), [(0.75, 3, 0.0), (0.95, 3, 0.2), (0.5, 3, 0.25), (1.0, 4, 0.0)]
)
def test_calibration_error_is_how_far_confidence_is_from_the_share_that_is_right(
    confidence: float, right: int, error: float
) -> None:
    assert ece([(confidence, number < right) for number in range(4)]) == pytest.approx(error)


def test_interval_of_what_is_sure_holds_the_whole_when_nothing_is_wrong() -> None:
    assert scored(*[("a", "a", 0.9)] * 20).coverage_at_1_interval == (1.0, 1.0)


def test_none_of_these_never_counts_as_going_straight_through() -> None:
    assert scored(*[(None, None, 0.9)] * 20).coverage_at_5_interval == (0.0, 0.0)
