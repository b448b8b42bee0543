"""A desk to run cases at: a real server, real parts, a worker that replays every step."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority
from temporalio.testing import TimeSkipper

from activities.parsers import Parsers
from schemas.approval import Decision, Reply, Verb
from schemas.audit import Fault
from schemas.case import Outcome
from schemas.invoice import Intake
from schemas.message import digest_of
from schemas.policy import ApprovalPolicy, InvoicePolicy
from schemas.source import Source
from schemas.steps import Step
from schemas.tables import CaseRow
from starters.demo import SAMPLES
from starters.invoice_intake import INVOICE_INTAKE
from starters.start_input import start_of
from workers.build import Parts, build_worker, built
from workers.settings import Settings
from workflows.invoice_intake import NAME

CLERK, DEPUTY, OWNER = "ap-clerk", "ap-deputy", "finance-lead"
CLEAN = "northwind-paper-RE-2026-0117.pdf"
OVER_LIMIT = "brandt-pruefstand-RE-26-3310.pdf"
DISAGREEING = "sonnfeld-elektro-RE-2026-0555.pdf"
ONLY_TEXT = "harrow-lane-INV-20418.pdf"
DAMAGED = "northwind-paper-RE-2026-0124.pdf"
HOSTILE = "kade-koffie-KK-2026-0312.xml"

PATIENCE = 60
"""Seconds after which a case that does not move is a failure."""

Case = WorkflowHandle[Any, Outcome]
PARSERS = Parsers()
"""Of all desks: what a parser has to load takes longer than most cases. They end with the process that started them."""


UNSAMPLED = ("sample_share: 0.05", "sample_share: 0")
"""For those who count what goes straight through."""


def policy(**changes: object) -> InvoicePolicy:
    """The charter's policy, with some of it changed, and nobody drawn at random unless that is asked for."""
    chartered: InvoicePolicy = INVOICE_INTAKE.load_charter(Settings()).policy
    return chartered.model_copy(update={"sample_share": 0.0, **changes})


def charters(folder: Path, was: str, now: str) -> Path:
    """A folder with the charters as shipped, but for this."""
    folder.mkdir(parents=True)
    for charter in Settings().charters.iterdir():
        (folder / charter.name).write_text(charter.read_text().replace(was, now))
    return folder


def approval(**changes: object) -> ApprovalPolicy:
    """The charter's approval, with some of its one step changed, or of itself."""
    chartered = policy().approval
    (step,) = chartered.steps
    of_step = {name: changes.pop(name) for name in list(changes) if name in Step.model_fields}
    return chartered.model_copy(update={"steps": (step.model_copy(update=of_step),), **changes})


@dataclass(frozen=True)
class Desk:
    client: Client
    hasty: Client
    """Starts cases whose clock jumps to the next timer whenever nothing else is to be done."""
    parts: Parts
    queue: str

    async def start(
        self,
        sample: str | bytes,
        policy: InvoicePolicy,
        *,
        hasty: bool = False,
        key: str = "",
        signal: object = None,
        priority: Priority = Priority.default,
    ) -> Case:
        data = (SAMPLES / sample).read_bytes() if isinstance(sample, str) else sample
        source = Source(digest=self.parts.blobs.put(data), name=str(sample)[:40], size=len(data))
        case = self.named(key or digest_of(data))
        intake = Intake(source=source, policy=policy, submitted_by="tester")
        entered = start_of(self.client, intake).digest
        row = self.parts.cases.get(case)
        if row is None:
            self.parts.cases.open(case, source, "tester", entered)
        elif row.status == "closed":
            self.parts.cases.reopen(case, "tester", "again", entered)
        return await self.start_with(
            case,
            [intake],
            hasty=hasty,
            signal=signal,
            priority=priority,
        )

    def named(self, key: str) -> str:
        """A case id of this desk alone: all desks share one server."""
        return f"{NAME}/{key}-{self.queue[:8]}"

    async def start_with(
        self,
        case: str,
        args: Sequence[object],
        *,
        hasty: bool = False,
        signal: object = None,
        priority: Priority = Priority.default,
    ) -> Case:
        """Start with any input at all; `signal` is a decision sent in the same breath."""
        return await (self.hasty if hasty else self.client).start_workflow(
            NAME,
            args=args,
            id=case,
            task_queue=self.queue,
            result_type=Outcome,
            priority=priority,
            start_signal="decide" if signal else None,
            start_signal_args=[signal] if signal else [],
        )

    async def asked(self, case: Case, times: int = 1) -> CaseRow:
        """The row, once people have been asked so many times; history tells, so nothing here sleeps."""
        async with asyncio.timeout(PATIENCE):
            async for event in case.fetch_history_events(wait_new_event=True):
                details = event.marker_recorded_event_attributes.details
                times -= any(b'"cases.waiting"' in payload.data for payload in details["data"].payloads)
                if times == 0:
                    break
        return self.row(case)

    async def forward(self, case: Case, time: timedelta) -> None:
        """Let the clock of one case run ahead."""
        assert await TimeSkipper(self.client).fast_forward(case, time)

    async def at_step(self, case: Case, step: str, after: str | None = None) -> CaseRow:
        """The row, once this step is asked about; `after` names a draft that it is not about any more."""
        return await self._once(case, lambda row: row.step == step and row.draft != after)

    async def at_phase(self, case: Case, phase: str) -> CaseRow:
        return await self._once(case, lambda row: row.phase == phase)

    async def _once(self, case: Case, so: Callable[[CaseRow], bool]) -> CaseRow:
        """The row, once it waits like this: looked at after each event, so nothing here sleeps."""
        async with asyncio.timeout(PATIENCE):
            async for _ in case.fetch_history_events(wait_new_event=True):
                row = self.row(case)
                if row.status == "waiting" and so(row):
                    break
        return self.row(case)

    async def settled(self, case: Case) -> CaseRow:
        """The row, once the case has ended or people have been asked."""
        asked, ended = asyncio.ensure_future(self.asked(case)), asyncio.ensure_future(case.result())
        done, others = await asyncio.wait((asked, ended), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        assert done, "it neither ended nor asked"
        for one in others:
            one.cancel()
        for one in done:
            one.result()
        return self.row(case)

    def row(self, case: Case) -> CaseRow:
        row = self.parts.cases.get(case.id)
        assert row is not None
        return row

    def say(self, case: Case, verdict: Verb, **said: Any) -> Decision:
        return Decision.model_validate(
            {"id": uuid4().hex, "by": CLERK, "verdict": verdict, "draft": self.row(case).draft, **said}
        )

    async def decide(self, case: Case, verdict: Verb, **said: Any) -> Reply:
        said_now = self.say(case, verdict, **said)
        reply: Reply = await case.execute_update("decide", said_now, result_type=Reply)
        return reply

    def acts(self, case: Case) -> list[tuple[str, Mapping[str, Any]]]:
        """What the audit holds: the kind and the body of each entry."""
        return [(link.kind, body or {}) for link, body in self.parts.audit.entries(case.id)]

    def heard(self, case: Case) -> list[tuple[str, bool]]:
        """What people did, as audited: the kind of act, and whether it was accepted."""
        return [(kind, body["reply"]["accepted"]) for kind, body in self.acts(case) if kind.startswith("person.")]

    def faults(self, case: Case, outcome: Outcome) -> list[Fault]:
        assert outcome.head is not None
        return self.parts.audit.verify(case.id, [outcome.head])

    def records(self) -> list[str]:
        """What stands in the CRM: the refs of all invoices."""
        return self.parts.crm.port.find("invoice", {})


@asynccontextmanager
async def open_desk(
    client: Client, hasty: Client, home: Path, database_url: str = "", *, rehearsal: bool = True, smtp: str = ""
) -> AsyncIterator[Desk]:
    settings = Settings(home=home, database_url=database_url, ocr=False, smtp=smtp, smtp_from="service@example.com")
    with built(settings, PARSERS) as parts:
        queue = uuid4().hex
        async with build_worker(client, queue, parts, rehearsal=rehearsal):
            yield Desk(client, hasty, parts, queue)
