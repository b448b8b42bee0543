"""Calibration: exact bounds, thresholds that keep the risk they state, and refusals that say what is lacking."""

import os
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from schemas.calibration import (
    Scored,
    chosen,
    decisions_for,
    needed,
    planned,
    proves,
    reliability,
    risk_coverage,
    upper_bound,
)

CALIBRATIONS = int(os.environ.get("CALIBRATIONS", "200"))
TARGET, SURE = 0.05, 0.95


@given(st.integers(0, 300), st.integers(1, 300), st.sampled_from([0.9, 0.95, 0.99]))
def test_bound_is_that_of_clopper_and_pearson(errors: int, n: int, confidence: float) -> None:
    errors = min(errors, n)

    exact = beta.ppf(confidence, errors + 1, n - errors) if errors < n else 1.0

    assert upper_bound(errors, n, confidence) == pytest.approx(exact, abs=1e-9)


@given(st.integers(0, 20), st.integers(1, 1000), st.sampled_from([0.01, 0.05, 0.2]))
def test_risk_is_proved_where_the_bound_lies_at_or_below_it(errors: int, n: int, risk: float) -> None:
    assert proves(errors, n, risk, SURE) == (upper_bound(errors, n, SURE) <= risk)


@pytest.mark.parametrize(
    ("errors", "risk", "decisions"),
    # (1 - risk) ** n <= 0.05 without errors; with one, n = 473 is in every table of acceptance sampling.
    [(0, 0.01, 299), (0, 0.05, 59), (1, 0.01, 473)],
)
def test_decisions_that_prove_a_risk(errors: int, risk: float, decisions: int) -> None:
    assert decisions_for(errors, risk, SURE) == decisions


def test_what_is_as_wrong_as_the_target_is_not_proved_by_any_number() -> None:
    assert needed(0.01, 0.01, SURE) is None


def test_few_errorless_cases_are_refused_with_the_number_that_is_lacking() -> None:
    choice = chosen([(0.95, False)] * 22, (0.9,), 0.01, SURE, labels=26)

    assert (choice.threshold, choice.taken, choice.errors, choice.needed) == (None, 22, 0, 299)
    assert choice.bound == pytest.approx(1 - 0.05 ** (1 / 22))
    # 299 above the threshold take 299 / 22 * 26 labels.
    assert choice.more_labels == 354 - 26


def test_lowest_threshold_proved_in_order_is_chosen() -> None:
    scored = [(0.9, False)] * 60 + [(0.8, False)] * 60 + [(0.7, True)] * 60

    choice = chosen(scored, (0.9, 0.8, 0.7), TARGET, SURE, labels=180)

    assert (choice.threshold, choice.taken, choice.errors) == (0.8, 120, 0)


def test_nothing_after_the_first_failure_is_chosen() -> None:
    scored = [(0.9, True)] * 10 + [(0.8, False)] * 1000

    assert chosen(scored, (0.9, 0.8), TARGET, SURE, labels=1010).threshold is None


def test_plan_begins_where_there_are_enough_cases_to_prove_anything() -> None:
    # Of the surest tenth a hundred would be tested: without an error that proves 3 %, not 1 %.
    learnt = [(1 - place / 1000, False) for place in range(1000)]

    order = planned(learnt, 1000, 0.01, SURE)

    assert 0 < order[0] <= 1 - 299 / 1000
    assert list(order) == sorted(order, reverse=True)


def test_plan_without_prospects_ends_in_a_refusal() -> None:
    order = planned([(0.5, True), (0.9, True)], 2, 0.01, SURE)

    assert chosen([(0.5, True), (0.9, True)], order, 0.01, SURE, labels=4).threshold is None


def test_nothing_learnt_is_no_plan() -> None:
    assert planned([], 10, 0.01, SURE) == ()


Wrong = Callable[[float], float]
POPULATIONS: dict[str, Wrong] = {
    "just too risky throughout": lambda _: 1.02 * TARGET,
    "surer is safer": lambda confidence: (1 - confidence) * 0.3,
    "the surest are the worst": lambda confidence: 0.5 if confidence > 0.98 else 0.06,
    "a step within the plan": lambda confidence: 0.02 if confidence > 0.5 else 0.3,
}


def drawn(random: Random, n: int, wrong: Wrong) -> Scored:
    confidences = [random.random() for _ in range(n)]
    return [(confidence, random.random() < wrong(confidence)) for confidence in confidences]


def true_risk(threshold: float, wrong: Wrong) -> float:
    points = [threshold + (1 - threshold) * (place + 0.5) / 1000 for place in range(1000)]
    return sum(map(wrong, points)) / len(points)


@pytest.mark.parametrize("population", POPULATIONS)
def test_true_risk_exceeds_the_target_in_few_calibrations(population: str) -> None:
    """The stated 5 %, and room for chance: 7 % of a thousand, the long form (CALIBRATIONS=1000)."""
    wrong, random, exceeded = POPULATIONS[population], Random(20261123), 0
    for _ in range(CALIBRATIONS):
        learnt, tested = drawn(random, 300, wrong), drawn(random, 300, wrong)
        choice = chosen(tested, planned(learnt, 300, TARGET, SURE), TARGET, SURE, labels=600)
        exceeded += choice.threshold is not None and true_risk(choice.threshold, wrong) > TARGET

    assert exceeded <= 0.07 * CALIBRATIONS


def test_threshold_is_found_more_often_than_not_where_there_is_a_good_one() -> None:
    random, wrong = Random(7), POPULATIONS["a step within the plan"]

    found = [
        chosen(drawn(random, 500, wrong), planned(drawn(random, 500, wrong), 500, TARGET, SURE), TARGET, SURE, 1000)
        for _ in range(50)
    ]

    assert sum(choice.threshold is not None for choice in found) > 25


def test_reliability_worked_out_by_hand() -> None:
    told = reliability([(0.95, False), (0.95, False), (0.95, False), (0.95, True), (0.55, True)])

    # Four at 0.95 are right in 3 of 4, one at 0.55 is wrong.
    assert told.ece == pytest.approx((4 * 0.2 + 0.55) / 5)
    assert told.brier == pytest.approx((3 * 0.05**2 + 0.95**2 + 0.55**2) / 5)
    assert [(one.low, one.n, one.right) for one in told.bins] == [(0.5, 1, 0.0), (0.9, 4, 0.75)]
    assert told.populated == 2


def test_bins_that_hold_next_to_nothing_are_not_called_populated() -> None:
    assert reliability([(0.95, False)] * 200 + [(0.15, True)]).populated == 1


def test_risk_and_coverage_come_point_by_point_from_the_surest() -> None:
    assert risk_coverage([(0.5, True), (0.9, False), (0.9, False), (0.5, False)]) == [(0.5, 0.0), (1.0, 0.25)]
