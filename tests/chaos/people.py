"""Approvers in a run of chaos: they answer once, twice, late, wrongly, or are somebody else."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError
from temporalio.client import Client
from temporalio.service import RPCError

from schemas.approval import Decision, Reply
from schemas.tables import CaseRow
from starters.decide import NOT_TAKEN, UNKNOWN, decide, decision
from tests.chaos.plan import Plan
from workers.records import Records

OTHER_DRAFT = "f" * 64
LOOK = 0.5
"""Seconds between looks at what waits."""
UNSURE = (NOT_TAKEN, UNKNOWN)


@dataclass
class People:
    plan: Plan
    client: Client
    records: Records
    answered: list[tuple[str, Decision, Reply]] = field(default_factory=list)
    """What a case answered: it must stand in the audit just so."""
    unowned: set[str] = field(default_factory=set)
    """Cases that waited without anybody to decide, or without a deadline."""
    said: Counter[str] = field(default_factory=Counter)
    late: set[tuple[str, str]] = field(default_factory=set)
    _misbehaved: set[tuple[str | None, ...]] = field(default_factory=set)
    _done: set[tuple[str | None, ...]] = field(default_factory=set)

    async def work(self, over: asyncio.Event) -> None:
        while not over.is_set():
            try:
                waiting = await asyncio.to_thread(self.records.cases.listing, "waiting")
            except DBAPIError:
                waiting = []
            await asyncio.gather(*(self._see_to(row) for row in waiting[:20]))
            await asyncio.sleep(LOOK)

    async def come_late(self) -> None:
        """Once all is over."""
        for case, person in sorted(self.late):
            row = self.records.cases.get(case)
            assert row is not None
            await self._say(row, decision(row, person, "approve", draft=row.draft, note="at last"))

    async def _see_to(self, row: CaseRow) -> None:
        if not row.approvers or row.due is None:
            self.unowned.add(row.id)
        for person in row.approvers:
            about = (row.id, row.step, row.draft, person)
            if about not in self._done and await self._answer(row, person):
                self._done.add(about)

    async def _answer(self, row: CaseRow, person: str) -> bool:
        """Whether their word was taken; if not, it is said again when they look again."""
        try:
            view = await asyncio.to_thread(self.records.cases.view, row)
            if (row.id, row.step, row.draft, person) not in self._misbehaved:
                await self._misbehave(row, person)
                self._misbehaved.add((row.id, row.step, row.draft, person))
            rejects = view.blocked or self.plan.rejects(row.id)
            said = decision(row, person, "reject" if rejects else "approve", draft=row.draft, note="as planned")
            reply = await self._say(row, said)
            if reply.accepted and self.plan.habit(row.id, person) == "twice":
                await self._say(row, said)
        except (RPCError, DBAPIError, OSError):
            return False
        return reply.accepted or reply.reason.startswith("already decided")

    async def _misbehave(self, row: CaseRow, person: str) -> None:
        habit = self.plan.habit(row.id, person)
        self.said[habit] += 1
        match habit:
            case "wrong draft":
                await self._say(row, decision(row, person, "approve", draft=OTHER_DRAFT))
            case "stranger":
                await self._say(row, decision(row, "mallory", "approve", draft=row.draft))
            case "malformed":
                case: Any = self.client.get_workflow_handle(row.id)
                await case.signal("decide", {"by": 7})
                await case.signal("aprove", "yes")
            case "late":
                self.late.add((row.id, person))

    async def _say(self, row: CaseRow, said: Decision) -> Reply:
        reply = await decide(self.client, self.records, row, said)
        if reply.reason not in UNSURE:
            self.answered.append((row.id, said, reply))
        return reply
