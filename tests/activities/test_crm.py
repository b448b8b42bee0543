"""The CRM: however often and however badly a draft is applied, it is one record."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.crm import Crm
from activities.crms.embedded import EmbeddedCrm
from activities.crms.port import Ambiguous, CrmError, Invalid, RateLimited, Unauthorised, Unavailable, Written
from activities.failures import CRM_REFUSED
from activities.store import Blobs
from schemas.case import ApplyRequest, Draft, Receipt, Record
from tests.activities.conftest import Freeze
from tests.crms import Through
from tests.databases import both_databases

pytestmark = both_databases
KINDS = ("party", "invoice", "activity")


@dataclass
class Meeting(Through):
    """A CRM that two attempts reach at the same moment: both have looked for a receipt, and neither found one."""

    barrier: Barrier = field(default_factory=lambda: Barrier(2, timeout=10))

    def upsert(self, record: Record) -> Written:
        if record.kind == KINDS[0]:
            self.barrier.wait()
        return self.crm.upsert(record)


@dataclass
class CutLine(Through):
    """A CRM that writes one record and is cut off before it can say so; afterwards the line holds."""

    cut_at: str

    def upsert(self, record: Record) -> Written:
        written = self.crm.upsert(record)
        if record.kind == self.cut_at:
            self.cut_at = ""
            raise ConnectionResetError
        return written


@dataclass
class Failing(Through):
    """A CRM that fails at records of one kind."""

    at: str
    error: CrmError

    def upsert(self, record: Record) -> Written:
        if record.kind == self.at:
            raise self.error
        return self.crm.upsert(record)


@pytest.fixture
def crm(engine: Engine, blobs: Blobs) -> Crm:
    return Crm(EmbeddedCrm(engine), blobs, engine)


def apply(crm: Crm, request: ApplyRequest) -> Receipt:
    return ActivityEnvironment().run(crm.apply, request)


def told(receipt: Receipt) -> tuple[str, str, str, bool]:
    """A receipt without the head, which says how far the audit has come."""
    return receipt.key, receipt.draft, receipt.record, receipt.created


def counts(crm: Crm) -> list[int]:
    return [len(crm.port.find(kind, {})) for kind in KINDS]


def test_applied_draft_is_what_the_crm_holds(crm: Crm, case: str, freeze: Freeze) -> None:
    apply(crm, freeze(gross="119.00"))

    assert crm.port.find("invoice", {"party": "party:DE913604529", "gross_amount": "119.00"}) == [f"{case}:apply"]


def test_receipt_names_the_key_the_draft_and_the_main_record(crm: Crm, case: str, freeze: Freeze) -> None:
    request = freeze()

    receipt = apply(crm, request)

    assert told(receipt) == (f"{case}:apply", request.draft, "invoice/1", True)


def test_same_key_and_same_draft_give_the_same_receipt(crm: Crm, freeze: Freeze) -> None:
    request = freeze()

    receipts = {told(apply(crm, request)) for _ in range(3)}

    assert len(receipts) == 1
    assert counts(crm) == [1, 1, 1]


def test_repeat_does_not_reach_the_other_side(crm: Crm, blobs: Blobs, freeze: Freeze) -> None:
    request = freeze()
    first = apply(crm, request)
    out_of_reach = Crm(CutLine(crm.port, cut_at="party"), blobs, crm.engine)

    assert told(apply(out_of_reach, request)) == told(first)


def test_same_key_with_another_draft_is_an_update_with_a_receipt_of_its_own(
    crm: Crm, case: str, freeze: Freeze
) -> None:
    first = apply(crm, freeze(gross="119.00"))

    second = apply(crm, freeze(gross="120.00"))

    assert (second.record, second.created, second.draft != first.draft) == (first.record, False, True)
    assert crm.port.find("invoice", {"gross_amount": "120.00"}) == [f"{case}:apply"]


def test_same_key_with_another_draft_is_still_one_invoice(crm: Crm, freeze: Freeze) -> None:
    for gross in ("119.00", "120.00", "121.00"):
        apply(crm, freeze(gross=gross))

    assert counts(crm) == [1, 1, 1]


def test_draft_decided_again_after_another_was_written_is_written_again(crm: Crm, case: str, freeze: Freeze) -> None:
    for gross in ("119.00", "120.00", "119.00"):
        apply(crm, freeze(gross=gross))

    assert crm.port.find("invoice", {"gross_amount": "119.00"}) == [f"{case}:apply"]
    assert counts(crm) == [1, 1, 1]


def test_racing_attempts_make_one_record_of_each_kind(crm: Crm, blobs: Blobs, freeze: Freeze) -> None:
    racing, request = Crm(Meeting(crm.port), blobs, crm.engine), freeze()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(apply, [racing, racing], [request, request]))

    assert counts(crm) == [1, 1, 1]


def test_racing_attempts_get_one_receipt(crm: Crm, blobs: Blobs, freeze: Freeze) -> None:
    racing, request = Crm(Meeting(crm.port), blobs, crm.engine), freeze()

    with ThreadPoolExecutor(2) as pool:
        receipts = {told(receipt) for receipt in pool.map(apply, [racing, racing], [request, request])}

    assert len(receipts) == 1


def test_racing_attempts_leave_a_chain_that_verifies(crm: Crm, blobs: Blobs, case: str, freeze: Freeze) -> None:
    racing, request = Crm(Meeting(crm.port), blobs, crm.engine), freeze()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(apply, [racing, racing], [request, request]))

    kinds = [link.kind for link, _ in Audit(crm.engine).entries(case)]
    assert kinds == ["case.started", "crm.begun", "crm.begun", "crm.ended", "crm.ended"]
    assert Audit(crm.engine).verify(case) == []


@pytest.mark.parametrize("kind", KINDS)
def test_line_cut_after_the_other_side_wrote_makes_one_record_in_the_end(
    crm: Crm, blobs: Blobs, freeze: Freeze, kind: str
) -> None:
    cut, request = Crm(CutLine(crm.port, cut_at=kind), blobs, crm.engine), freeze()
    with pytest.raises(ConnectionResetError):
        apply(cut, request)

    receipt = apply(cut, request)

    assert counts(crm) == [1, 1, 1]
    assert told(apply(cut, request)) == told(receipt)


def test_attempt_that_was_cut_off_leaves_its_begun_entry(crm: Crm, blobs: Blobs, case: str, freeze: Freeze) -> None:
    cut = Crm(CutLine(crm.port, cut_at="invoice"), blobs, crm.engine)

    with pytest.raises(ConnectionResetError):
        apply(cut, freeze())

    assert [link.kind for link, _ in Audit(crm.engine).entries(case)] == ["case.started", "crm.begun"]


def test_repeat_is_audited_as_a_repeat(crm: Crm, case: str, freeze: Freeze) -> None:
    request = freeze()

    for _ in range(2):
        apply(crm, request)

    begun = [body for link, body in Audit(crm.engine).entries(case) if link.kind == "crm.begun" and body]
    assert [body["repeat"] for body in begun] == [False, True]


def test_altered_draft_is_not_applied(crm: Crm, blobs: Blobs, freeze: Freeze) -> None:
    request = freeze(gross="119.00")
    path = Path(blobs.root, request.draft[:2], request.draft)
    path.write_bytes(path.read_bytes().replace(b"119.00", b"919.00"))

    with pytest.raises(ApplicationError) as refused:
        apply(crm, request)

    assert refused.value.non_retryable
    assert counts(crm) == [0, 0, 0]


def test_write_that_fails_half_way_names_no_receipt(crm: Crm, blobs: Blobs, freeze: Freeze) -> None:
    cut, request = Crm(CutLine(crm.port, cut_at="party"), blobs, crm.engine), freeze()
    with pytest.raises(ConnectionResetError):
        apply(cut, request)

    receipt = apply(cut, request)

    assert receipt.record == "invoice/1"


def test_supplier_known_already_is_linked_to_not_doubled(crm: Crm, freeze: Freeze) -> None:
    crm.port.upsert(Record(kind="party", ref="party:DE913604529", values={"name": "Northwind"}))

    apply(crm, freeze())

    assert crm.port.find("party", {}) == ["party:DE913604529"]


@pytest.mark.parametrize("error", [Invalid("similar to invoice 7"), Ambiguous("similar to invoice 7")])
def test_refusal_says_what_the_crm_said_and_what_was_written_before_it(
    crm: Crm, blobs: Blobs, freeze: Freeze, error: CrmError
) -> None:
    failing = Crm(Failing(crm.port, "invoice", error), blobs, crm.engine)

    with pytest.raises(ApplicationError) as refused:
        apply(failing, freeze())

    assert (refused.value.type, refused.value.non_retryable) == (CRM_REFUSED, True)
    (refusal,) = refused.value.details
    assert (refusal.words, refusal.written) == ("similar to invoice 7", ("party/1",))
    assert "similar" not in str(refused.value)


def test_refused_draft_becomes_another_that_says_so(crm: Crm, blobs: Blobs, freeze: Freeze) -> None:
    failing, request = Crm(Failing(crm.port, "party", Invalid("no such bank")), blobs, crm.engine), freeze()

    with pytest.raises(ApplicationError) as refused:
        apply(failing, request)

    was, now = (Draft.model_validate_json(blobs.get(it)) for it in (request.draft, refused.value.details[0].draft))
    assert (now.records, now.refused) == (was.records, ("no such bank",))


@pytest.mark.parametrize(
    ("error", "kind", "delay"),
    [
        (Unavailable("no answer"), "crm.unavailable", None),
        (Unauthorised("not let in"), "crm.unauthorised", None),
        (RateLimited(), "crm.rate_limited", None),
        (RateLimited(timedelta(seconds=90)), "crm.rate_limited", timedelta(seconds=90)),
        (RateLimited(timedelta(days=9)), "crm.rate_limited", timedelta(hours=1)),
    ],
)
def test_what_passes_is_tried_again(
    crm: Crm, blobs: Blobs, freeze: Freeze, error: CrmError, kind: str, delay: timedelta | None
) -> None:
    failing = Crm(Failing(crm.port, "party", error), blobs, crm.engine)

    with pytest.raises(ApplicationError) as failed:
        apply(failing, freeze())

    told = failed.value.type, failed.value.next_retry_delay, failed.value.non_retryable
    assert told == (kind, delay, False)


def test_attempt_that_failed_half_way_is_audited_with_what_it_wrote(
    crm: Crm, blobs: Blobs, case: str, freeze: Freeze
) -> None:
    failing = Crm(Failing(crm.port, "invoice", Unavailable("no answer")), blobs, crm.engine)

    with pytest.raises(ApplicationError):
        apply(failing, freeze())

    link, body = Audit(crm.engine).entries(case)[-1]
    assert body is not None
    written = {"party:DE913604529": {"record": "party/1", "created": True}}
    assert (link.kind, body["error"], body["records"]) == ("crm.failed", "Unavailable", written)
