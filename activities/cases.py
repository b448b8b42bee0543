"""The table of cases: what stands where, for starts, listings and figures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import col, func, select
from temporalio import activity

from activities.audit import BEGUN, append, ends_with
from activities.store import Blobs, reading, writing
from schemas.audit import Head
from schemas.case import UNDER_WAY, Closing, Outcome, Summary, View, Waiting
from schemas.mail import Mail
from schemas.message import Digest
from schemas.source import Source
from schemas.tables import CaseRow


@dataclass(frozen=True)
class Cases:
    engine: Engine
    blobs: Blobs

    @activity.defn(name="cases.waiting")
    def waiting(self, request: Waiting) -> Head:
        """The case waits for these people from now on; the inbox shows it to them."""
        view = self.blobs.put(request.view.model_dump_json().encode())
        now = datetime.now(UTC)
        with writing(self.engine, request.case) as session:
            row = session.get(CaseRow, request.case) or _stray(request.case, now)
            row.sqlmodel_update(
                {
                    "status": "waiting",
                    "phase": request.phase,
                    "step": request.step,
                    "stage": request.stage,
                    "approvers": list(request.approvers),
                    "due": request.due,
                    "reasons": list(request.view.reasons),
                    "draft": request.view.draft,
                    "view": view,
                    "asked_at": row.asked_at or now,
                }
            )
            session.add(row)
            asked = request.model_dump(mode="json", include={"approvers", "due", "stage", "step"})
            return append(
                session, request.case, f"approval.{request.phase}", {**asked, "draft": request.view.draft, "view": view}
            )

    @activity.defn(name="cases.close")
    def close(self, request: Closing) -> Outcome:
        """Write how the case ended, once; the outcome that comes back carries the head of the chain."""
        view = self.blobs.put(request.view.model_dump_json().encode())
        outcome, now = request.outcome, datetime.now(UTC)
        told = outcome.model_dump(mode="json", exclude={"head"})
        with writing(self.engine, request.case) as session:
            row = session.get(CaseRow, request.case) or _stray(request.case, now)
            if row.status == "closed" and (head := ends_with(session, request.case, "case.ended", told)):
                return outcome.model_copy(update={"head": head})
            ended = {
                "status": "closed",
                "phase": "",
                "step": "",
                "stage": outcome.stage or "",
                "outcome": outcome.status,
                "reasons": list(outcome.reasons),
                "approvers": [],
                "due": None,
                "decided_by": outcome.decided_by,
                "record": outcome.receipt.record if outcome.receipt else "",
                "draft": outcome.draft,
                "view": view,
                "ended_at": now,
                "starts": [],
            }
            # Who starts an ended case past our starters is refused, and how it had ended stands.
            row.sqlmodel_update(ended if row.status != "closed" or outcome.status != "unprocessable" else {})
            session.add(row)
            head = append(session, request.case, "case.ended", told)
        return outcome.model_copy(update={"head": head})

    def open(self, case: str, source: Source, by: str, start: Digest | None = None) -> bool:
        """Enter a new case, to be started with this input (or what `expect` says); False when these bytes have one."""
        with writing(self.engine, case) as session:
            if session.get(CaseRow, case):
                return False
            row = _stray(case, datetime.now(UTC))
            row.sqlmodel_update(
                {
                    "starts": [start] if start else [],
                    "source": source.digest,
                    "source_name": source.name,
                    "source_size": source.size,
                    "submitted_by": by,
                }
            )
            session.add(row)
            append(session, case, BEGUN, {"source": source.model_dump(), "by": by})
        return True

    def expect(self, case: str, start: Digest) -> None:
        """Enter another input for an open case: whoever entered it first may have gone before they started it."""
        with writing(self.engine, case) as session:
            row = session.get_one(CaseRow, case)
            if row.status != "closed":  # it may just have ended
                row.starts = list(dict.fromkeys([*(row.starts or ()), start]))
                session.add(row)

    def reopen(self, case: str, by: str, why: str, start: Digest | None = None) -> None:
        """Enter another run of a case whose workflow has ended."""
        with writing(self.engine, case) as session:
            row = session.get_one(CaseRow, case)
            fresh = _stray(case, row.started_at).model_dump(include=set(STANDING))
            row.sqlmodel_update({**fresh, "runs": row.runs + 1, "starts": [start] if start else []})
            session.add(row)
            append(session, case, "case.rerun", {"by": by, "why": why})

    def get(self, case: str) -> CaseRow | None:
        with reading(self.engine) as session:
            return session.get(CaseRow, case)

    def matching(self, prefix: str) -> Sequence[CaseRow]:
        """Cases whose id, or whose business key, begins like this; two at most, since two is too many."""
        identity = col(CaseRow.id)
        named = identity.istartswith(prefix, autoescape=True) | identity.icontains(f"/{prefix}", autoescape=True)
        with reading(self.engine) as session:
            return session.exec(select(CaseRow).where(named).limit(2)).all()

    def listing(self, standing: str | None = None, limit: int | None = None) -> Sequence[CaseRow]:
        """Those of a status or an outcome, newest first; what is open the oldest first, or the nearest deadline."""
        entered = col(CaseRow.started_at)
        order = col(CaseRow.due) if standing == "waiting" else entered if standing in UNDER_WAY else entered.desc()
        query = select(CaseRow).order_by(order).limit(limit)
        stands = (CaseRow.status == standing) | (CaseRow.outcome == standing)
        with reading(self.engine) as session:
            return session.exec(query.where(stands) if standing else query).all()

    def counts(self) -> Counter[str]:
        """How many cases stand where: outcomes for the closed, status for the others."""
        with reading(self.engine) as session:
            rows = session.exec(select(CaseRow.status, CaseRow.outcome)).all()
        return Counter(outcome or status for status, outcome in rows)

    def under_way(self, process: str) -> Counter[str]:
        """How many cases of a process are open, by status."""
        query = select(CaseRow.status, func.count()).where(CaseRow.process == process, CaseRow.status != "closed")
        with reading(self.engine) as session:
            return Counter(dict(session.exec(query.group_by(CaseRow.status)).all()))

    def summary(self, now: datetime) -> Summary:
        """Count all cases. Verdicts and rungs stand in the views, so this opens a blob a case."""
        with reading(self.engine) as session:
            rows = session.exec(select(CaseRow)).all()
        views = [self.view(row) for row in rows if row.view]
        waiting = [row for row in rows if row.status == "waiting"]
        return Summary(
            total=len(rows),
            standing=Counter(row.outcome or row.status for row in rows),
            verdicts=Counter(view.document.verdict.status for view in views if view.document),
            rungs=Counter(view.proposal.rung for view in views if view.proposal),
            settled=sum(row.status not in UNDER_WAY for row in rows),
            straight_through=sum(row.outcome == "applied" and not row.decided_by for row in rows),
            waited=tuple(sorted((now - row.asked_at for row in waiting if row.asked_at), reverse=True)),
            overdue=sum(row.due is not None and row.due < now for row in waiting),
        )

    def source(self, row: CaseRow) -> Source:
        """What the case was started with; the row alone does not know the mail it came in."""
        return self.view(row).source or Source(digest=row.source, name=row.source_name, size=row.source_size)

    def mail(self, row: CaseRow) -> Mail | None:
        """The mail it came in, when it did and the case has come so far that its view tells."""
        source = self.view(row).source
        digest = source.mail if source else None
        return Mail.model_validate_json(self.blobs.get(digest)) if digest else None

    def view(self, row: CaseRow) -> View:
        return View.model_validate_json(self.blobs.get(row.view)) if row.view else View()


STANDING = (
    *("status", "stage", "phase", "outcome", "reasons", "approvers", "decided_by", "record", "due", "draft", "view"),
    *("asked_at", "ended_at"),
)
"""What one run of a case has come to: the next begins without it."""


def _stray(case: str, now: datetime) -> CaseRow:
    """A row with nothing but its name: a case that no starter of ours entered still gets one."""
    return CaseRow(id=case, process=case.partition("/")[0], started_at=now, starts=[])


def entered(engine: Engine, case: str, start: Digest) -> bool:
    """Whether a starter of ours entered this input; where that was not written down yet, whether the case is open."""
    with reading(engine) as session:
        row = session.get(CaseRow, case)
    if row is None or row.starts is None:
        return row is not None and row.status != "closed"
    return start in row.starts
