"""Gauges: how everything stands, from the tables and told again and again, so that long waits show while they wait."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import time
from typing import NamedTuple

from sqlmodel import col, func, select
from temporalio.common import MetricMeter

from activities.audit import Audit
from activities.brakes import Brakes
from activities.endpoints.ledger import Ledger
from activities.overview import Overview, ProcessOverview
from activities.store import reading
from schemas.budget import Budget
from schemas.routing import Brake
from schemas.tables import AuditHead, CaseRow
from workers.records import Records

LOG = logging.getLogger(__name__)
EVERY = 5
"""Seconds between two looks."""
SOON = timedelta(hours=4)
"""A deadline within this is near."""
DAY = timedelta(days=1)
VERIFIED = 5
"""Chains of the audit that are verified at each look: all of ten thousand in less than three hours. Each worker begins
somewhere else, so that those that are started again and again get everywhere too."""
GAUGES = {
    "casework_open_cases": "open cases, by process and whether they wait for people, for the CRM or are under way",
    "casework_oldest_wait_seconds": "how long the case that has waited longest for people has waited",
    "casework_oldest_under_way_seconds": "how long ago the oldest case was entered that is neither waiting nor ended",
    "casework_overdue_cases": "waiting cases past their deadline",
    "casework_due_soon_cases": "waiting cases whose deadline is past or within four hours",
    "casework_next_deadline_timestamp_seconds": "when the next deadline of a waiting case is, or was; 0: none",
    "casework_ended_cases": "cases that ended within a day, by process and outcome; straight-through: nobody was asked",
    "casework_endpoint_askable": "1 while this endpoint may be asked, 0 while its breaker is open or somebody holds it",
    "casework_brake_on": "1 while the brake of a process is on",
    "casework_reviewed_timestamp_seconds": "when a week of this process was last reviewed, of those that ever were",
    "casework_budget_used_ratio": "the share of the day's budget that is used, of processes that have one",
    "casework_audit_faulty_chains": "chains of the audit in which something is wrong, as last verified",
    "casework_audit_verified_timestamp_seconds": "all chains were verified since then; 0: not all yet",
    "casework_looked_timestamp_seconds": "when all this was last read from the tables",
}


class Reading(NamedTuple):
    gauge: str
    labels: Mapping[str, str]
    value: float

    @property
    def series(self) -> tuple[str, frozenset[tuple[str, str]]]:
        return self.gauge, frozenset(self.labels.items())


@dataclass
class Gauges:
    records: Records
    meter: MetricMeter
    budgets: Mapping[str, Budget]
    endpoints: tuple[str, ...]
    _told: dict[tuple[str, frozenset[tuple[str, str]]], Mapping[str, str]] = field(default_factory=dict)
    _verified: str | None = None
    """The last chain that was; none at first."""
    _round: float = 0
    """When the round of verification began that is under way; 0 while it is no whole one."""
    _verified_since: float = 0
    _faulty: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Tell how things stand; what was told before and is no longer there is told to be nothing."""
        now = datetime.now(UTC)
        self._verify()
        readings = [*self._cases(now), *self._reviews(), *self._services(), *self._whole(now)]
        told = {reading.series: reading.labels for reading in readings}
        gone = [Reading(series[0], labels, 0) for series, labels in self._told.items() if series not in told]
        for one in (*readings, *gone):
            self.meter.create_gauge_float(one.gauge, GAUGES[one.gauge]).set(one.value, dict(one.labels))
        self._told |= told

    def _cases(self, now: datetime) -> Iterator[Reading]:
        overview = Overview(self.records.engine)
        soon = overview.due(now + SOON)
        for process, one in overview.of_all(now - DAY, now).items():
            labels = {"process": process}
            for state, count in _states(one).items():
                yield Reading("casework_open_cases", {**labels, "state": state}, count)
            yield Reading("casework_oldest_wait_seconds", labels, _ago(one.waiting_since, now))
            yield Reading("casework_oldest_under_way_seconds", labels, _ago(one.under_way_since, now))
            yield Reading("casework_overdue_cases", labels, one.overdue)
            yield Reading("casework_due_soon_cases", labels, soon[process])
            due = one.next_due.timestamp() if one.next_due else 0
            yield Reading("casework_next_deadline_timestamp_seconds", labels, due)
            for outcome, count in _ended(one).items():
                yield Reading("casework_ended_cases", {**labels, "outcome": outcome}, count)

    def _reviews(self) -> Iterator[Reading]:
        for process, at in Overview(self.records.engine).reviewed(self.budgets).items():
            yield Reading("casework_reviewed_timestamp_seconds", {"process": process}, at.timestamp())

    def _services(self) -> Iterator[Reading]:
        ledger, brakes = Ledger(self.records.engine), Brakes(self.records.engine)
        for endpoint in ledger.standing(self.endpoints):
            yield Reading(
                "casework_endpoint_askable", {"endpoint": endpoint.name}, endpoint.state in ("closed", "half-open")
            )
        for process, budget in self.budgets.items():
            labels = {"process": process}
            yield Reading("casework_brake_on", labels, brakes.get(process) != Brake())
            if budget.day.tokens or budget.day.cost:
                _, day = ledger.spent(f"{process}/")
                yield Reading("casework_budget_used_ratio", labels, budget.day.used(day))

    def _whole(self, now: datetime) -> Iterator[Reading]:
        yield Reading("casework_audit_faulty_chains", {}, len(self._faulty))
        yield Reading("casework_audit_verified_timestamp_seconds", {}, self._verified_since)
        yield Reading("casework_looked_timestamp_seconds", {}, now.timestamp())

    def _verify(self) -> None:
        """The next few chains, of whatever they are, from the first one again after the last."""
        names = (col(CaseRow.id), col(AuditHead.case_id))  # one may have been removed without the other
        with reading(self.records.engine) as session:
            if self._verified is None:
                self._verified = session.exec(select(names[0]).order_by(func.random()).limit(1)).first() or ""
            ahead = (select(it).where(it > self._verified).order_by(it).limit(VERIFIED) for it in names)
            cases = sorted({case for query in ahead for case in session.exec(query)})[:VERIFIED]
        audit: Audit = self.records.audit
        for case in cases:
            try:
                sound = not audit.verify(case)
            except (ValueError, TypeError, KeyError):  # an entry that cannot even be read
                sound = False
            (self._faulty.discard if sound else self._faulty.add)(case)
        self._verified = cases[-1] if len(cases) == VERIFIED else ""
        if not self._verified:
            self._verified_since, self._round = self._round or self._verified_since, time()


def _states(one: ProcessOverview) -> dict[str, int]:
    return {"under way": one.under_way, "waiting": one.waiting, "at the CRM": one.at_crm}


def _ended(one: ProcessOverview) -> dict[str, int]:
    """As the counter of ended cases names them."""
    alone = one.straight_through
    return {**one.ended, "applied": one.ended.get("applied", 0) - alone, "straight-through": alone}


def _ago(instant: datetime | None, now: datetime) -> float:
    return (now - instant).total_seconds() if instant else 0


@asynccontextmanager
async def gauging(gauges: Gauges) -> AsyncIterator[None]:
    """Look again and again, while inside. While the database is away what was told last stays, and says from when."""

    async def looking() -> None:
        while True:
            try:
                await asyncio.to_thread(gauges.look)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next look may go better)
                LOG.warning("how cases stand cannot be told now: %s", type(error).__name__)
            await asyncio.sleep(EVERY)

    task = asyncio.create_task(looking())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
