"""The calibration that a policy names, as the rules apply it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.crms.embedded import EmbeddedCrm
from activities.rules import Rules
from activities.store import Blobs, writing
from schemas.calibration import Choice
from schemas.case import Checked
from schemas.confidence import Calibration, Figures, Weights
from schemas.invoice import InvoiceCheck
from schemas.message import Digest, digest_of
from schemas.policy import Policy
from schemas.proposal import Proposal
from schemas.routing import Brake, route
from schemas.source import PAGES, Document, Page, Source, Verdict
from schemas.tables import BrakeRow
from tests.activities.test_rules import POLICY, proposal

FIGURES = Figures(n=100, ece=0.02, auroc=0.9, brier=0.05, populated=4)
PROVED, REFUSED = 0.93, None


def calibration(threshold: float | None = PROVED) -> bytes:
    """One that takes every supplier for certain, and all else for a coin that falls well two times in three."""
    weights = Weights(intercept=0.7, signals={"kind name": 9.0, "quality scan": -9.0}, right=90, wrong=20)
    choice = Choice(
        risk=0.01, confidence=0.95, threshold=threshold, candidate=PROVED, of=400, taken=320, errors=0, bound=0.0094
    )
    found = Calibration(
        process="invoice-intake",
        made_at=datetime(2026, 6, 1, tzinfo=UTC),
        labels="labelled",
        fitted_on=400,
        tested_on=400,
        segments={"": weights},
        read=FIGURES,
        calibrated=FIGURES,
        choice=choice,
    )
    return found.model_dump_json().encode()


@pytest.fixture
def rules(engine: Engine, blobs: Blobs) -> Rules:
    return Rules(engine, blobs, EmbeddedCrm(engine), b"key")


def check(
    rules: Rules, case: str, named: Digest | None, read: Proposal | None = None, page: Page | None = None
) -> Checked:
    text = rules.blobs.put(PAGES.dump_json((page or Page(),)))
    source = Source(digest=digest_of(b""), name="invoice.pdf", size=0)
    document = Document(source=source, format="pdf", verdict=Verdict(), text=text)
    read = read or proposal().model_copy(update={"rung": "embedded-reader"})
    policy = POLICY.model_copy(update={"calibration": named})
    request = InvoiceCheck(process="invoice-intake", case=case, document=document, proposal=read, policy=policy)
    return ActivityEnvironment().run(rules.check_invoice, request)


def test_field_is_as_sure_as_the_calibration_says_not_as_the_reader_does(rules: Rules, case: str) -> None:
    checked = check(rules, case, rules.blobs.put(calibration()))

    assert checked.confidences["supplier"] > 0.99
    assert checked.confidences["issue_date"] == pytest.approx(0.668, abs=0.001)


def test_what_a_case_was_judged_by_is_audited(rules: Rules, case: str, audit: Audit) -> None:
    named = rules.blobs.put(calibration())

    checked = check(rules, case, named)

    body = audit.entries(case)[-1][1]
    assert body is not None
    assert (body["calibration"], body["confidences"]) == (named, checked.confidences)


def test_quality_is_that_of_the_pages(rules: Rules, case: str) -> None:
    checked = check(rules, case, rules.blobs.put(calibration()), page=Page(read_from="ocr"))

    assert checked.confidences["issue_date"] < 0.01


def test_without_a_calibration_nothing_changes(rules: Rules, case: str) -> None:
    checked = check(rules, case, None)

    assert (checked.confidences, checked.brake) == ({}, Brake())


def test_what_a_person_entered_is_not_doubted(rules: Rules, case: str) -> None:
    corrected = proposal().corrected({"supplier": "Acme"}, by="ap-clerk")

    assert check(rules, case, rules.blobs.put(calibration()), corrected).confidences == {}


def test_proved_threshold_holds_and_a_higher_one_of_the_brake_too(rules: Rules, case: str, engine: Engine) -> None:
    named = rules.blobs.put(calibration())
    before = check(rules, case, named).brake
    with writing(engine) as session:
        session.add(BrakeRow(process="invoice-intake", stage_cap="shadow", min_confidence=0.97, reason="drift"))

    after = check(rules, case, named).brake

    assert before == Brake(min_confidence=PROVED)
    assert after == Brake(stage_cap="shadow", min_confidence=0.97, reason="drift")


@pytest.mark.parametrize("stored", [True, False], ids=["refused", "gone"])
def test_calibration_that_proves_nothing_or_is_gone_leaves_every_case_to_a_person(
    rules: Rules, case: str, stored: bool
) -> None:
    named = rules.blobs.put(calibration(REFUSED)) if stored else digest_of(b"gone")
    trusting = Policy(stage="autonomous", autonomous_rungs=("embedded-reader",), approval=POLICY.approval)
    sure = Proposal(rung="embedded-reader")

    checked = check(rules, case, named)
    chosen = route(Verdict(), sure, (), trusting, checked.brake)

    assert (chosen.kind, chosen.stage) == ("review", "supervised")
    assert "calibration" in chosen.reasons[0]


def test_doubt_of_the_calibration_sends_a_case_to_a_person() -> None:
    trusting = Policy(stage="autonomous", autonomous_rungs=("embedded-reader",), approval=POLICY.approval)
    read = proposal().model_copy(update={"rung": "embedded-reader"}).as_sure_as(dict.fromkeys(proposal().fields, 0.95))

    kinds = [
        route(Verdict(), read.as_sure_as({"supplier": sure}), (), trusting, Brake(min_confidence=PROVED)).kind
        for sure in (0.94, 0.92)
    ]

    assert kinds == ["auto", "review"]
