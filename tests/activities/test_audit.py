"""The audit on a real database: chains hold under contention and crashes, and tampering is named."""

import os
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from threading import Barrier

import pytest
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit, append
from activities.cases import Cases
from activities.crm import Crm
from activities.crms.embedded import EmbeddedCrm
from activities.crms.port import Written
from activities.erasure import Eraser
from activities.store import Blobs, reading, writing
from schemas.approval import Act, ActsRequest, Reply
from schemas.audit import Fault, Head
from schemas.case import ApplyRequest, Closing, Outcome, Record, View
from schemas.tables import AuditEntry, AuditHead, CaseKey
from tests.activities.conftest import Freeze
from tests.crms import Through
from tests.databases import both_databases
from workers.database import connect_database

pytestmark = both_databases
SECRET = "Morgentau Glaserei, IBAN DE86370400440532014800"


def tamper(engine: Engine, *statements: str) -> None:
    """What somebody with all rights on the database could do."""
    sqlite = ("DROP TRIGGER audit_entries_no_update", "DROP TRIGGER audit_entries_no_delete")
    postgresql = ("ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_no_change",)
    with engine.begin() as connection:
        for statement in (postgresql if engine.dialect.name == "postgresql" else sqlite) + statements:
            connection.execute(text(statement))


def problems(faults: list[Fault]) -> list[tuple[int, str]]:
    return [(fault.seq, fault.problem) for fault in faults]


@pytest.fixture
def head(audit: Audit, case: str) -> Head:
    """The head of a chain of four entries, the starter's among them."""
    for seq in (2, 3):
        audit.record(case, "model.read", {"entry": seq})
    return audit.record(case, "crm.ended", {"entry": 4})


class DyingCrm(Through):
    """A CRM whose answer never comes: our process is gone once the record stands."""

    def upsert(self, record: Record) -> Written:
        self.crm.upsert(record)
        os._exit(9)


def apply_and_die(database: str, blobs: str, request: ApplyRequest) -> None:
    engine = connect_database(database)
    crm = Crm(DyingCrm(EmbeddedCrm(engine)), Blobs(LocalFileSystem(), blobs), engine)
    ActivityEnvironment().run(crm.apply, request)


def test_two_appending_at_once_leave_one_chain_without_gaps(case: str, database_url: str, audit: Audit) -> None:
    engines = [connect_database(database_url) for _ in range(2)]
    start = Barrier(len(engines))

    def append_many(engine: Engine) -> None:
        start.wait()
        for number in range(25):
            Audit(engine).record(case, "model.read", {"number": number})

    with ThreadPoolExecutor() as pool:
        list(pool.map(append_many, engines))

    assert [link.seq for link, _ in audit.entries(case)] == list(range(1, 52))
    assert audit.verify(case) == []
    for engine in engines:
        engine.dispose()


def test_chain_that_several_begin_at_once_is_one(audit: Audit) -> None:
    start = Barrier(4)

    def begin(number: int) -> int:
        start.wait(10)
        with writing(audit.engine) as session:
            return append(session, "invoice-intake/new", "model.read", {"number": number}).seq

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(begin, range(4))) == [1, 2, 3, 4]


def test_chain_that_grows_while_it_is_read_is_seen_as_of_one_moment(audit: Audit, case: str) -> None:
    with reading(audit.engine) as session:
        entries = len(session.exec(select(AuditEntry)).all())
        audit.record(case, "model.read", {})
        head = session.get_one(AuditHead, case)

    assert (entries, head.seq) == (1, 1)


def test_entry_is_undone_with_the_transaction_it_stands_in(audit: Audit, case: str) -> None:
    def append_and_fail() -> None:
        with writing(audit.engine) as session:
            append(session, case, "crm.ended", {})
            raise ConnectionError

    with pytest.raises(ConnectionError):
        append_and_fail()

    assert [link.kind for link, _ in audit.entries(case)] == ["case.started"]
    assert audit.verify(case) == []


def test_worker_killed_between_begun_and_ended_leaves_a_chain_that_verifies(
    audit: Audit, case: str, blobs: Blobs, database_url: str, freeze: Freeze
) -> None:
    worker = get_context("spawn").Process(target=apply_and_die, args=(database_url, blobs.root, freeze()), daemon=True)
    worker.start()
    worker.join(30)

    assert worker.exitcode == 9
    assert [link.kind for link, _ in audit.entries(case)] == ["case.started", "crm.begun"]
    assert audit.verify(case) == []


def test_retry_after_a_worker_was_killed_gives_one_record(
    audit: Audit, case: str, blobs: Blobs, engine: Engine, database_url: str, freeze: Freeze
) -> None:
    request = freeze()
    worker = get_context("spawn").Process(target=apply_and_die, args=(database_url, blobs.root, request), daemon=True)
    worker.start()
    worker.join(30)
    crm = Crm(EmbeddedCrm(engine), blobs, engine)

    ActivityEnvironment().run(crm.apply, request)

    assert [crm.port.find(kind, {}) for kind in ("party", "invoice")] == [["party:DE913604529"], [f"{case}:apply"]]
    assert [link.kind for link, _ in audit.entries(case)][1:] == ["crm.begun", "crm.begun", "crm.ended"]
    assert audit.verify(case) == []


def test_what_people_did_is_recorded_in_the_order_it_was_heard(audit: Audit, case: str) -> None:
    no = Reply(accepted=False, reason="nothing is called 'aprove'")
    acts = (Act(kind="misspelt", channel="signal", reply=no), Act(kind="unreadable", channel="update", reply=no))

    head = ActivityEnvironment().run(audit.acts, ActsRequest(case=case, acts=acts))

    kinds = [link.kind for link, _ in audit.entries(case)]
    assert (kinds, head.seq) == (["case.started", "person.misspelt", "person.unreadable"], 3)


def test_recorded_body_is_read_back(audit: Audit, case: str) -> None:
    audit.record(case, "model.read", {"supplier": SECRET, "tokens": 12})

    assert audit.entries(case)[-1][1] == {"supplier": SECRET, "tokens": 12}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET kind = 'x'",
        "DELETE FROM audit_entries",
        "INSERT INTO audit_entries SELECT * FROM audit_entries WHERE true ON CONFLICT (id) DO UPDATE SET kind = 'x'",
    ],
)
def test_database_refuses_to_change_and_to_delete_entries(head: Head, engine: Engine, statement: str) -> None:
    with engine.connect() as connection:  # noqa: SIM117
        with pytest.raises(IntegrityError, match="audit entries are only ever appended"):
            connection.execute(text(statement))


def test_no_trick_of_either_database_replaces_entries(audit: Audit, case: str, head: Head) -> None:
    postgresql = audit.engine.dialect.name == "postgresql"
    trick = "TRUNCATE audit_entries" if postgresql else "REPLACE INTO audit_entries SELECT * FROM audit_entries"

    with audit.engine.connect() as connection, pytest.raises(IntegrityError, match="only ever appended"):
        connection.execute(text(trick))


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'person.decision'",
        "at = '2020-01-01T00:00:00+00:00'",
        "sealed = (SELECT key FROM case_keys)",
        "id = 'another'",
    ],
)
def test_edited_entry_is_named(audit: Audit, case: str, head: Head, engine: Engine, change: str) -> None:
    tamper(engine, f"UPDATE audit_entries SET {change} WHERE seq = 3")

    assert problems(audit.verify(case)) == [(3, "was edited")]


def test_case_that_no_starter_entered_is_named(audit: Audit, engine: Engine, blobs: Blobs) -> None:
    stray = "contract-approval/of-nobody"
    Cases(engine, blobs).close(Closing(case=stray, outcome=Outcome(status="rejected"), view=View()))

    assert problems(audit.verify(stray)) == [(1, "is no start: no starter of ours entered this case or its policy")]


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_removed_entry_is_named(audit: Audit, case: str, head: Head, engine: Engine, seq: int) -> None:
    tamper(engine, f"DELETE FROM audit_entries WHERE seq = {seq}")

    assert problems(audit.verify(case)) == [(seq, "is missing")]


def test_cut_tail_is_named(audit: Audit, case: str, head: Head, engine: Engine) -> None:
    tamper(engine, "DELETE FROM audit_entries WHERE seq > 2")

    assert problems(audit.verify(case)) == [(4, "was cut off: the chain ends at 2")]


def test_cut_tail_is_named_by_the_outcomes_head_though_the_table_of_heads_was_cut_too(
    audit: Audit, case: str, head: Head, engine: Engine
) -> None:
    tamper(
        engine,
        "DELETE FROM audit_entries WHERE seq > 2",
        "UPDATE audit_heads SET seq = 2, digest = (SELECT digest FROM audit_entries WHERE seq = 2)",
    )

    assert problems(audit.verify(case, [head])) == [(4, "was cut off: the chain ends at 2")]


def test_swapped_entries_are_named(audit: Audit, case: str, head: Head, engine: Engine) -> None:
    tamper(
        engine,
        "UPDATE audit_entries SET seq = 9 WHERE seq = 2",
        "UPDATE audit_entries SET seq = 2 WHERE seq = 3",
        "UPDATE audit_entries SET seq = 3 WHERE seq = 9",
    )

    assert {(2, "was edited"), (3, "was edited")} <= set(problems(audit.verify(case)))


def test_case_whose_entries_are_all_gone_is_named(audit: Audit, case: str, engine: Engine) -> None:
    tamper(engine, "DELETE FROM audit_entries", "DELETE FROM audit_heads")

    assert problems(audit.verify(case)) == [(1, "is missing, with the whole chain")]


def test_case_removed_from_the_table_of_cases_is_named(audit: Audit, case: str, engine: Engine) -> None:
    tamper(engine, "DELETE FROM cases")

    assert problems(audit.verify(case)) == [(1, "the case was removed from the table of cases")]


def test_case_that_only_the_audit_knows_is_still_among_the_cases(audit: Audit, case: str, engine: Engine) -> None:
    tamper(engine, "DELETE FROM cases")

    assert audit.cases() == [case]


@pytest.fixture
def erased(audit: Audit, blobs: Blobs, case: str, head: Head) -> None:
    Eraser(audit, blobs).erase(case, "privacy", "asked for by the supplier")


def test_erased_case_can_no_longer_be_read_and_neither_can_what_comes_after(
    audit: Audit, case: str, erased: None
) -> None:
    last = audit.record(case, "person.decision", {"supplier": SECRET})

    assert [body for _, body in audit.entries(case)] == [None] * 6
    assert (audit.erased(case), audit.erased("invoice-intake/another")) == (True, False)
    assert audit.verify(case, [last]) == []


def test_erased_case_still_verifies(audit: Audit, case: str, head: Head, erased: None) -> None:
    assert [fault for name in audit.cases() for fault in audit.verify(name, [head] if name == case else [])] == []


def test_who_had_a_case_erased_and_why_is_still_read(audit: Audit, case: str, erased: None) -> None:
    assert audit.why_erased(case) == {"case": case, "by": "privacy", "why": "asked for by the supplier"}


def test_body_moved_to_another_entry_is_not_read_as_that_entrys(audit: Audit, case: str, engine: Engine) -> None:
    audit.record(case, "person.decision", {"verdict": "approve"})
    tamper(engine, "UPDATE audit_entries SET sealed = (SELECT sealed FROM audit_entries WHERE seq = 2) WHERE seq = 1")

    assert audit.entries(case)[0][1] is None


def test_each_case_has_a_key_of_its_own(audit: Audit, case: str) -> None:
    audit.record("invoice-intake/another", "model.read", {})

    with writing(audit.engine) as session:
        keys = [session.get_one(CaseKey, name).key for name in (case, "invoice-intake/another")]

    assert keys[0] != keys[1]
