"""The composition root: everything real is built here, once, and handed inward."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import fsspec
from openai import OpenAI
from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.workflow import NondeterminismError

from activities.audit import Audit
from activities.cases import Cases
from activities.contract_rules import ContractRules
from activities.crm import Crm, EmbeddedCrm
from activities.documents import Documents
from activities.endpoint import Endpoint
from activities.model import Model, Readers
from activities.parsers import Parsers
from activities.rules import Rules
from activities.store import Blobs
from workers.database import connect_database
from workers.heartbeats import Heartbeats
from workers.settings import Settings

THREADS = 16


@dataclass(frozen=True)
class Parts:
    """What stands behind every command and every worker."""

    engine: Engine
    blobs: Blobs
    audit: Audit
    cases: Cases
    parsers: Parsers
    documents: Documents
    model: Model
    rules: Rules
    contract_rules: ContractRules
    crm: Crm


@contextmanager
def built(settings: Settings) -> Iterator[Parts]:
    """Build all parts from the settings; what holds processes or connections is let go at the end."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        engine = connect_database(settings.database)
        stack.callback(engine.dispose)
        files, root = fsspec.url_to_fs(settings.blobs)
        blobs = Blobs(files, root)
        reading = stack.enter_context(readers(settings))
        audit, port = Audit(engine), EmbeddedCrm(engine)
        yield Parts(
            engine=engine,
            blobs=blobs,
            audit=audit,
            cases=Cases(engine, blobs),
            parsers=reading.parsers,
            documents=Documents(blobs, reading.parsers, audit),
            model=Model(blobs, reading, audit),
            rules=Rules(engine, blobs, port),
            contract_rules=ContractRules(engine, blobs, port),
            crm=Crm(port, blobs, engine),
        )


@contextmanager
def readers(settings: Settings) -> Iterator[Readers]:
    """What reads documents, alone: for measuring it needs neither a database nor Temporal."""
    with ExitStack() as stack:
        parsers = stack.enter_context(Parsers(ocr=settings.ocr))
        if not settings.model:
            yield Readers(parsers)
            return
        client = OpenAI(
            api_key=settings.model_key.get_secret_value() or "none",
            base_url=settings.model_url or None,
            max_retries=0,
            timeout=timedelta(minutes=2).total_seconds(),
        )
        yield Readers(parsers, Endpoint(stack.enter_context(client), settings.model))


def activities_of(parts: Parts) -> list[Callable[..., object]]:
    """What a worker offers to workflows."""
    return [
        parts.documents.ingest,
        parts.model.read_invoice,
        parts.model.read_contract,
        parts.rules.check_invoice,
        parts.contract_rules.check_contract,
        parts.crm.apply,
        parts.cases.waiting,
        parts.cases.close,
        parts.audit.acts,
    ]


def build_worker(client: Client, task_queue: str, parts: Parts, *, rehearsal: bool = False) -> Worker:
    """Tests rehearse: every step is replayed, and a step that replays differently fails the run."""
    return Worker(
        client,
        task_queue=task_queue,
        activities=activities_of(parts),
        interceptors=[Heartbeats()],
        # Room for both kinds: a local step that waits for a thread holds up the task of its case.
        activity_executor=ThreadPoolExecutor(2 * THREADS),
        max_concurrent_activities=THREADS,
        max_concurrent_local_activities=THREADS,
        max_cached_workflows=0 if rehearsal else 1000,
        workflow_failure_exception_types=[NondeterminismError] if rehearsal else [],
        graceful_shutdown_timeout=timedelta(seconds=30),
        # Every beat is sent: by default they are held back until little is left of the timeout they keep from passing.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
    )
