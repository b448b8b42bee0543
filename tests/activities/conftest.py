"""What tests of activities share: a real database, a real blob store, and a case with a draft to write."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Engine

from activities.audit import Audit
from activities.cases import Cases
from activities.store import Blobs
from schemas.case import ApplyRequest, Draft, Record
from schemas.message import digest_of
from schemas.source import Source
from workers.database import connect_database

Freeze = Callable[..., ApplyRequest]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(LocalFileSystem(), str(tmp_path / "blobs"))


@pytest.fixture
def audit(engine: Engine) -> Audit:
    return Audit(engine)


@pytest.fixture
def source(blobs: Blobs) -> Source:
    data = b"%PDF an invoice"
    return Source(digest=blobs.put(data), name="invoice.pdf", size=len(data))


@pytest.fixture
def case(engine: Engine, blobs: Blobs, source: Source) -> str:
    """A case as a starter enters it: its row, and the first entry of its chain."""
    case = f"invoice-intake/{source.digest}"
    Cases(engine, blobs).open(case, source, "tester")
    return case


@pytest.fixture
def freeze(blobs: Blobs, case: str) -> Freeze:
    """Freeze a draft of the case, and give the request that applies it."""

    def freeze(gross: str = "119.00") -> ApplyRequest:
        supplier, invoice = "party:DE913604529", f"{case}:apply"
        values = {
            "number": "RE-2026-0117",
            "issue_date": "2026-01-19",
            "currency": "EUR",
            "net_amount": "100.00",
            "tax_amount": "19.00",
            "gross_amount": gross,
        }
        draft = Draft(
            case=case,
            source=digest_of(b"%PDF an invoice"),
            main=invoice,
            records=(
                Record(kind="party", ref=supplier, values={"name": "Northwind Paper GmbH"}),
                Record(kind="invoice", ref=invoice, values=values, links={"party": supplier}),
                Record(kind="activity", ref=f"{case}:note", values={"text": "taken in"}, links={"invoice": invoice}),
            ),
        )
        return ApplyRequest(case=case, draft=blobs.put(draft.model_dump_json().encode()))

    return freeze
