"""The overview: where all cases of a process stand, in a few queries, however many there are."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import Engine, func, select
from sqlmodel import col

from activities.audit import REVIEWS
from activities.store import reading
from schemas.message import Message
from schemas.tables import AuditEntry, CaseRow

Ts = TypeVarTuple("Ts")


class ProcessOverview(Message):
    """One process: its open cases, and those that ended since an instant."""

    under_way: int = 0
    under_way_since: datetime | None = None
    """When the oldest case that has neither been asked about nor been written was entered."""
    waiting: int = 0
    waiting_since: datetime | None = None
    next_due: datetime | None = None
    overdue: int = 0
    at_crm: int = 0
    """Cases that are being written, or wait until the CRM takes them."""
    ended: Mapping[str, int] = {}
    straight_through: int = 0
    """Of those that ended: applied, and nobody was asked."""


@dataclass(frozen=True)
class Overview:
    engine: Engine

    def of_all(self, since: datetime, now: datetime) -> dict[str, ProcessOverview]:
        """By process; one without a case is not there."""
        told: dict[str, dict[str, Any]] = defaultdict(dict)
        ended: dict[str, Counter[str]] = defaultdict(Counter)
        with reading(self.engine) as session:
            run = session.connection().execute
            for process, status, count, entered, asked, due in run(_OPEN):
                if status == "waiting":
                    told[process] |= {"waiting": count, "waiting_since": asked, "next_due": due}
                elif status == "writing":
                    told[process]["at_crm"] = count
                else:
                    told[process] |= {"under_way": count, "under_way_since": entered}
            for process, count in run(_DUE.where(col(CaseRow.due) < now)):
                told[process]["overdue"] = count
            for process, outcome, decided, count in run(_ENDED.where(col(CaseRow.ended_at) >= since)):
                ended[process][outcome or "failed"] += count
                if outcome == "applied" and not decided:
                    told[process]["straight_through"] = count
        return {name: ProcessOverview(**told[name], ended=dict(ended[name])) for name in sorted({*told, *ended})}

    def due(self, before: datetime) -> Counter[str]:
        """By process, how many waiting cases reach their deadline before an instant, overdue ones among them."""
        with reading(self.engine) as session:
            found = session.connection().execute(_DUE.where(col(CaseRow.due) < before))
            return Counter(dict(found.all()))

    def under_way(self, before: datetime, most: int) -> Sequence[str]:
        """The oldest cases that nobody is asked about: those entered before an instant, and those at the CRM."""
        started = select(_ID).where(_STATUS == "started", col(CaseRow.started_at) < before)
        at_crm = select(_ID).where(_STATUS == "writing")
        with reading(self.engine) as session:
            run = session.connection().execute
            found = (run(query.order_by(col(CaseRow.started_at)).limit(most)).scalars() for query in (started, at_crm))
            return [case for cases in found for case in cases]

    def reviewed(self, processes: Iterable[str]) -> dict[str, datetime]:
        """By process, when a week of it was reviewed last, of those that ever were."""
        chain, chains = col(AuditEntry.case_id), [f"{REVIEWS}{process}" for process in processes]
        newest = func.max(col(AuditEntry.at))
        written = select(chain, newest).where(chain.in_(chains), col(AuditEntry.kind) == "review.written")
        with reading(self.engine) as session:
            found = session.connection().execute(written.group_by(chain)).all()
        told: dict[str, datetime] = {}
        for name, last in found:
            with suppress(ValueError):  # an entry was altered, which the verification tells
                told[name.removeprefix(REVIEWS)] = datetime.fromisoformat(last)
        return told

    def unsent(self, since: datetime) -> int:
        """Of how many cases a notice was refused or given up since an instant."""
        failed = select(func.count(func.distinct(col(AuditEntry.case_id)))).where(
            col(AuditEntry.kind) == "notice.failed", col(AuditEntry.at) >= since.isoformat()
        )
        with reading(self.engine) as session:
            return session.connection().execute(failed).scalar_one()


_ID, _PROCESS, _STATUS = col(CaseRow.id), col(CaseRow.process), col(CaseRow.status)
_OPEN = (
    select(
        _PROCESS,
        _STATUS,
        func.count(),
        func.min(col(CaseRow.started_at)),
        func.min(col(CaseRow.asked_at)),
        func.min(col(CaseRow.due)),
    )
    .where(_STATUS != "closed")
    .group_by(_PROCESS, _STATUS)
)
_DUE = select(_PROCESS, func.count()).where(_STATUS == "waiting").group_by(_PROCESS)
_DECIDED = col(CaseRow.decided_by) != ""
_ENDED = (
    select(_PROCESS, col(CaseRow.outcome), _DECIDED, func.count())
    .where(_STATUS == "closed")
    .group_by(_PROCESS, col(CaseRow.outcome), _DECIDED)
)
