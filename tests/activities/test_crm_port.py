"""The port: what every CRM behind it does alike, as counted on its own side."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import JsonValue
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from activities.crms.embedded import TABLES, EmbeddedCrm
from activities.crms.port import CrmPort, Invalid
from schemas.case import Record
from tests.crms import Side
from tests.hubspot import answering
from tests.tryton import running
from workers.database import connect_database

SUPPLIER = "party:DE913604529"
INVOICE: dict[str, JsonValue] = {
    "number": "RE-2026-0117",
    "issue_date": "2026-01-19",
    "currency": "EUR",
    "net_amount": "100.00",
    "tax_amount": "19.00",
    "gross_amount": "119.00",
    "lines": [{"text": "paper", "amount": "100.00"}],
}


@pytest.fixture(params=["sqlite", "postgresql", "tryton", "hubspot"])
def side(request: pytest.FixtureRequest) -> Side:
    side: Side = request.getfixturevalue(f"{request.param}_side")
    return side


@pytest.fixture
def sqlite_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    yield from embedded(f"sqlite:///{tmp_path_factory.mktemp('crm') / 'crm.db'}")


@pytest.fixture
def postgresql_side(request: pytest.FixtureRequest) -> Iterator[Side]:
    yield from embedded(request.getfixturevalue("postgres").fresh())


@pytest.fixture
def tryton_side(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    with running(tmp_path_factory.mktemp("tryton")) as tryton, tryton.port() as port:
        yield Side(port, tryton.count)


@pytest.fixture
def hubspot_side() -> Iterator[Side]:
    with answering() as hubspot, hubspot.port() as port:
        yield Side(port, hubspot.count)


def embedded(url: str) -> Iterator[Side]:
    engine: Engine = connect_database(url)

    def count(kind: str) -> int:
        with Session(engine) as session:
            return session.exec(select(func.count(col(TABLES[kind].id)))).one()

    yield Side(EmbeddedCrm(engine), count)
    engine.dispose()


def party(**values: str) -> Record:
    return Record(kind="party", ref=SUPPLIER, values={"name": "Northwind Paper GmbH", **values})


def invoice(ref: str = "invoice-intake/1:apply", party: str = SUPPLIER, **values: JsonValue) -> Record:
    return Record(kind="invoice", ref=ref, values={**INVOICE, **values}, links={"party": party})


def activity(about: str = "invoice-intake/1:apply") -> Record:
    return Record(kind="activity", ref=f"{about}:note", values={"text": "taken in"}, links={"invoice": about})


def contract() -> Record:
    values: dict[str, JsonValue] = {
        "ours": "Example AG",
        "start_date": "2026-02-01",
        "end_date": None,
        "term": "P1Y",
        "value": "12000.00",
        "currency": "EUR",
        "clauses": [{"kind": "exclusivity", "quote": "only from us"}],
    }
    return Record(kind="contract", ref="contract-approval/1:apply", values=values, links={"party": SUPPLIER})


def ticket() -> Record:
    values: dict[str, JsonValue] = {
        "subject": "Where is HL-55012?",
        "category": "order_status",
        "priority": "high",
        "language": None,
        "details": {"order": "HL-55012"},
    }
    return Record(kind="ticket", ref="request-triage/1:apply", values=values, links={"party": SUPPLIER})


def test_record_that_is_not_there_is_created(side: Side) -> None:
    assert side.port.upsert(party()).created
    assert side.count("party") == 1


def test_record_that_is_written_again_is_the_same_record(side: Side) -> None:
    first = side.port.upsert(party())

    again = side.port.upsert(party())

    assert (again.record, again.created) == (first.record, False)
    assert side.count("party") == 1


def test_draft_written_twice_is_one_record_of_each_kind(side: Side) -> None:
    for record in (party(), invoice(), activity(), party(), invoice(), activity()):
        side.port.upsert(record)

    assert [side.count(kind) for kind in ("party", "invoice", "activity")] == [1, 1, 1]


def test_what_was_written_is_what_is_read(side: Side) -> None:
    side.port.upsert(party(vat_id="DE913604529", iban="DE02120300000000202051"))
    side.port.upsert(invoice())

    known, booked = side.port.read("party", SUPPLIER), side.port.read("invoice", "invoice-intake/1:apply")

    assert known is not None
    assert booked is not None
    told = ("DE913604529", "DE02120300000000202051", "Northwind Paper GmbH")
    assert (known["vat_id"], known["iban"], known["name"]) == told
    assert {name: booked[name] for name in INVOICE} == INVOICE
    assert booked["party"] == SUPPLIER


@pytest.mark.parametrize("record", [contract(), ticket()], ids=["contract", "ticket"])
def test_record_is_read_as_it_was_written(side: Side, record: Record) -> None:
    side.port.upsert(party())
    side.port.upsert(record)
    note = Record(kind="activity", ref=f"{record.ref}:note", values={"text": "filed"}, links={record.kind: record.ref})
    side.port.upsert(note)

    there = side.port.read(record.kind, record.ref)

    assert there is not None
    assert {name: there[name] for name in record.values} == record.values
    assert side.port.find("activity", {record.kind: record.ref}) == [note.ref]


def test_values_that_are_written_again_are_the_last_ones(side: Side) -> None:
    for gross in ("119.00", "120.00"):
        side.port.upsert(party())
        side.port.upsert(invoice(gross_amount=gross, tax_amount=f"{float(gross) - 100:.2f}"))

    booked = side.port.read("invoice", invoice().ref)

    assert booked is not None
    assert booked["gross_amount"] == "120.00"


def test_value_that_is_not_told_stays_as_it_is_there(side: Side) -> None:
    side.port.upsert(party(iban="DE02120300000000202051"))
    side.port.upsert(party(vat_id="DE913604529"))

    known = side.port.read("party", SUPPLIER)

    assert known is not None
    assert known["iban"] == "DE02120300000000202051"


def test_record_is_found_by_its_values(side: Side) -> None:
    side.port.upsert(party())
    side.port.upsert(invoice("a:apply"))
    side.port.upsert(invoice("b:apply", number="RE-2026-0118"))

    assert side.port.find("party", {"name": "Northwind Paper GmbH"}) == [SUPPLIER]
    assert side.port.find("invoice", {"party": SUPPLIER, "number": "RE-2026-0118"}) == ["b:apply"]


def test_receipt_without_a_number_is_found_by_its_day_and_sum(side: Side) -> None:
    side.port.upsert(party())
    side.port.upsert(invoice(number=None))

    same = {"party": SUPPLIER, "issue_date": "2026-01-19", "gross_amount": "119.00"}
    assert side.port.find("invoice", same) == [invoice().ref]
    assert side.port.find("invoice", {**same, "gross_amount": "119.01"}) == []


def test_what_is_not_there_is_neither_found_nor_read(side: Side) -> None:
    assert side.port.find("invoice", {"party": "party:NOBODY", "number": "1"}) == []
    assert side.port.read("party", "party:NOBODY") is None


def test_link_to_what_is_not_there_is_refused_and_leaves_nothing(side: Side) -> None:
    with pytest.raises(Invalid):
        side.port.upsert(invoice(party="party:NOBODY"))

    assert side.count("invoice") == 0


def test_text_that_looks_like_a_query_is_text(side: Side) -> None:
    name = """O'Brien & "Sons" % _ = <script> ; -- Ü"""
    side.port.upsert(party(name=name))

    assert side.port.find("party", {"name": name}) == [SUPPLIER]
    assert side.port.find("party", {"name": "O'Brien%"}) == []


def test_writers_of_one_reference_at_once_make_one_record(side: Side) -> None:
    def write(port: CrmPort, record: Record) -> str:
        return port.upsert(record).record

    with ThreadPoolExecutor(4) as pool:
        written = set(pool.map(write, [side.port] * 8, [party()] * 8))

    assert side.count("party") == 1
    assert len(written) == 1


def test_writers_of_several_references_at_once_are_all_heard(side: Side) -> None:
    records = [Record(kind="party", ref=f"party:{number}", values={"name": f"No. {number}"}) for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        written = set(pool.map(side.port.upsert, records))

    assert side.count("party") == len(written) == len(records)


def test_description_names_a_place_for_every_value_and_finds_no_fault(side: Side) -> None:
    described = side.port.describe()

    assert described.faults == ()
    for record in (party(vat_id="x", iban="x"), invoice(), activity(), contract(), ticket()):
        assert set(described.kinds[record.kind]) >= {*record.values, *record.links}
