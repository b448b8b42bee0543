"""Confidence: signals of a field, and a calibration's sum of them worked out by hand."""

from math import exp

import pytest

from schemas.confidence import Weights, likely, log_odds, quality_of, signals_of
from schemas.finding import Finding
from schemas.proposal import Field
from schemas.source import Page

SUPPLIER = Field(value="Acme", confidence=0.9, page=1)
TOTAL = Field(value="12.00", confidence=0.6, alternatives=("1200",))
READ = {"supplier": SUPPLIER, "gross_amount": TOTAL, "iban": Field()}


def weights(intercept: float, **signals: float) -> Weights:
    return Weights(intercept=intercept, signals=signals, right=50, wrong=50)


def test_signals_of_a_field_are_those_of_its_document_and_its_own() -> None:
    findings = (Finding(code="amounts.disagree", severity="block", field="gross_amount", message="they do"),)

    signals = signals_of(READ, "endpoint", "scan", findings)

    assert signals["gross_amount"] == {
        "confidence": log_odds(0.6),
        "weakest field": log_odds(0.6),
        "evidence found": 0.0,
        "ambiguous": 1.0,
        "finding": 1.0,
        "kind amount": 1.0,
        "rung endpoint": 1.0,
        "quality scan": 1.0,
    }
    assert (signals["supplier"]["evidence found"], signals["supplier"]["finding"]) == (1.0, 0.0)


def test_what_a_model_tells_of_its_values_counts_only_where_it_is_known() -> None:
    read = {
        "supplier": Field(value="Acme", confidence=0.9, likelihood=0.8, seconded=True),
        "iban": Field(value="NL1", confidence=0.9, seconded=False),
    }

    signals = signals_of(read, "endpoint", "text", ())

    of_models = {"likelihood", "likelihood known", "seconded", "contradicted"}
    assert {name: {key: of[key] for key in of if key in of_models} for name, of in signals.items()} == {
        "supplier": {"likelihood": log_odds(0.8), "likelihood known": 1.0, "seconded": 1.0},
        "iban": {"contradicted": 1.0},
    }


def test_field_without_a_value_has_no_signals() -> None:
    assert "iban" not in signals_of(READ, "endpoint", "text", ())


def test_what_the_policy_risks_says_nothing_of_the_reading() -> None:
    findings = (Finding(code="amount.over_limit", severity="review", field="gross_amount", message="it is"),)

    assert signals_of(READ, "endpoint", "text", findings) == signals_of(READ, "endpoint", "text", ())


def test_likelihood_is_the_logistic_sum_of_the_signals() -> None:
    signals = signals_of({"supplier": SUPPLIER}, "endpoint", "text", ())

    found = likely({"": weights(-1.0, confidence=0.5, **{"kind name": 2.0})}, signals)

    assert found["supplier"] == pytest.approx(1 / (1 + exp(1 - 0.5 * log_odds(0.9) - 2)), abs=1e-4)


@pytest.mark.parametrize(
    ("segments", "intercept"),
    [({"": 1, "name": 2, "text/name": 3}, 3), ({"": 1, "name": 2, "scan/name": 3}, 2), ({"": 1, "amount": 2}, 1)],
)
def test_narrowest_segment_there_is_judges(segments: dict[str, float], intercept: float) -> None:
    signals = signals_of({"supplier": SUPPLIER}, "endpoint", "text", ())

    found = likely({name: weights(value) for name, value in segments.items()}, signals)

    assert found == {"supplier": pytest.approx(1 / (1 + exp(-intercept)), abs=1e-4)}


def test_readers_that_say_one_are_not_taken_for_certain() -> None:
    assert log_odds(1.0) == log_odds(0.999)
    assert log_odds(1.0) == pytest.approx(-log_odds(0.0))


def test_quality_is_that_of_what_was_read_from() -> None:
    scan, text = Page(read_from="ocr"), Page()

    assert quality_of("embedded-xml", [scan]) == "structured"
    assert quality_of("endpoint", [text, scan]) == "scan"
    assert quality_of("endpoint", [text]) == "text"
