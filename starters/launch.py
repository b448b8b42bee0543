"""Starting cases: identity, record, run. The same bytes twice are one case."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from schemas.charter import Charter
from schemas.message import Digest, Message, digest_of
from schemas.scoring import Judged, Labelled
from schemas.source import Source, Thread
from schemas.tables import CaseRow
from starters.charters import charter_in
from starters.files import read, readable
from starters.mail import MAX_BYTES as MAX_MAIL
from starters.mail import looks_like_mail, split, texted
from starters.pace import Pace
from starters.refused import Refused
from starters.start_input import StartInput, start_of
from workers.build import Parts
from workers.settings import Settings

AT_ONCE = 20
"""Starts under way at a time: enough to keep the server busy, few enough not to flood it."""


@dataclass(frozen=True)
class Measure:
    """What is to be measured: under which policy, where the labelled files are, and with which reader or model."""

    settings: Settings
    policy: Any
    folder: Path
    reader: str = ""
    model: Path | None = None


Judging = Callable[[Measure], AbstractContextManager[Callable[[Labelled], Judged]]]


@dataclass(frozen=True)
class Process:
    """What starters must know of a process: its name, its charter's shape, its start input.

    `judging` says what would become of a labelled document, and `figures` what else its answers are measured by;
    a process without the former cannot be evaluated.
    """

    name: str
    charter: type[Charter[Any]]
    intake: Callable[[Source, Any, str], Message]
    takes_messages: bool = False
    """A mail, or a text, is one document by itself; else each document in a mail is one."""
    fields: tuple[str, ...] = ()
    judging: Judging | None = None
    figures: Callable[[Sequence[Labelled], Sequence[Judged]], Message] | None = None

    def load_charter(self, settings: Settings) -> Charter[Any]:
        path = settings.charters / f"{self.name}.yaml"
        if not path.exists():
            raise Refused(f"{self.name} has no charter: {path} is missing")
        charter = charter_in(path, self.charter)
        if charter.process != self.name:
            raise Refused(f"the charter {path} is for {charter.process}, not for {self.name}")
        return charter


@dataclass(frozen=True)
class Started:
    source: str
    case: str
    how: Literal["new", "joined", "ended", "failed", "left out"]
    """joined: these bytes have an open case. ended: their case is closed. failed: `problem` says why there is none.
    left out: a part of an e-mail that is no document, as `problem` says."""
    problem: str = ""
    part: str = ""
    """What the e-mail `source` calls this attachment of it."""

    @property
    def name(self) -> str:
        return f"{self.source}: {self.part}" if self.part else self.source


def _check_maker(charter: Charter[Any], person: str) -> None:
    """Where whoever submits a case may not decide it, it must be known who that is, and somebody else must be last."""
    if not charter.policy.approval.maker_checker:
        return
    if not person:
        raise Refused("maker_checker in the charter: say who submits these cases, by CASEWORK_PERSON=ID")
    if person == charter.policy.approval.owner:
        raise Refused(
            f"maker_checker in the charter: {person} owns the process and is the last to decide, so somebody else "
            "must submit (CASEWORK_PERSON=ID)"
        )


@dataclass(frozen=True)
class Launcher:
    client: Client
    parts: Parts
    settings: Settings
    process: Process
    urgent: bool = False
    """Its steps go before those of other cases, wherever they queue."""
    pace: Pace | None = None
    """At which new cases are entered; without one, as fast as they come."""

    async def start_all(self, paths: Sequence[Path]) -> AsyncIterator[Started]:
        """Start a case for each document, a few files at a time, and give what became of each file as it is done.

        A file that cannot be read, or a mail without a document, stops no other; a server that is gone stops all.
        """
        charter = self.process.load_charter(self.settings)
        _check_maker(charter, self.settings.person)
        ahead, under_way = iter(paths), set[asyncio.Task[list[Started]]]()
        try:
            while True:
                under_way |= {
                    asyncio.create_task(self._start_file(path, charter))
                    for path in islice(ahead, AT_ONCE - len(under_way))
                }
                if not under_way:
                    return
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for started in [one for task in done for one in task.result()]:
                    yield started
                under_way -= done
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def rerun(self, row: CaseRow, by: str, why: str) -> None:
        """Run an ended case again, on the same bytes and today's charter."""
        charter = self.process.load_charter(self.settings)
        submitter = row.submitted_by or by
        _check_maker(charter, submitter)
        if await self._is_running(row.id):
            raise Refused(f"{row.id} is still open: decide it, or terminate its workflow first")
        if self.parts.audit.erased(row.id):
            raise Refused(f"{row.id} was erased: there is nothing to run again")
        if not row.source:
            raise Refused(f"{row.id} has no document to run again: start it from the file")
        source = self.parts.cases.source(row)
        intake = self.process.intake(source, charter.policy, submitter).model_copy(update={"run": row.runs + 1})
        start = start_of(self.client, intake)
        self.parts.cases.reopen(row.id, by, why, start.digest)
        await self._run(row.id, start, WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    async def _start_file(self, path: Path, charter: Charter[Any]) -> list[Started]:
        name = readable(path)
        try:
            data = await asyncio.to_thread(read, path, max(MAX_MAIL, charter.policy.limits.max_bytes))
            return await self._start_document(name, data, charter)
        except (OSError, Refused) as error:
            return [Started(name, "", "failed", str(error))]

    async def start_document(self, name: str, data: bytes) -> list[Started]:
        """Start what these bytes hold. Trouble of ours (OSError, RPCError, DBAPIError) is raised: try again later."""
        charter = self.process.load_charter(self.settings)
        _check_maker(charter, self.settings.person)
        try:
            return await self._start_document(name, data, charter)
        except Refused as error:
            return [Started(name, "", "failed", str(error))]

    async def _start_document(self, path: str, data: bytes, charter: Charter[Any]) -> list[Started]:
        if self.process.takes_messages:
            return await self._start_message(path, data, charter)
        if looks_like_mail(data):
            return await self._start_mail(path, data, charter)
        return [await self._start(path, readable(Path(path).name), data, charter)]

    async def _start_message(self, path: str, data: bytes, charter: Charter[Any]) -> list[Started]:
        """One case for what it says; what came with it is told, and left out."""
        found = await asyncio.to_thread(split if looks_like_mail(data) else texted, data)
        # Without what differs each time it is sent: the same words of the same sender, in answer to the same messages,
        # are the same case.
        fleeting = {"date": "", "message_id": "", "automatic": False}
        said = found.mail.model_copy(update=fleeting).model_dump_json().encode()
        case = f"{self.process.name}/{digest_of(said)}"
        if (ended := self.parts.cases.get(case)) and ended.status == "closed":
            return [Started(path, case, "ended")]  # before anything is kept: it may have been erased
        mail = await asyncio.to_thread(self.parts.blobs.put, found.mail.model_dump_json().encode())
        root = await asyncio.to_thread(self.parts.threads.root_of, found.mail)
        await asyncio.to_thread(self.parts.threads.enter, case, found.mail, root)
        thread = await asyncio.to_thread(self.parts.threads.before, root, case) if root else None
        others = [(left.name, left.why) for left in found.left]
        others += [(one.name, "came with a message: start it in a process of its own") for one in found.documents]
        started = await self._start(path, readable(Path(path).name), said, charter, mail, thread)
        return [*(Started(path, "", "left out", why, name) for name, why in others), started]

    async def _start_mail(self, path: str, data: bytes, charter: Charter[Any]) -> list[Started]:
        """A case for each document in it. What is left out is told, and a mail without a document is a failure."""
        found = await asyncio.to_thread(split, data)
        if not found.documents:
            why = "; ".join(f"{left.name}: {left.why}" for left in found.left) or "only text"
            return [Started(path, "", "failed", f"the mail holds no document ({why})")]
        mail = await asyncio.to_thread(self.parts.blobs.put, found.mail.model_dump_json().encode())
        started = [Started(path, "", "left out", left.why, left.name) for left in found.left]
        for document in found.documents:
            try:
                one = await self._start(path, document.name, document.data, charter, mail)
            except Refused as error:
                one = Started(path, "", "failed", str(error))
            started.append(replace(one, part=document.name))
        return started

    async def _start(
        self,
        path: str,
        name: str,
        data: bytes,
        charter: Charter[Any],
        mail: Digest | None = None,
        thread: Thread | None = None,
    ) -> Started:
        if len(data) > (most := charter.policy.limits.max_bytes):
            raise Refused(
                f"{len(data)} bytes are more than the {most} this process accepts (limits.max_bytes in its charter)"
            )
        source = Source(digest=digest_of(data), name=name, size=len(data), mail=mail, thread=thread)
        case = f"{self.process.name}/{source.digest}"
        if (ended := self.parts.cases.get(case)) and ended.status == "closed":
            return Started(path, case, "ended")  # and what was erased of it stays so
        await asyncio.to_thread(self.parts.blobs.put, data)
        intake = self.process.intake(source, charter.policy, self.settings.person)
        start = start_of(self.client, intake)
        new = await self._entered(case, source, start.digest)
        row = self.parts.cases.get(case)
        assert row is not None
        # The row may stand without a run, when an earlier start was killed in between: starting is harmless either way.
        once = WorkflowIDReusePolicy.REJECT_DUPLICATE if row.runs == 1 else WorkflowIDReusePolicy.ALLOW_DUPLICATE
        if not new:
            start = start_of(self.client, intake.model_copy(update={"run": row.runs}))
            await asyncio.to_thread(self.parts.cases.expect, case, start.digest)
        try:
            await self._run(case, start, once)
        except WorkflowAlreadyStartedError:
            row = self.parts.cases.get(case)
            if row and row.status == "closed":  # it ended since it was looked at
                return Started(path, case, "ended")
            raise Refused(f"the workflow of {case} ended without an outcome: 'casework rerun' runs it again") from None
        return Started(path, case, "new" if new else "joined")

    async def _entered(self, case: str, source: Source, start: Digest) -> bool:
        """Whether it is new; what is known already needs no turn."""
        enter = partial(self.parts.cases.open, case, source, self.settings.person, start)
        if self.pace is None or self.parts.cases.get(case):
            return await asyncio.to_thread(enter)
        async with self.pace.turn():
            return await asyncio.to_thread(enter)

    async def _run(self, case: str, start: StartInput, reuse: WorkflowIDReusePolicy) -> None:
        await self.client.start_workflow(
            self.process.name,
            start.raw,
            id=case,
            task_queue=self.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=reuse,
            static_summary=self.process.name,
            priority=Priority(priority_key=1) if self.urgent else Priority.default,
        )

    async def _is_running(self, case: str) -> bool:
        try:
            found = await self.client.get_workflow_handle(case).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status == WorkflowExecutionStatus.RUNNING
