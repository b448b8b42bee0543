"""The composition root: everything real is built here, once, and handed inward."""

from collections.abc import Iterator
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
from activities.crm import Crm, EmbeddedCrm
from activities.documents import Documents
from activities.model import Endpoint, Model
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
        parsers = stack.enter_context(Parsers())
        endpoint = _endpoint(settings, stack)
        audit, port = Audit(engine), EmbeddedCrm(engine)
        yield Parts(
            engine=engine,
            blobs=blobs,
            audit=audit,
            cases=Cases(engine, blobs),
            parsers=parsers,
            documents=Documents(blobs, parsers, audit),
            model=Model(blobs, parsers, audit, endpoint),
            rules=Rules(engine, blobs, port),
            crm=Crm(port, blobs, engine),
        )


def _endpoint(settings: Settings, stack: ExitStack) -> Endpoint | None:
    if not settings.model:
        return None
    client = OpenAI(
        api_key=settings.model_key.get_secret_value() or "none",
        base_url=settings.model_url or None,
        max_retries=0,
        timeout=timedelta(minutes=2).total_seconds(),
    )
    return Endpoint(stack.enter_context(client), settings.model)


def build_worker(client: Client, task_queue: str, parts: Parts, *, rehearsal: bool = False) -> Worker:
    """Tests rehearse: every step is replayed, and a step that replays differently fails the run."""
    return Worker(
        client,
        task_queue=task_queue,
        activities=[
            parts.documents.ingest,
            parts.model.read_invoice,
            parts.rules.check_invoice,
            parts.crm.apply,
            parts.cases.waiting,
            parts.cases.close,
            parts.audit.acts,
        ],
        interceptors=[Heartbeats()],
        activity_executor=ThreadPoolExecutor(THREADS),
        max_concurrent_activities=THREADS,
        max_concurrent_local_activities=THREADS,
        max_cached_workflows=0 if rehearsal else 1000,
        workflow_failure_exception_types=[NondeterminismError] if rehearsal else [],
        graceful_shutdown_timeout=timedelta(seconds=30),
    )
