"""The table of cases: entered once, found by what people type, and what an operator is told of all of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import Engine
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.cases import Cases
from activities.store import Blobs, writing
from schemas.case import Closing, Outcome, OutcomeStatus, View, Waiting
from schemas.message import digest_of
from schemas.proposal import Proposal
from schemas.source import Document, Source, Verdict
from schemas.tables import CaseRow
from tests.databases import both_databases

pytestmark = both_databases
DUE = datetime.now(UTC) + timedelta(days=3)


@pytest.fixture
def cases(engine: Engine, blobs: Blobs) -> Cases:
    return Cases(engine, blobs)


def test_case_entered_by_several_at_once_is_entered_by_one(cases: Cases, source: Source) -> None:
    start = Barrier(4)

    def enter(name: str) -> bool:
        start.wait(10)
        return cases.open("invoice-intake/1", source, name)

    with ThreadPoolExecutor(4) as pool:
        entered = list(pool.map(enter, "abcd"))

    assert sorted(entered) == [False, False, False, True]
    assert Audit(cases.engine).verify("invoice-intake/1") == []


@pytest.mark.parametrize("typed", ["invoice-intake/ab", "INVOICE-INTAKE/AB", "ab", "AB"])
def test_case_is_found_by_the_beginning_of_its_id_or_key_in_either_case(
    cases: Cases, source: Source, typed: str
) -> None:
    for key in ("ab12", "cd34"):
        cases.open(f"invoice-intake/{key}", source, "tester")

    assert [row.id for row in cases.matching(typed)] == ["invoice-intake/ab12"]


@pytest.mark.parametrize("typed", ["%", "a_1", "\\", "b12", "/", "intake/ab"])
def test_what_is_no_beginning_finds_nothing(cases: Cases, source: Source, typed: str) -> None:
    cases.open("invoice-intake/ab12", source, "tester")

    assert cases.matching(typed) == []


def test_name_with_a_nul_is_no_trouble(cases: Cases, source: Source) -> None:
    cases.open("invoice-intake/1", source.model_copy(update={"name": "invoice\0.pdf"}), "tester")

    row = cases.get("invoice-intake/1")
    assert row
    assert row.source_name.startswith("invoice")


def test_instants_come_back_in_utc(cases: Cases, source: Source) -> None:
    before = datetime.now(UTC)
    cases.open("invoice-intake/1", source, "tester")

    row = cases.get("invoice-intake/1")
    assert row
    assert row.started_at.tzinfo is UTC
    assert before <= row.started_at <= datetime.now(UTC)


def test_case_that_is_ended_again_in_a_task_that_is_redone_is_ended_once(
    cases: Cases, source: Source, audit: Audit
) -> None:
    cases.open("invoice-intake/1", source, "tester")
    closing = Closing(case="invoice-intake/1", outcome=Outcome(status="expired"), view=View(source=source))

    ended, again = cases.close(closing), cases.close(closing)
    cases.reopen("invoice-intake/1", "tester", "a second run", digest_of(b"start"))
    rerun = cases.close(closing)

    assert ended == again != rerun
    kinds = [link.kind for link, _ in audit.entries("invoice-intake/1")]
    assert kinds == ["case.started", "case.ended", "case.rerun", "case.ended"]


def test_summary_counts_what_went_straight_through_and_how_long_others_wait(engine: Engine, blobs: Blobs) -> None:
    cases = Cases(engine, blobs)

    def closed(case: str, status: OutcomeStatus, by: str = "") -> None:
        cases.close(Closing(case=case, outcome=Outcome(status=status, decided_by=by), view=view(case)))

    def view(case: str, *, ok: bool = True) -> View:
        source = Source(digest=digest_of(case.encode()), name=case, size=1)
        verdict = Verdict(status="ok" if ok else "ambiguous")
        return View(
            source=source,
            document=Document(source=source, format="pdf", verdict=verdict),
            proposal=Proposal(rung="embedded-xml", fields={}),
        )

    for name in ("p/1", "p/2", "p/3", "p/4", "p/5"):
        cases.open(name, Source(digest=digest_of(name.encode()), name=name, size=1), "tester")
    closed("p/1", "applied")
    closed("p/2", "applied", by="ap-clerk")
    for name in ("p/3", "p/4"):
        cases.waiting(
            Waiting(case=name, phase="asked", approvers=(), due=DUE, stage="supervised", view=view(name, ok=False))
        )
    told = cases.summary(DUE + timedelta(hours=1))

    assert [row.id for row in cases.listing("applied")] == ["p/2", "p/1"]
    assert [row.id for row in cases.listing("started")] == ["p/5"]

    assert told.standing == {"applied": 2, "waiting": 2, "started": 1}
    assert (told.verdicts, told.rungs) == ({"ok": 2, "ambiguous": 2}, {"embedded-xml": 4})
    assert (told.total, told.settled, told.straight_through, told.straight_through_share) == (5, 4, 1, 0.25)
    assert told.overdue == 2
    assert told.waited[0] >= told.waited[1] > timedelta(days=3)


def test_case_that_no_starter_entered_can_be_looked_at(cases: Cases) -> None:
    """One whose start input made no sense ends without a document; it is listed, and shown, all the same."""
    outcome = Outcome(status="unprocessable", reasons=("the start input is not an intake",))
    ActivityEnvironment().run(cases.close, Closing(case="invoice-intake/odd", outcome=outcome, view=View()))

    row = cases.get("invoice-intake/odd")

    assert row is not None
    assert (cases.mail(row), cases.view(row)) == (None, View())


def test_case_that_runs_again_has_nothing_of_its_last_run(cases: Cases, source: Source) -> None:
    case = "invoice-intake/1"
    cases.open(case, source, "tester")
    outcome = Outcome(status="rejected", draft=digest_of(b"draft"), reasons=("no",), decided_by="ap-clerk")
    ActivityEnvironment().run(cases.close, Closing(case=case, outcome=outcome, view=View(draft=outcome.draft)))

    cases.reopen(case, "ap-clerk", "the charter changed")

    row = cases.get(case)
    assert row is not None
    assert (row.status, row.draft, row.view, row.decided_by, row.reasons) == ("started", None, None, "", [])
    assert (row.source, row.submitted_by, row.runs) == (source.digest, "tester", 2)


def test_inbox_leaves_out_nothing_however_much_waits(cases: Cases) -> None:
    with writing(cases.engine) as session:
        now = datetime.now(UTC)
        session.add_all(
            CaseRow(id=f"invoice-intake/{n}", process="invoice-intake", status="waiting", due=now, started_at=now)
            for n in range(1001)
        )

    assert len(cases.listing("waiting")) == 1001
