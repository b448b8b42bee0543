"""The composition root: everything real is built here, once, and handed inward."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.workflow import NondeterminismError

from activities.addresses import Addresses, BadAddresses
from activities.brakes import Brakes
from activities.contract_rules import ContractRules
from activities.crm import Crm
from activities.directory import Directory
from activities.documents import Documents
from activities.endpoints.embeddings import Embeddings
from activities.endpoints.ledger import Ledger
from activities.knowledge import Bases
from activities.learning.classifiers import Classifiers
from activities.learning.neighbours import Neighbours
from activities.model import Model, Readers
from activities.notices import Notices
from activities.observing import Observing
from activities.parsers import Parsers
from activities.post import Post
from activities.reconciler import Reconciler
from activities.replies import Replies
from activities.request_rules import RequestRules
from activities.requests import Requests
from activities.reviewing import Reviewing
from activities.rules import Rules
from activities.threads import Threads
from activities.watching import Watching
from workers.crm import check_crm, crm_of
from workers.heartbeats import Heartbeats
from workers.models import ModelSettings, endpoints, models
from workers.records import Records, opened
from workers.settings import BadSettings, Settings
from workflows.options import endpoint_queue, notices_queue

THREADS = 16
NOTICES = 8


@dataclass(frozen=True)
class Parts(Records):
    """What stands behind every command that does something, and every worker."""

    parsers: Parsers
    documents: Documents
    model: Model
    ledger: Ledger
    models: tuple[ModelSettings, ...]
    rules: Rules
    contract_rules: ContractRules
    requests: Requests
    request_rules: RequestRules
    replies: Replies
    threads: Threads
    crm: Crm
    reconciler: Reconciler
    notices: Notices
    directory: Directory
    watching: Watching
    reviewing: Reviewing


@contextmanager
def built(settings: Settings, parsers: Parsers | None = None) -> Iterator[Parts]:
    """Build all parts of the settings; what holds processes or connections is let go at the end, given parsers not."""
    with (
        opened(settings) as records,
        readers(settings, parsers) as reading,
        embeddings(settings) as vectors,
        crm_of(settings, records.engine) as port,
    ):
        engine, blobs, audit = records.engine, records.blobs, records.audit
        key, threads = code_key(settings), Threads(records.cases, audit)
        yield Parts(
            engine=engine,
            blobs=blobs,
            audit=audit,
            cases=records.cases,
            parsers=reading.parsers,
            documents=Documents(blobs, reading.parsers, audit),
            model=(model := Model(blobs, reading, audit, ledger := Ledger(engine), Neighbours(records.cases))),
            ledger=ledger,
            models=models(settings),
            rules=Rules(engine, blobs, port, key),
            contract_rules=ContractRules(engine, blobs, port),
            requests=Requests(blobs, model, classifiers(settings), audit, vectors),
            request_rules=RequestRules(engine, blobs, key, Bases(settings.knowledge), threads),
            replies=Replies(engine, blobs, post(settings)),
            crm=Crm(port, blobs, engine),
            threads=threads,
            reconciler=Reconciler(port, blobs, audit, threads),
            notices=Notices(Addresses(settings.notices), audit, settings.ui_link, key),
            directory=Directory(engine, key),
            watching=Watching(observing := Observing(records.cases, audit), audit, Brakes(engine)),
            reviewing=Reviewing(observing, settings.home / "reports"),
        )


@contextmanager
def embeddings(settings: Settings) -> Iterator[Embeddings | None]:
    """The endpoint of vectors, when one is set."""
    if not settings.embeddings:
        yield None
        return
    from openai import OpenAI

    with OpenAI(
        api_key=settings.embeddings_key.get_secret_value() or "none",
        base_url=settings.embeddings_url or None,
        max_retries=0,
        timeout=timedelta(minutes=2).total_seconds(),
    ) as client:
        yield Embeddings(client, settings.embeddings)


def post(settings: Settings) -> Post | None:
    """The mail server, when one is set."""
    if not settings.smtp:
        return None
    if not settings.smtp_from:
        raise BadSettings("CASEWORK_SMTP_FROM: the address that replies come from is missing")
    url = urlsplit(settings.smtp)
    tls = url.scheme == "smtps"
    account = (unquote(url.username or ""), unquote(url.password or ""))
    return Post(url.hostname or "", url.port or (465 if tls else 587), settings.smtp_from, *account, tls=tls)


def classifiers(settings: Settings) -> Classifiers:
    return Classifiers(settings.model_folder, settings.charters)


CODE_KEY_BYTES = 32


def code_key(settings: Settings) -> bytes:
    """The key of codes: the setting's, or one made for this home, where a single machine needs no more."""
    if key := settings.code_key.get_secret_value():
        if len(key) < CODE_KEY_BYTES:
            raise BadSettings(f"CASEWORK_CODE_KEY: at least {CODE_KEY_BYTES} characters, else codes can be guessed")
        return key.encode()
    path = settings.home / "code.key"
    if not path.exists():
        _make_code_key(path)
    kept = path.read_bytes()
    if len(kept) != CODE_KEY_BYTES:
        raise BadSettings(f"{path} holds no whole key: remove it, and codes that were sent are good no more")
    return kept


def _make_code_key(path: Path) -> None:
    """Write it aside and link it, so that of several that start at once one makes it, whole, and all read it."""
    aside = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(os.urandom(CODE_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def readers(settings: Settings, parsers: Parsers | None = None) -> Iterator[Readers]:
    """What reads documents, alone: for measuring it needs neither a database nor Temporal."""
    with ExitStack() as stack:
        parsers = parsers or stack.enter_context(Parsers(ocr=settings.ocr))
        yield Readers(parsers, stack.enter_context(endpoints(models(settings))))


def activities_of(parts: Parts) -> list[Callable[..., object]]:
    """What a worker offers to workflows on the queue of their cases."""
    return [
        parts.documents.ingest,
        parts.model.read_invoice,
        parts.model.read_contract,
        parts.rules.check_invoice,
        parts.contract_rules.check_contract,
        parts.documents.ingest_message,
        parts.requests.read,
        parts.request_rules.check_request,
        parts.replies.send,
        parts.threads.newer,
        parts.crm.apply,
        parts.reconciler.compare,
        parts.cases.waiting,
        parts.cases.close,
        parts.audit.acts,
        parts.notices.give_up,
        parts.directory.open,
        parts.directory.recheck,
        parts.directory.check_codes,
        parts.watching.act,
        parts.reviewing.write,
    ]


def readings_of(parts: Parts) -> list[Callable[..., object]]:
    """What it offers on the queue of each endpoint."""
    return [parts.model.read_invoice, parts.model.read_contract, parts.requests.read]


def notices_of(parts: Parts) -> list[Callable[..., object]]:
    """What it offers on the queue of notices."""
    return [parts.notices.send]


@asynccontextmanager
async def build_worker(
    client: Client, task_queue: str, parts: Parts, *, cached_cases: int = 1000, rehearsal: bool = False, build: str = ""
) -> AsyncIterator[None]:
    """Work on cases, on what endpoints are asked and on notices, while inside; of a named build, once it is current.

    Tests rehearse: every step is replayed, and a step that replays differently fails the run.
    """
    try:
        parts.notices.addresses.check()
    except BadAddresses as error:
        raise BadSettings(f"CASEWORK_NOTICES: {error}") from None
    await asyncio.to_thread(check_crm, parts.crm.port)
    deployment = _deployment(task_queue, build)
    cases = Worker(
        client,
        task_queue=task_queue,
        activities=activities_of(parts),
        interceptors=[Heartbeats()],
        # Room for both kinds: a local step that waits for a thread holds up the task of its case.
        activity_executor=ThreadPoolExecutor(2 * THREADS),
        max_concurrent_activities=THREADS,
        max_concurrent_local_activities=THREADS,
        max_cached_workflows=0 if rehearsal else cached_cases,
        workflow_failure_exception_types=[NondeterminismError] if rehearsal else [],
        deployment_config=deployment,
        graceful_shutdown_timeout=timedelta(seconds=30),
        # Every beat is sent: by default they are held back until little is left of the timeout they keep from passing.
        max_heartbeat_throttle_interval=timedelta(seconds=1),
    )
    # On threads of their own: mail servers that do not answer must not hold up the steps of cases.
    notices = Worker(
        client,
        task_queue=notices_queue(task_queue),
        activities=notices_of(parts),
        activity_executor=ThreadPoolExecutor(NOTICES),
        max_concurrent_activities=NOTICES,
        deployment_config=deployment,
        graceful_shutdown_timeout=timedelta(seconds=30),
        max_heartbeat_throttle_interval=timedelta(seconds=1),
    )
    async with AsyncExitStack() as stack:
        for worker in (*(_asking(client, task_queue, parts, one, deployment) for one in parts.models), cases, notices):
            await stack.enter_async_context(worker)
        yield


def _deployment(task_queue: str, build: str) -> WorkerDeploymentConfig | None:
    """Open cases go over to whichever build is current: one that stayed with its own would wait for it for ever."""
    if not build:
        return None
    version = WorkerDeploymentVersion(deployment_name=task_queue, build_id=build)
    return WorkerDeploymentConfig(version, True, VersioningBehavior.AUTO_UPGRADE)


def _asking(
    client: Client, task_queue: str, parts: Parts, model: ModelSettings, deployment: WorkerDeploymentConfig | None
) -> Worker:
    """One endpoint's queue: its rate is kept by the server, so all workers share it."""
    return Worker(
        client,
        task_queue=endpoint_queue(task_queue, model.name),
        activities=readings_of(parts),
        interceptors=[Heartbeats()],
        activity_executor=ThreadPoolExecutor(model.at_once),
        max_concurrent_activities=model.at_once,
        max_task_queue_activities_per_second=model.requests_per_minute / 60 if model.requests_per_minute else None,
        deployment_config=deployment,
        graceful_shutdown_timeout=timedelta(seconds=30),
        max_heartbeat_throttle_interval=timedelta(seconds=1),
    )
