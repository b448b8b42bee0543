"""The table of cases: what an operator is told of all of them together."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from activities.cases import Cases
from activities.store import Blobs
from schemas.case import Closing, Outcome, OutcomeStatus, View, Waiting
from schemas.message import digest_of
from schemas.proposal import Proposal
from schemas.source import Document, Source, Verdict

DUE = datetime.now(UTC) + timedelta(days=3)


def test_summary_counts_what_went_straight_through_and_how_long_others_wait(engine: Engine, blobs: Blobs) -> None:
    cases = Cases(engine, blobs)

    def closed(case: str, status: OutcomeStatus, by: str = "") -> None:
        cases.close(Closing(case=case, process="p", outcome=Outcome(status=status, decided_by=by), view=view(case)))

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

    assert told.standing == {"applied": 2, "waiting": 2, "started": 1}
    assert (told.verdicts, told.rungs) == ({"ok": 2, "ambiguous": 2}, {"embedded-xml": 4})
    assert (told.total, told.settled, told.straight_through, told.straight_through_share) == (5, 4, 1, 0.25)
    assert told.overdue == 2
    assert told.waited[0] >= told.waited[1] > timedelta(days=3)
