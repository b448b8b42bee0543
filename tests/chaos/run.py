"""`make chaos SEED=… CASES=…`: cases of all processes while everything breaks, and what must be true afterwards.

With an odd seed the tables are on PostgreSQL, where its programs are, and the CRM is at the end of a line that
loses the first answer to each write; with an even one both are SQLite.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select
from temporalio.client import Client
from temporalio.service import RPCError

from schemas.tables import CrmContract, CrmInvoice, CrmTicket
from tests.chaos.breaking import Breaker, small_disk
from tests.chaos.oracle import violations
from tests.chaos.people import People
from tests.chaos.plan import Plan, planned
from tests.databases import Postgres, serving_postgres
from tests.desk import charters
from tests.end_to_end.conftest import House, free_ports
from tests.hubspot import KEY, Hubspot, answering, first_writes, mapping
from tests.lines import Line, line
from tests.providers import MOODY, Provider, providing
from workers.records import Records, opened
from workers.settings import Settings
from workers.temporal import connect

PATIENCE = 300
"""Seconds beside two for each case until a run that does not end is a failure."""
LIMIT = "auto_limits: {EUR: 5000", "auto_limits: {EUR: 2000"
"""Between the invoices that go straight through and those that do not."""
RECORDS: dict[str, tuple[str, Any]] = {
    "invoice-intake": ("invoice", CrmInvoice),
    "contract-approval": ("contract", CrmContract),
    "request-triage": ("ticket", CrmTicket),
}
"""What each process writes, and our own table of it."""


def chaos(seed: int, count: int, home: Path, postgres: Postgres | None = None) -> dict[str, Any]:
    """Run it, and tell what happened; `violations` is empty when all is as it should be."""
    begun = time.monotonic()
    plan = planned(seed, count, home / "in")
    with ExitStack() as stack:
        provider = stack.enter_context(providing(seed=seed))
        disk = stack.enter_context(small_disk(home / "disk"))
        hubspot = stack.enter_context(answering()) if seed % 2 else None
        cut = stack.enter_context(line(hubspot.url, first_writes())) if hubspot else None
        house = _house(home, provider, disk, postgres, cut)
        records = stack.enter_context(opened(Settings.from_env(house.env)))
        breaker = Breaker(house, disk, postgres)
        stack.callback(breaker.kill_server)  # after whoever would start it again
        for name in ("up", "worker"):
            breaker.start(name)
            stack.callback(breaker.kill, name)
        people, running, verified = asyncio.run(_run(plan, house, records, breaker))
        rows = records.cases.listing()
        return {
            "seed": seed,
            "cases": len(rows),
            "outcomes": dict(Counter(row.outcome for row in rows)),
            "broke": dict(breaker.done),
            "habits": dict(people.said),
            "decisions answered": len(people.answered),
            "refused": dict(
                Counter(reply.reason.partition(":")[0] for _, _, reply in people.answered if not reply.accepted)
            ),
            "model calls": provider.asked[MOODY],
            "answers of the CRM lost": len(cut.lost) if cut else 0,
            "seconds": round(time.monotonic() - begun),
            "violations": violations(
                plan,
                records,
                people,
                crm=in_hubspot(hubspot) if hubspot else in_tables(records),
                asked=provider.asked[MOODY],
                verified=verified,
                running=running,
            ),
        }


def in_hubspot(hubspot: Hubspot) -> dict[str, Counter[str]]:
    """The references of all records that processes write, by process."""
    kinds = {process: mapping().kinds[kind] for process, (kind, _) in RECORDS.items()}
    return {
        process: Counter(row[kind.ref] for row in hubspot.rows.get(kind.model, {}).values() if kind.ref in row)
        for process, kind in kinds.items()
    }


def in_tables(records: Records) -> dict[str, Counter[str]]:
    with Session(records.engine) as session:
        return {process: Counter(session.exec(select(table.ref)).all()) for process, (_, table) in RECORDS.items()}


def _house(home: Path, provider: Provider, disk: Path | None, postgres: Postgres | None, crm: Line | None) -> House:
    endpoint = {"name": "default", "model": "small", "url": provider.url(MOODY), "seconds": 1}
    (home / "models.yaml").write_text(yaml.safe_dump({"as_of": "2026-11-01", "endpoints": [endpoint]}))
    folder = charters(home / "charters", *LIMIT)
    for file in folder.iterdir():
        file.write_text(file.read_text().replace("sample_share: 0.05", "sample_share: 0"))
    port, ui_port = free_ports()
    ours = {
        "CASEWORK_HOME": str(home / "home"),
        "CASEWORK_PORT": str(port),
        "CASEWORK_UI_PORT": str(ui_port),
        "CASEWORK_MODELS": str(home / "models.yaml"),
        "CASEWORK_CHARTERS": str(folder),
        "CASEWORK_OCR": "0",
        "NO_PROXY": "127.0.0.1",
        "CASEWORK_PERSON": "tester",
        "CASEWORK_DATABASE_URL": postgres.empty() if postgres else "",
        "CASEWORK_BLOBS_URL": disk.as_uri() if disk else "",
    }
    if crm:
        ours |= {"CASEWORK_CRM": "hubspot", "CASEWORK_CRM_URL": crm.url, "CASEWORK_CRM_KEY": KEY}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASEWORK_", "TEMPORAL_"))}
    return House(home / "home", {**kept, **ours}, patience=PATIENCE)


async def _run(plan: Plan, house: House, records: Records, breaker: Breaker) -> tuple[People, list[str], Any]:
    """Until nothing more breaks and each case has ended; then whoever is late comes."""
    client = await connect(Settings.from_env(house.env))
    people, over = People(plan, client, records), asyncio.Event()
    at_work = asyncio.create_task(people.work(over))
    async with asyncio.timeout(PATIENCE + 2 * len(plan.documents)):
        await asyncio.gather(
            asyncio.to_thread(start_all, plan, house),
            asyncio.to_thread(breaker.all_through, plan, lambda: _come(plan, records)),
            asyncio.to_thread(_wait_for_all, plan, records),
        )
    over.set()
    await at_work
    await people.come_late()
    verified = await asyncio.to_thread(house.run, "audit", "verify", "--json")
    return people, await _open(client), json.loads(verified.stdout)


def start_all(plan: Plan, house: House) -> None:
    """Start the folder of each process again and again until the command says that all went well, as people would."""
    for folder in sorted({document.file.parent for document in plan.documents}):
        until = time.monotonic() + PATIENCE
        while house.run("start", folder.name, str(folder)).returncode and time.monotonic() < until:
            time.sleep(0.5)


def _wait_for_all(plan: Plan, records: Records) -> None:
    """Until each case has ended, or long enough has been waited for the oracle to tell which have not."""
    until = time.monotonic() + PATIENCE + len(plan.documents)
    while _come(plan, records) < 1 and time.monotonic() < until:
        time.sleep(0.5)


def _come(plan: Plan, records: Records) -> float:
    """The share of all cases that has ended, half of it for those that were only entered."""
    try:
        counts = records.cases.counts()
    except DBAPIError:
        return 0
    open_ones = counts["started"] + counts["writing"] + counts["waiting"]
    return (counts.total() - open_ones / 2) / len(plan.documents)


async def _open(client: Client) -> list[str]:
    """What is still running, and what it is at; the server takes a moment to hear that something has ended."""
    found: list[str] = []
    for _ in range(20):
        with suppress(RPCError):
            found = [case.id async for case in client.list_workflows("ExecutionStatus = 'Running'")]
            if not found:
                return []
        await asyncio.sleep(0.5)
    return [await _at(client, case) for case in found]


async def _at(client: Client, case: str) -> str:
    told = (await client.get_workflow_handle(case).describe()).raw_description
    steps = [
        f"{step.activity_type.name}, attempt {step.attempt}: {step.last_failure.message}"
        for step in told.pending_activities
    ]
    return f"{case} is open in Temporal: {steps or told.pending_workflow_task}"


def main() -> None:
    settings = (("SEED", 1), ("SEEDS", 1), ("CASES", 100))
    first, many, cases = (int(os.environ.get(name, usual)) for name, usual in settings)
    reports = []
    with ExitStack() as stack:
        postgres = None
        with suppress(ImportError, OSError, ValueError):
            postgres = stack.enter_context(serving_postgres())
        for seed in range(first, first + many):
            with tempfile.TemporaryDirectory(prefix="chaos") as folder:
                reports.append(chaos(seed, cases, Path(folder), postgres if seed % 2 else None))
            print(json.dumps(reports[-1], indent=2), flush=True)  # noqa: T201
    sys.exit(any(report["violations"] for report in reports))


if __name__ == "__main__":
    main()
