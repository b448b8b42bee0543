"""The weekly review: what is counted in which week, and which targets are missed."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.metrics import Metric
from schemas.observed import Handled, Observed
from schemas.review import Measured, attention, begin, measured, missed, week_of

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
WEEK, HOUR, MINUTE = "2026-W47", timedelta(hours=1), timedelta(minutes=1)


def case(**told: object) -> Observed:
    return Observed.model_validate({"case": "invoice-intake/1", "started_at": MONDAY + HOUR, **told})


def ended(hours: float, **told: object) -> Observed:
    return case(ended_at=MONDAY + HOUR + hours * HOUR, outcome="applied", **told)


def decided(**told: object) -> Observed:
    return ended(2, **{"asked_at": MONDAY + HOUR, "decided_by": "ap-clerk", **told})


@pytest.mark.parametrize("instant", [MONDAY, MONDAY + timedelta(days=7) - timedelta(microseconds=1)])
def test_week_is_from_monday_to_sunday_in_utc(instant: datetime) -> None:
    assert week_of(instant) == WEEK
    assert begin(WEEK) == MONDAY


def test_straight_through_is_of_cases_that_ended() -> None:
    cases = [ended(1), ended(1), decided(), case()]

    assert measured(WEEK, cases, 0).values["straight_through"] == pytest.approx(2 / 3)


def test_cases_count_in_the_week_in_which_they_ended() -> None:
    before, after = ended(-2), ended(7 * 24)

    found = measured(WEEK, [before, ended(1), after], 0)

    assert (found.ended, found.values["backlog"]) == (1, 1)


def test_cycle_time_is_told_in_hours() -> None:
    values = measured(WEEK, [ended(hours) for hours in range(1, 12)], 0).values

    assert (values["cycle_hours_median"], values["cycle_hours_p90"]) == (6, 10)


def test_corrections_are_told_by_field_and_per_decided_case() -> None:
    found = measured(WEEK, [decided(corrected=("iban", "supplier")), decided(corrected=("iban",)), ended(1)], 0)

    assert (found.corrected, found.values["corrections"]) == ({"iban": 2, "supplier": 1}, 1.5)


def test_error_rate_is_of_the_random_sample_alone() -> None:
    cases = [decided(sampled=True), decided(sampled=True, corrected=("iban",)), decided(corrected=("iban",))]

    found = measured(WEEK, cases, 0)

    assert (found.sampled, found.values["error_rate"]) == (2, 0.5)


def test_week_in_which_nothing_ended_tells_no_rates() -> None:
    assert set(measured(WEEK, [case()], 0).values) == {"breaches", "backlog"}


def test_breach_counts_once_a_case() -> None:
    assert measured(WEEK, [case(late=(MONDAY + HOUR, MONDAY + 2 * HOUR)), case()], 0).values["breaches"] == 1


def test_attention_counts_from_the_act_before_and_no_longer_than_ten_minutes() -> None:
    asked = MONDAY
    acts = [case(asked_at=asked, acts=(Handled(by="ap-clerk", at=asked + minutes * MINUTE),)) for minutes in (60, 63)]

    assert attention(acts, MONDAY, MONDAY + 7 * 24 * HOUR) == 13 * MINUTE


def test_target_is_missed_on_its_wrong_side_alone() -> None:
    metrics = (
        Metric(name="straight_through", target=0.5),
        Metric(name="breaches", target=2),
        Metric(name="cost", target=1),
    )
    found = Measured(week=WEEK, values={"straight_through": 0.6, "breaches": 3})

    assert [one.metric.name for one in missed(metrics, found)] == ["breaches"]
