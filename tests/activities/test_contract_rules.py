"""The rules of contracts: what a person is told, what cannot be written, and what would be."""

import pytest
from sqlalchemy import Engine
from temporalio.testing import ActivityEnvironment

from activities.contract_rules import CLAUSES, ContractRules, contract_findings
from activities.crm import Crm
from activities.crms.embedded import EmbeddedCrm
from activities.store import Blobs, writing
from schemas.case import ApplyRequest, Checked, Draft, Record
from schemas.contract import CLAUSE_KINDS, REQUIRED, ContractCheck
from schemas.policy import ApprovalPolicy, ContractPolicy
from schemas.proposal import Clause, Field, Proposal
from schemas.routing import Brake
from schemas.source import Document, Source, Verdict
from schemas.tables import BrakeRow

POLICY = ContractPolicy(
    ours=("Aldermere Instruments",),
    home_laws=("Germany", "Ireland"),
    approval=ApprovalPolicy(approvers=("legal",), owner="executive"),
)
CLEAN = {
    "first_party": "Aldermere Instruments GmbH",
    "second_party": "Tern Analytics Ltd",
    "start_date": "2026-03-01",
    "end_date": "2028-02-29",
    "term": "P24M",
    "renewal": "automatic",
    "renewal_term": "P12M",
    "notice_period": "P3M",
    "value": "48000.00",
    "currency": "EUR",
    "liability_cap": "100000.00",
    "governing_law": "Ireland",
    "personal_data": "no",
}
PENALTY = Clause(kind="penalty", quote="The Customer shall pay a penalty.", page=2)


def proposal(*clauses: Clause, **changes: str | None) -> Proposal:
    fields = {name: Field(value=value) for name, value in (CLEAN | changes).items()}
    return Proposal(rung="embedded-reader", fields=fields, clauses=clauses)


def found(**changes: str | None) -> list[tuple[str, str, str]]:
    findings = contract_findings(proposal(**changes), POLICY)
    return [(finding.code, finding.severity, finding.field) for finding in findings]


def test_a_clean_contract_has_no_findings() -> None:
    assert found() == []


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_required_field_blocks(name: str) -> None:
    assert ("field.missing", "block", name) in found(**{name: None})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"end_date": "1 March"}, ("date.invalid", "block", "end_date")),
        ({"end_date": "2026-02-01"}, ("dates.disagree", "block", "end_date")),
        ({"term": "P36M"}, ("dates.disagree", "review", "term")),
        ({"notice_period": "3 months"}, ("period.invalid", "block", "notice_period")),
        ({"end_date": None, "term": None}, ("term.open", "review", "end_date")),
        ({"value": "48.000,00"}, ("amount.invalid", "block", "value")),
        ({"currency": None}, ("currency.missing", "block", "currency")),
        ({"currency": "EUX"}, ("currency.unknown", "block", "currency")),
        ({"governing_law": None}, ("law.missing", "review", "governing_law")),
        ({"governing_law": "Delaware"}, ("law.foreign", "review", "governing_law")),
        ({"liability_cap": None}, ("liability.uncapped", "review", "liability_cap")),
        ({"notice_period": None}, ("renewal.no_notice", "review", "notice_period")),
        ({"personal_data": "yes"}, ("personal_data.processed", "info", "personal_data")),
        ({"first_party": "Somebody GmbH"}, ("party.not_ours", "review", "first_party")),
        ({"second_party": "N" * 301}, ("field.too_long", "block", "second_party")),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, str | None], expected: tuple[str, str, str]) -> None:
    assert found(**changes) == [expected]


def test_a_contract_without_any_amount_needs_no_currency() -> None:
    assert found(value=None, currency=None, liability_cap="the fees of a year") == []


def test_words_of_two_readings_go_to_a_person_with_both() -> None:
    two = Field(value="2026-04-03", evidence="03/04/2026", alternatives=("2026-03-04",))
    fields = {**proposal(end_date=None, term="P24M").fields, "start_date": two}

    (finding,) = contract_findings(proposal().model_copy(update={"fields": fields}), POLICY)

    assert (finding.code, finding.message) == (
        "field.ambiguous",
        "'03/04/2026' can be read as 2026-04-03 or 2026-03-04",
    )


def test_an_unusual_clause_goes_to_a_person_with_its_words() -> None:
    (finding,) = contract_findings(proposal(PENALTY), POLICY)

    assert (finding.code, finding.severity) == ("clause.penalty", "review")
    assert finding.message == "sets a penalty (page 2): The Customer shall pay a penalty."


def test_a_clause_that_does_not_stand_there_says_so() -> None:
    (finding,) = contract_findings(proposal(PENALTY.model_copy(update={"page": None})), POLICY)

    assert "not found in it word for word" in finding.message


def test_every_kind_of_clause_has_its_words() -> None:
    assert set(CLAUSES) == set(CLAUSE_KINDS)


@pytest.fixture
def rules(engine: Engine, blobs: Blobs) -> ContractRules:
    return ContractRules(engine, blobs, EmbeddedCrm(engine))


def check(rules: ContractRules, case: str, source: Source, proposed: Proposal) -> Checked:
    document = Document(source=source, format="docx", verdict=Verdict())
    request = ContractCheck(process="contract-approval", case=case, document=document, proposal=proposed, policy=POLICY)
    return ActivityEnvironment().run(rules.check_contract, request)


def codes(checked: Checked) -> list[str]:
    return [finding.code for finding in checked.findings]


def drafted(rules: ContractRules, checked: Checked) -> Draft:
    return Draft.model_validate_json(rules.blobs.get(checked.draft))


def test_a_party_the_crm_does_not_know_is_told(rules: ContractRules, case: str, source: Source) -> None:
    assert codes(check(rules, case, source, proposal())) == ["party.unknown"]


def test_a_party_the_crm_knows_is_found_under_the_ref_it_has(rules: ContractRules, case: str, source: Source) -> None:
    known = Record(kind="party", ref="party:IE1234567X", values={"name": "Tern Analytics Ltd"})
    rules.crm.upsert(known)

    checked = check(rules, case, source, proposal())

    assert codes(checked) == []
    assert drafted(rules, checked).records[0].ref == known.ref


def test_the_other_side_is_found_whichever_party_comes_first(rules: ContractRules, case: str, source: Source) -> None:
    turned = {"first_party": CLEAN["second_party"], "second_party": CLEAN["first_party"]}

    party, contract, _ = drafted(rules, check(rules, case, source, proposal(**turned))).records

    assert (party.values["name"], contract.values["ours"]) == ("Tern Analytics Ltd", "Aldermere Instruments GmbH")


def test_a_second_contract_with_a_party_from_the_same_day_is_told(
    rules: ContractRules, engine: Engine, blobs: Blobs, case: str, source: Source
) -> None:
    draft = check(rules, case, source, proposal(PENALTY)).draft
    ActivityEnvironment().run(Crm(rules.crm, blobs, engine).apply, ApplyRequest(case=case, draft=draft))

    again, other = check(rules, case, source, proposal()), check(rules, "contract-approval/other", source, proposal())

    assert (codes(again), codes(other)) == ([], ["contract.duplicate"])


def test_party_contract_and_activity_are_written_as_drafted(
    rules: ContractRules, engine: Engine, blobs: Blobs, case: str, source: Source
) -> None:
    draft = check(rules, case, source, proposal(PENALTY)).draft

    receipt = ActivityEnvironment().run(Crm(rules.crm, blobs, engine).apply, ApplyRequest(case=case, draft=draft))

    contract, note = rules.crm.read("contract", f"{case}:apply"), rules.crm.read("activity", f"{case}:activity")
    assert receipt.record == "contract/1"
    assert contract is not None
    assert note is not None
    assert (contract["party"], contract["value"]) == ("party:TERNANALYTICSLTD", "48000.00")
    assert contract["clauses"] == [{"kind": "penalty", "quote": PENALTY.quote, "page": 2}]
    assert (note["contract"], note["invoice"]) == (f"{case}:apply", None)


def test_the_brake_of_the_process_is_read(rules: ContractRules, engine: Engine, case: str, source: Source) -> None:
    with writing(engine, "brakes") as session:
        session.add(BrakeRow(process="contract-approval", stage_cap="shadow", reason="too many errors"))

    assert check(rules, case, source, proposal()).brake == Brake(stage_cap="shadow", reason="too many errors")


def test_a_proposal_without_any_field_blocks_and_never_fails(rules: ContractRules, case: str, source: Source) -> None:
    checked = check(rules, case, source, Proposal(rung="person"))

    assert codes(checked)[:3] == ["field.missing"] * 3
