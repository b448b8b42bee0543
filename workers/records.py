"""Our own records: cases, their audit and their blobs, without anything that reads, writes or runs elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import fsspec
from sqlalchemy import Engine

from activities.audit import Audit
from activities.cases import Cases
from activities.store import Blobs
from workers.database import connect_database
from workers.settings import Settings


@dataclass(frozen=True)
class Records:
    """What commands that only look need; it costs a third of what all parts cost."""

    engine: Engine
    blobs: Blobs
    audit: Audit
    cases: Cases


@contextmanager
def opened(settings: Settings) -> Iterator[Records]:
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds documents, and the keys of the audit
    engine = connect_database(settings.database)
    try:
        blobs = blobs_of(settings)
        yield Records(engine=engine, blobs=blobs, audit=Audit(engine), cases=Cases(engine, blobs))
    finally:
        engine.dispose()


def blobs_of(settings: Settings) -> Blobs:
    """The blob store alone: it needs no database."""
    files, root = fsspec.url_to_fs(settings.blobs)
    return Blobs(files, root)
