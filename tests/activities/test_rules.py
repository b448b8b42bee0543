"""The rules: each thing that can be wrong with an invoice, and the draft that is frozen from it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from decimal import Decimal
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.audit import Audit
from activities.crm import Crm
from activities.crms.embedded import EmbeddedCrm
from activities.rules import Rules, invoice_findings
from activities.store import Blobs, writing
from schemas.case import ApplyRequest, Checked, Draft, Record
from schemas.invoice import FIELDS, REQUIRED, InvoiceCheck
from schemas.message import digest_of
from schemas.policy import ApprovalPolicy, InvoicePolicy
from schemas.proposal import Field, Proposal
from schemas.routing import Brake
from schemas.source import Document, Source, Verdict
from schemas.tables import BrakeRow
from tests.databases import both_databases

TODAY = date(2026, 6, 1)
POLICY = InvoicePolicy(
    auto_limits={"EUR": Decimal(5000), "CHF": Decimal("0.30")},
    approval=ApprovalPolicy(approvers=("ap-clerk",), owner="finance-lead"),
)
CLEAN = {
    "supplier": "Northwind Paper GmbH",
    "invoice_number": "RE-2026-0117",
    "issue_date": "2026-05-29",
    "currency": "EUR",
    "net_amount": "100.00",
    "tax_amount": "19.00",
    "gross_amount": "119.00",
    "supplier_vat_id": "DE136695976",
    "iban": "DE89370400440532013000",
}

OTHER_IBAN = "DE75512108001245126199"


def proposal(**changes: str | None) -> Proposal:
    values = CLEAN | changes
    return Proposal(rung="embedded-xml", fields={name: Field(value=value) for name, value in values.items()})


def amounts(net: str, tax: str, gross: str) -> dict[str, str]:
    return {"net_amount": net, "tax_amount": tax, "gross_amount": gross}


def found(**changes: str | None) -> list[tuple[str, str, str]]:
    findings = invoice_findings(proposal(**changes), POLICY, TODAY)
    return [(finding.code, finding.severity, finding.field) for finding in findings]


def test_clean_invoice_has_no_findings() -> None:
    assert found() == []


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_missing_required_field_blocks(name: str, value: str | None) -> None:
    assert ("field.missing", "block", name) in found(**{name: value})


@pytest.mark.parametrize("name", sorted(set(FIELDS) - set(REQUIRED)))
def test_missing_optional_field_is_no_finding(name: str) -> None:
    assert found(**{name: None}) == []


def test_empty_proposal_misses_every_required_field() -> None:
    findings = invoice_findings(Proposal(rung="person"), POLICY, TODAY)

    assert [(finding.code, finding.field) for finding in findings] == [("field.missing", name) for name in REQUIRED]


@pytest.mark.parametrize("name", ["supplier", "invoice_number"])
def test_value_of_endless_length_blocks(name: str) -> None:
    assert found(**{name: "N" * 300}) == []
    assert found(**{name: "N" * 301}) == [("field.too_long", "block", name)]


def test_value_that_can_be_read_in_two_ways_goes_to_a_person_with_both() -> None:
    two_dates = Field(value="2026-04-03", evidence="03/04/2026", alternatives=("2026-03-04",))
    ambiguous = proposal().model_copy(update={"fields": {**proposal().fields, "issue_date": two_dates}})

    findings = list(invoice_findings(ambiguous, POLICY, TODAY))

    assert [(finding.code, finding.severity, finding.field) for finding in findings] == [
        ("field.ambiguous", "review", "issue_date")
    ]
    assert findings[0].message == "'03/04/2026' can be read as 2026-04-03 or 2026-03-04"


@pytest.mark.parametrize("value", ["29.05.2026", "2026-02-30", "2026-5-9", "soon", "2026-05-29T10:00:00"])
def test_what_is_no_date_blocks(value: str) -> None:
    assert found(issue_date=value) == [("date.invalid", "block", "issue_date")]


def test_date_in_the_future_goes_to_a_person() -> None:
    assert found(issue_date="2026-06-03") == [("date.future", "review", "issue_date")]


def test_tomorrow_is_not_the_future_where_the_day_has_begun_already() -> None:
    assert found(issue_date="2026-06-02") == []


def test_date_over_two_years_ago_is_told() -> None:
    assert found(issue_date="2024-05-31") == [("date.old", "warn", "issue_date")]


def test_date_of_another_age_goes_to_a_person() -> None:
    assert found(issue_date="1826-03-27") == [("date.implausible", "review", "issue_date")]


def test_invoice_for_nothing_goes_to_a_person() -> None:
    assert found(**amounts("0.00", "0.00", "0.00")) == [("amount.zero", "review", "gross_amount")]


def test_date_within_two_years_is_no_finding() -> None:
    assert found(issue_date="2024-06-02") == []


@pytest.mark.parametrize("value", ["EURO", "eur", "€", "XYZ"])
def test_unknown_currency_blocks(value: str) -> None:
    assert ("currency.unknown", "block", "currency") in found(currency=value)


@pytest.mark.parametrize("value", ["DE136695977", "FR12345678901", "EL123456789"])
def test_vat_id_with_wrong_check_digits_is_told_not_asked_about(value: str) -> None:
    assert found(supplier_vat_id=value) == [("vat_id.invalid", "warn", "supplier_vat_id")]


@pytest.mark.parametrize("value", ["CHE-116.281.710 MWST", "US 12-3456789"])
def test_vat_id_from_outside_the_union_is_not_judged(value: str) -> None:
    assert found(supplier_vat_id=value) == []


@pytest.mark.parametrize("value", ["DE88370400440532013000", "DE8937040044053201300", "none"])
def test_wrong_iban_is_told_not_asked_about(value: str) -> None:
    assert found(iban=value) == [("iban.invalid", "warn", "iban")]


@pytest.mark.parametrize("name", ["net_amount", "tax_amount", "gross_amount"])
@pytest.mark.parametrize("value", ["1,234.00", "100 EUR", "1e3", "NaN", "Infinity", "0x10", ".5", "1_000", "9" * 16])
def test_what_is_no_plain_decimal_blocks(name: str, value: str) -> None:
    assert found(**{name: value}) == [("amount.invalid", "block", name)]


@pytest.mark.parametrize("gross", ["119.01", "118.99", "-119.00"])
def test_amounts_that_do_not_add_up_block(gross: str) -> None:
    assert ("amounts.disagree", "block", "gross_amount") in found(gross_amount=gross)


@pytest.mark.parametrize(
    ("net", "tax", "gross"),
    [("0.1", "0.2", "0.3"), ("100", "19.0", "119.00"), ("999999999999.99", "0.01", "1000000000000.00")],
)
def test_amounts_are_added_as_decimals(net: str, tax: str, gross: str) -> None:
    assert ("amounts.disagree", "block", "gross_amount") not in found(**amounts(net, tax, gross))


def test_disagreement_is_told_with_all_four_amounts() -> None:
    (finding,) = invoice_findings(proposal(gross_amount="120.00"), POLICY, TODAY)

    assert finding.message == "net 100.00 and tax 19.00 make 119.00, not 120.00"


def test_amount_at_the_limit_needs_no_person() -> None:
    assert found(**amounts("4000.00", "1000.00", "5000.00")) == []


def test_amount_over_the_limit_goes_to_a_person() -> None:
    assert found(**amounts("4000.00", "1000.01", "5000.01")) == [("amount.over_limit", "review", "gross_amount")]


def test_limit_is_that_of_the_currency() -> None:
    assert found(currency="CHF") == [("amount.over_limit", "review", "gross_amount")]


def test_limit_is_compared_as_a_decimal() -> None:
    assert found(currency="CHF", **amounts("0.1", "0.2", "0.3")) == []


def test_currency_without_a_limit_goes_to_a_person() -> None:
    assert found(currency="SEK") == [("amount.no_limit", "review", "currency")]


def test_negative_amount_goes_to_a_person() -> None:
    assert found(**amounts("-100.00", "-19.00", "-119.00")) == [("amount.negative", "review", "gross_amount")]


@pytest.mark.parametrize("kind", ["credit-note", "other"])
def test_what_is_not_an_invoice_goes_to_a_person(kind: str) -> None:
    assert found(document_type=kind) == [("document.not_an_invoice", "review", "document_type")]


def test_invoice_that_says_so_is_no_finding() -> None:
    assert found(document_type="invoice") == []


RECEIPT: dict[str, str | None] = {
    "document_type": "receipt",
    "invoice_number": None,
    "net_amount": None,
    "tax_amount": None,
}


def test_receipt_needs_neither_number_nor_tax() -> None:
    assert found(**RECEIPT) == []


@pytest.mark.parametrize("name", ["supplier", "issue_date", "currency", "gross_amount"])
def test_receipt_needs_all_else(name: str) -> None:
    assert found(**{**RECEIPT, name: None}) == [("field.missing", "block", name)]


STARTS = st.sampled_from(["", "DE", "ES", "FR", "IT", "NL", "2026-", "-", "0"])
WORDS = st.builds(str.__add__, STARTS, st.text(max_size=12) | st.text("0123456789.-BT", max_size=14))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), WORDS))
def test_whatever_was_read_gives_findings_never_an_exception(values: dict[str, str]) -> None:
    read = Proposal(rung="endpoint", fields={name: Field(value=value) for name, value in values.items()})

    findings = list(invoice_findings(read, POLICY, TODAY))

    assert {finding.field for finding in findings} <= set(FIELDS)


@pytest.fixture
def rules(engine: Engine, blobs: Blobs) -> Rules:
    return Rules(engine, blobs, EmbeddedCrm(engine), b"key")


def check(rules: Rules, case: str, *, lines: str | None = None, **changes: str | None) -> Checked:
    document = Document(
        source=Source(digest=digest_of(b""), name="invoice.xml", size=0), format="ubl", verdict=Verdict()
    )
    read = proposal(**changes).model_copy(update={"lines": lines})
    request = InvoiceCheck(process=case.partition("/")[0], case=case, document=document, proposal=read, policy=POLICY)
    return ActivityEnvironment().run(rules.check_invoice, request)


def book(rules: Rules, case: str, **changes: str | None) -> None:
    crm = Crm(rules.crm, rules.blobs, rules.engine)
    ActivityEnvironment().run(crm.apply, ApplyRequest(case=case, draft=check(rules, case, **changes).draft))


def duplicates(checked: Checked) -> list[str]:
    return [finding.message for finding in checked.findings if finding.code == "invoice.duplicate"]


@both_databases
def test_number_already_booked_from_this_supplier_goes_to_a_person(rules: Rules, case: str) -> None:
    book(rules, "invoice-intake/earlier")

    checked = check(rules, case)

    assert duplicates(checked) == [
        "the same number, or day and sum, came from this supplier before, as invoice-intake/earlier:apply"
    ]
    assert [finding.severity for finding in checked.findings if finding.field == "invoice_number"] == ["review"]


def test_number_that_others_booked_under_the_name_of_this_supplier_goes_to_a_person(rules: Rules, case: str) -> None:
    rules.crm.upsert(Record(kind="party", ref="by hand", values={"name": CLEAN["supplier"]}))
    values: dict[str, JsonValue] = {
        name: CLEAN[name] for name in REQUIRED if name not in ("supplier", "invoice_number")
    }
    invoice = values | {"number": CLEAN["invoice_number"], "lines": []}
    rules.crm.upsert(Record(kind="invoice", ref="booked by hand", values=invoice, links={"party": "by hand"}))

    assert len(duplicates(check(rules, case))) == 1


@dataclass(frozen=True)
class Asked(EmbeddedCrm):
    """Remembers what it is asked: elsewhere each question is a call over the network."""

    questions: list[str] = dataclass_field(default_factory=list)

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        self.questions.append(f"find {kind}")
        return super().find(kind, values)

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        self.questions.append(f"read {kind}")
        return super().read(kind, ref)


def test_supplier_that_the_crm_does_not_know_is_not_asked_for_invoices(engine: Engine, blobs: Blobs, case: str) -> None:
    crm = Asked(engine)

    check(Rules(engine, blobs, crm, b"key"), case)

    assert crm.questions == ["find party", "read party", "read party"]


def test_receipt_without_a_number_is_known_again_by_day_and_sum(rules: Rules, case: str) -> None:
    book(rules, "invoice-intake/earlier", **RECEIPT)

    assert len(duplicates(check(rules, case, **RECEIPT))) == 1
    assert duplicates(check(rules, "invoice-intake/other", **RECEIPT, gross_amount="7.00")) == []


def test_wrong_iban_is_not_written(rules: Rules, case: str) -> None:
    draft = Draft.model_validate_json(rules.blobs.get(check(rules, case, iban="DE88370400440532013000").draft))

    assert "iban" not in draft.records[0].values


def test_lines_that_are_gone_are_told_at_once(rules: Rules, case: str) -> None:
    with pytest.raises(ApplicationError, match="gone from the blob store") as failure:
        check(rules, case, lines="f" * 64)

    assert failure.value.non_retryable


@both_databases
def test_number_that_another_case_came_with_goes_to_a_person_though_nothing_is_booked_yet(
    rules: Rules, case: str
) -> None:
    check(rules, "invoice-intake/earlier")

    assert len(duplicates(check(rules, case))) == 1


@both_databases
def test_of_cases_checked_at_once_with_one_number_one_alone_is_the_first(rules: Rules) -> None:
    start = Barrier(4)

    def check_with_others(number: int) -> Checked:
        start.wait(10)
        return check(rules, f"invoice-intake/{number}")

    with ThreadPoolExecutor(4) as pool:
        checked = list(pool.map(check_with_others, range(4)))

    assert sorted(len(duplicates(each)) for each in checked) == [0, 1, 1, 1]


@both_databases
def test_case_checked_again_is_not_its_own_duplicate(rules: Rules, case: str) -> None:
    check(rules, case)

    assert duplicates(check(rules, case)) == []


@both_databases
def test_own_record_is_no_duplicate(rules: Rules, case: str) -> None:
    book(rules, case)

    assert duplicates(check(rules, case)) == []


@both_databases
@pytest.mark.parametrize(
    "change", [{"invoice_number": "RE-2026-0118"}, {"supplier_vat_id": "DE811569869", "supplier": "Southwind"}]
)
def test_other_number_or_other_supplier_is_no_duplicate(rules: Rules, case: str, change: dict[str, str]) -> None:
    book(rules, "invoice-intake/earlier")

    assert duplicates(check(rules, case, **change)) == []


@both_databases
@pytest.mark.parametrize("written", ["northwind paper gmbh", "Northwind-Paper  GmbH."])
def test_supplier_without_vat_id_is_known_by_name_however_it_is_written(rules: Rules, case: str, written: str) -> None:
    book(rules, "invoice-intake/earlier", supplier_vat_id=None)

    assert len(duplicates(check(rules, case, supplier_vat_id=None, supplier=written))) == 1


@both_databases
@pytest.mark.parametrize(
    "written",
    [
        {"supplier_vat_id": "DE 136.695.976"},
        {"supplier_vat_id": None},
        {"supplier": "Northwind", "supplier_vat_id": "de136695976"},
        {"invoice_number": "re 2026/0117"},
    ],
)
def test_duplicate_is_found_however_supplier_and_number_are_written(
    rules: Rules, case: str, written: dict[str, str | None]
) -> None:
    check(rules, "invoice-intake/earlier")

    assert len(duplicates(check(rules, case, **written))) == 1


def test_two_invoices_of_nobody_are_no_duplicates(rules: Rules, case: str) -> None:
    nobody: dict[str, str | None] = {"supplier": None, "supplier_vat_id": None}
    check(rules, "invoice-intake/earlier", **nobody)

    assert duplicates(check(rules, case, **nobody)) == []


@both_databases
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"iban": OTHER_IBAN}, "iban"),
        ({"iban": OTHER_IBAN, "supplier_vat_id": None}, "iban"),
        ({"supplier": "Southwind"}, "supplier"),
    ],
)
def test_known_supplier_with_another_account_or_name_goes_to_a_person(
    rules: Rules, case: str, change: dict[str, str | None], field: str
) -> None:
    book(rules, "invoice-intake/earlier")

    checked = check(rules, case, invoice_number="another", **change)

    assert [(it.code, it.severity, it.field) for it in checked.findings] == [("party.changed", "review", field)]


@both_databases
def test_invoice_without_an_account_leaves_the_known_one_and_spelling_is_no_change(rules: Rules, case: str) -> None:
    book(rules, "invoice-intake/earlier")

    again = {"invoice_number": "another", "supplier": "NORTHWIND PAPER GMBH", "iban": None}
    book(rules, case, **again)

    assert rules.crm.find("party", {"iban": "DE89370400440532013000"}) == ["party:DE136695976"]
    assert check(rules, case, **again).findings == ()


@both_databases
@pytest.mark.parametrize("name", ["supplier", "invoice_number"])
def test_hostile_value_is_a_finding_not_an_error_of_the_database(rules: Rules, case: str, name: str) -> None:
    hostile = "\0" + "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(10_000))

    checked = check(rules, case, supplier_vat_id=None, **{name: hostile})

    assert [(finding.code, finding.field) for finding in checked.findings] == [("field.too_long", name)]


@both_databases
def test_values_just_short_enough_are_booked_once_in_any_script(rules: Rules, case: str) -> None:
    rare = "".join(chr(0x20000 + (number * 7919) % 40_000) for number in range(300))

    for _ in range(2):
        book(rules, case, supplier_vat_id=None, supplier=rare, invoice_number=rare)

    assert rules.crm.find("invoice", {"number": rare}) == [f"{case}:apply"]


@both_databases
def test_draft_is_frozen_as_the_bytes_its_digest_names(rules: Rules, case: str) -> None:
    checked = check(rules, case)

    draft = Draft.model_validate_json(rules.blobs.get(checked.draft))
    invoice = next(record for record in draft.records if record.ref == draft.main)
    assert (draft.case, invoice.kind, invoice.values["gross_amount"]) == (case, "invoice", "119.00")


@both_databases
def test_same_proposal_freezes_the_same_draft(rules: Rules, case: str) -> None:
    assert check(rules, case).draft == check(rules, case).draft


@both_databases
def test_corrected_value_freezes_another_draft(rules: Rules, case: str) -> None:
    assert check(rules, case).draft != check(rules, case, gross_amount="119.01").draft


@both_databases
def test_brake_is_read_from_the_table(rules: Rules, case: str) -> None:
    with writing(rules.engine) as session:
        session.add(BrakeRow(process="invoice-intake", stage_cap="supervised", min_confidence=0.95, reason="drift"))

    assert check(rules, case).brake == Brake(stage_cap="supervised", min_confidence=0.95, reason="drift")


@both_databases
def test_brake_of_another_process_holds_nothing(rules: Rules, case: str) -> None:
    with writing(rules.engine) as session:
        session.add(BrakeRow(process="request-triage", stage_cap="shadow"))

    assert check(rules, case).brake == Brake()


@both_databases
def test_check_is_audited_with_the_draft_and_what_was_found(rules: Rules, case: str) -> None:
    checked = check(rules, case, gross_amount="120.00")

    link, body = Audit(rules.engine).entries(case)[-1]
    assert body is not None
    assert (link.kind, body["draft"], checked.head and checked.head.seq) == ("rules.checked", checked.draft, link.seq)
    assert body["findings"] == [finding.model_dump() for finding in checked.findings]
