"""Scoring: what counts as the same, and figures that can be worked out by hand."""

import pytest

from schemas.proposal import Field
from schemas.scoring import Judged, Labelled, auroc, coverage, misses, same, score


@pytest.mark.parametrize(
    ("name", "expected", "found"),
    [
        ("gross_amount", "119.00", "119"),
        ("gross_amount", "-0.50", "-0.5"),
        ("issue_date", "25/12/2018", "2018-12-25"),
        ("issue_date", "25.12.2018", "2018-12-25"),
        ("supplier", "Müller & Söhne GmbH", "MÜLLER+SÖHNE  GMBH"),
        ("invoice_number", "RE-2026 / 17", "re202617"),
        ("tax_amount", None, None),
    ],
)
def test_the_same_written_differently_is_the_same(name: str, expected: str | None, found: str | None) -> None:
    assert same(name, expected, found)


@pytest.mark.parametrize(
    ("name", "expected", "found"),
    [
        ("gross_amount", "119.00", "11900"),
        ("gross_amount", "119.00", "-119.00"),
        ("issue_date", "2018-12-05", "2018-05-12"),
        ("invoice_number", "0017", "17"),
        ("supplier", "Acme", None),
        ("tax_amount", None, "0.00"),
        ("supplier", "---", "Acme"),
    ],
)
def test_what_is_another_value_is_not_the_same(name: str, expected: str | None, found: str | None) -> None:
    assert not same(name, expected, found)


SURE_AND_RIGHT, UNSURE_AND_WRONG = (0.9, False), (0.2, True)


@pytest.mark.parametrize(
    ("scored", "area"),
    [
        ([SURE_AND_RIGHT, UNSURE_AND_WRONG], 1.0),
        ([(0.9, True), (0.2, False)], 0.0),
        ([(0.5, True), (0.5, False)], 0.5),
        # Of six pairs of a right and a wrong one, four are in order and one is level.
        ([(0.9, False), (0.7, True), (0.6, False), (0.6, True), (0.3, True)], 0.75),
        ([SURE_AND_RIGHT], None),
        ([], None),
    ],
)
def test_auroc_is_the_share_of_pairs_in_the_right_order(scored: list[tuple[float, bool]], area: float | None) -> None:
    assert auroc(scored) == area


def test_coverage_takes_the_surest_until_too_many_are_wrong() -> None:
    ranked = [(0.9, False), (0.8, False), (0.7, True), (0.6, False), (0.5, True)]

    assert [coverage(ranked, risk) for risk in (0, 0.25, 0.5)] == [2, 4, 5]


def test_coverage_cannot_part_the_equally_sure() -> None:
    assert coverage([(0.9, False), (0.9, True)], 0.2) == 0


LABELLED = [
    Labelled(text="a", expected={"supplier": "Acme", "gross_amount": "10.00"}),
    Labelled(text="b", expected={"supplier": "Bolt", "gross_amount": "20.00"}),
    Labelled(text="c", expected={"supplier": "Cord", "gross_amount": None}),
    Labelled(text="d", expected={"supplier": "Dune"}),
]
JUDGED = [
    Judged(
        verdict="ok",
        rung="embedded-xml",
        confidence=0.95,
        clean=True,
        straight=True,
        fields={"supplier": Field(value="ACME", confidence=0.95), "gross_amount": Field(value="10", confidence=0.99)},
    ),
    Judged(
        verdict="ok",
        rung="embedded-reader",
        confidence=0.92,
        clean=True,
        straight=True,
        fields={
            "supplier": Field(value="Bolt", confidence=0.96),
            "gross_amount": Field(value="2.00", evidence="2.00", confidence=0.92),
        },
    ),
    Judged(
        verdict="ok",
        rung="embedded-reader",
        confidence=0.5,
        clean=True,
        fields={"supplier": Field(value="Cord", confidence=0.5)},
    ),
    Judged(verdict="malformed", rung="none"),
]


def test_score_of_four_documents_worked_out_by_hand() -> None:
    figures = score(LABELLED, JUDGED, 1.5)

    assert figures.n == 4
    assert figures.fields == {"supplier": 0.75, "gross_amount": 0.667}
    assert (figures.straight_through_rate, figures.straight_through_error_rate) == (0.5, 0.5)
    assert (figures.coverage_at_1, figures.coverage_at_5) == (0.25, 0.25)
    assert figures.auroc == 0.75
    assert figures.verdicts == {"malformed": 1, "ok": 3}
    assert figures.rungs == {"embedded-reader": 2, "embedded-xml": 1, "none": 1}


def test_misses_say_what_was_expected_and_what_was_read_from_which_words() -> None:
    wrong, missing = misses(LABELLED, JUDGED)

    assert (wrong.line, wrong.field, wrong.expected, wrong.found, wrong.evidence, wrong.straight) == (
        2,
        "gross_amount",
        "20.00",
        "2.00",
        "2.00",
        True,
    )
    assert (missing.line, missing.field, missing.found) == (4, "supplier", None)
