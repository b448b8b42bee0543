"""A parser process: one request after another from stdin, one answer each to stdout, until the worker is gone."""

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

import psutil
from pydantic import BaseModel

from activities.parsing import contracts, einvoice, official, reader, sniff, wire
from schemas.finding import Findings
from schemas.source import Ingested, IntakeLimits

_WATCH_SECONDS = 0.05


def main(memory_mb: int) -> None:
    """Serve. An unforeseen exception ends the process: what a document did to it is not to be trusted further."""
    requests, answers = sys.stdin.buffer, _private_stdout()
    os.nice(5)  # the worker's clock goes before any document
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    threading.Thread(target=_watch, args=(memory_mb * 1_000_000, os.getppid()), daemon=True).start()
    while (header := wire.receive(requests)) is not None:
        body = wire.receive(requests) or b""
        wire.send(answers, answer(json.loads(header), body).model_dump_json().encode())


def answer(request: dict[str, str], body: bytes) -> BaseModel:
    """What one operation says of some bytes."""
    options = dict(request)
    return OPERATIONS[options.pop("op")](body, **options)


def prepare_scan(_: bytes) -> Findings:
    from activities.parsing import scan  # heavy, and an extra

    scan.engine()
    return Findings()


def ingest_scan(body: bytes, limits: str) -> Ingested:
    from activities.parsing import scan

    return scan.ingest(body, IntakeLimits.model_validate_json(limits))


OPERATIONS: dict[str, Callable[..., BaseModel]] = {
    "ingest": lambda body, limits: sniff.ingest(body, IntakeLimits.model_validate_json(limits)),
    "prepare_scan": prepare_scan,
    "ingest_scan": ingest_scan,
    "ingest_text": lambda body: sniff.ingest_text(body.decode()),
    "read_einvoice": einvoice.read,
    "check_einvoice": lambda body: Findings(findings=tuple(official.check(body))),
    "read_text": lambda body: reader.read(json.loads(body)),
    "read_contract": lambda body: contracts.read(json.loads(body)),
}


def _private_stdout() -> BinaryIO:
    """The pipe to the worker, out of reach of libraries that print."""
    pipe = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), 1)
    return pipe


def _watch(limit: int, parent: int) -> None:
    """Resident memory is watched, for RLIMIT_AS counts address space, of which some libraries reserve gigabytes."""
    process = psutil.Process()
    while os.getppid() == parent:
        if process.memory_info().rss > limit:
            os._exit(wire.OUT_OF_MEMORY)
        time.sleep(_WATCH_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
