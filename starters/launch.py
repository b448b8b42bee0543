"""Starting cases: identity, record, run. The same bytes twice are one case."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from schemas.charter import Charter
from schemas.message import Message, digest_of
from schemas.source import Source
from schemas.tables import CaseRow
from workers.build import Parts
from workers.settings import Settings

AT_ONCE = 20
"""Starts under way at a time: enough to keep the server busy, few enough not to flood it."""


class Refused(Exception):
    """Why something asked for cannot be done, and what to do instead."""


@dataclass(frozen=True)
class Process:
    """What starters must know of a process: its name, its charter's shape, its start input."""

    name: str
    charter: type[Charter[Any]]
    intake: Callable[[Source, Any, str], Message]

    def load_charter(self, settings: Settings) -> Charter[Any]:
        path = settings.charters / f"{self.name}.yaml"
        try:
            # Strict here, where a person can mend it: in a message, unknown fields are tomorrow's.
            charter = self.charter.model_validate(yaml.safe_load(path.read_text()), extra="forbid")
        except FileNotFoundError:
            raise Refused(f"{self.name} has no charter: {path} is missing") from None
        except (ValidationError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise Refused(f"the charter {path} is wrong: {error}") from None
        if charter.process != self.name:
            raise Refused(f"the charter {path} is for {charter.process}, not for {self.name}")
        return charter


@dataclass(frozen=True)
class Started:
    source: str
    case: str
    how: Literal["new", "joined", "ended", "failed"]
    """joined: these bytes have an open case. ended: their case is closed. failed: `problem` says why there is none."""
    problem: str = ""


def files_in(sources: Sequence[Path]) -> list[Path]:
    """Every file named, and every file inside the folders named; hidden ones are left out."""
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = (path for path in sorted(source.rglob("*")) if path.is_file())
            found += [path for path in inside if not any(part[0] == "." for part in path.relative_to(source).parts)]
        elif source.is_file():
            found.append(source)
        elif source.exists():
            raise Refused(f"{source} is neither a file nor a folder")
        else:
            raise Refused(f"{source} does not exist")
    return found


@dataclass(frozen=True)
class Launcher:
    client: Client
    parts: Parts
    settings: Settings
    process: Process

    async def start_all(self, paths: Sequence[Path]) -> AsyncIterator[Started]:
        """Start a case for each, a few at a time, giving each as it is done; one that cannot be read stops no other."""
        charter = self.process.load_charter(self.settings)
        room = asyncio.Semaphore(AT_ONCE)

        async def start(path: Path) -> Started:
            async with room:
                try:
                    return await self._start(path, charter)
                except (OSError, Refused) as error:
                    return Started(str(path), "", "failed", str(error))

        for next_done in asyncio.as_completed([start(path) for path in paths]):
            yield await next_done

    async def rerun(self, row: CaseRow, why: str) -> None:
        """Run an ended case again, on the same bytes and today's charter."""
        charter = self.process.load_charter(self.settings)
        if await self._is_running(row.id):
            raise Refused(f"{row.id} is still open: decide it, or terminate its workflow first")
        if not row.source:
            raise Refused(f"{row.id} has no document to run again: start it from the file")
        source = Source(digest=row.source, name=row.source_name, size=row.source_size)
        self.parts.cases.reopen(row.id, self.settings.person, why)
        await self._run(row.id, source, charter, WorkflowIDReusePolicy.ALLOW_DUPLICATE)

    async def _start(self, path: Path, charter: Charter[Any]) -> Started:
        size, most = path.stat().st_size, charter.policy.limits.max_bytes
        if size > most:
            raise Refused(
                f"{size} bytes are more than the {most} this process accepts (limits.max_bytes in its charter)"
            )
        data = await asyncio.to_thread(path.read_bytes)
        source = Source(digest=digest_of(data), name=path.name, size=len(data))
        case = f"{self.process.name}/{source.digest}"
        await asyncio.to_thread(self.parts.blobs.put, data)
        new = await asyncio.to_thread(self.parts.cases.open, case, source, self.settings.person)
        row = self.parts.cases.get(case)
        assert row is not None
        if row.status == "closed":
            return Started(str(path), case, "ended")
        # The row may stand without a run, when an earlier start was killed in between: starting is harmless either way.
        once = WorkflowIDReusePolicy.REJECT_DUPLICATE if row.runs == 1 else WorkflowIDReusePolicy.ALLOW_DUPLICATE
        await self._run(case, source, charter, once)
        return Started(str(path), case, "new" if new else "joined")

    async def _run(self, case: str, source: Source, charter: Charter[Any], reuse: WorkflowIDReusePolicy) -> None:
        try:
            await self.client.start_workflow(
                self.process.name,
                self.process.intake(source, charter.policy, self.settings.person),
                id=case,
                task_queue=self.settings.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=reuse,
                static_summary=self.process.name,
            )
        except WorkflowAlreadyStartedError:
            raise Refused(f"the workflow of {case} ended without an outcome: 'casework rerun' runs it again") from None

    async def _is_running(self, case: str) -> bool:
        try:
            found = await self.client.get_workflow_handle(case).describe()
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status == WorkflowExecutionStatus.RUNNING
