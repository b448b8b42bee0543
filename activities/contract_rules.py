"""The rules of contracts: what is wrong with a proposal, what somebody must weigh, and the draft frozen from it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Engine
from temporalio import activity

from activities.audit import append
from activities.crms.port import CrmPort
from activities.failures import asking_crm
from activities.parsing import periods
from activities.rules import CURRENCIES, LONGEST, PARTY, PLAIN_DATE, PLAIN_DECIMAL, folded
from activities.store import Blobs, writing
from schemas.case import Checked, Draft, Record
from schemas.contract import DATES, FIELDS, PERIODS, REQUIRED, ContractCheck, counterparty
from schemas.finding import Finding
from schemas.policy import ContractPolicy
from schemas.proposal import Proposal
from schemas.routing import Brake
from schemas.tables import BrakeRow

PERIOD = re.compile(r"P[0-9]{1,4}[DWMY]")
SLACK = timedelta(days=5)
"""Terms are counted with the first day or without, and months have 28 to 31."""
DAYS_A_MONTH = 365.25 / 12
CLAUSES = {
    "unlimited-liability": "liability without a limit",
    "long-renewal": "renews by itself for more than a year",
    "exclusivity": "binds to one partner",
    "non-compete": "forbids competing",
    "penalty": "sets a penalty",
    "unilateral-change": "one side may change the terms",
    "free-assignment": "may be assigned without consent",
    "audit": "gives a right to audit",
    "indemnity": "indemnifies the other side",
    "no-termination": "limits the right to terminate",
}


@dataclass(frozen=True)
class ContractRules:
    engine: Engine
    blobs: Blobs
    crm: CrmPort

    @activity.defn(name="rules.check_contract")
    @asking_crm()
    def check_contract(self, request: ContractCheck) -> Checked:
        """Find what is wrong, freeze what would be written, and read the brake; a finding is never an exception."""
        party = self._party(request)
        draft = draft_of(request, party)
        digest = self.blobs.put(draft.model_dump_json().encode())
        findings = (
            *request.document.findings,
            *contract_findings(request.proposal, request.policy),
            *self._known(party, draft),
        )
        with writing(self.engine, request.case) as session:
            row = session.get(BrakeRow, request.process)
            found = [finding.model_dump() for finding in findings]
            head = append(session, request.case, "rules.checked", {"draft": digest, "findings": found})
        brake = Brake.model_validate(row.model_dump()) if row else Brake()
        return Checked(findings=findings, draft=digest, brake=brake, head=head)

    def _party(self, request: ContractCheck) -> Record:
        """Whom the contract is with, as the CRM has it if it does: invoices may have entered it by its VAT id."""
        values = values_of(request.proposal)
        name = counterparty(values, request.policy.ours) or values.get("second_party", "")
        known = self.crm.find("party", {"name": name}) if name else []
        return Record(kind="party", ref=next(iter(known), f"{PARTY}{folded(name).upper()}"), values={"name": name})

    def _known(self, party: Record, draft: Draft) -> Iterator[Finding]:
        name, contract = str(party.values["name"]), draft.records[1]
        before = self.crm.read("party", party.ref)
        if name and before is None:
            message = f"the CRM does not know {name}"
            yield Finding(code="party.unknown", severity="review", field="second_party", message=message)
        elif before and folded(str(before["name"])) != folded(name):
            message = f"the CRM knows this party by another name: {before['name']}"
            yield Finding(code="party.changed", severity="review", field="second_party", message=message)
        same = {"party": party.ref, "start_date": str(contract.values["start_date"])}
        for other in self.crm.find("contract", same):
            if other != contract.ref:
                message = f"a contract with this party from this day came before, as {other}"
                yield Finding(code="contract.duplicate", severity="review", field="start_date", message=message)


def draft_of(request: ContractCheck, party: Record) -> Draft:
    proposal, ref = request.proposal, f"{request.case}:apply"
    values = values_of(proposal)
    names = [values.get(name, "") for name in ("first_party", "second_party")]
    ours = next((name for name in names if name != party.values["name"]), "")
    stated = {name: values.get(name) for name in FIELDS if name not in ("first_party", "second_party")}
    clauses = [clause.model_dump(mode="json", exclude={"box"}) for clause in proposal.clauses]
    note = f"Contract taken in by casework, read by {proposal.rung}, case {request.case}"
    return Draft(
        case=request.case,
        source=request.document.source.digest,
        main=ref,
        records=(
            party,
            Record(
                kind="contract",
                ref=ref,
                values={"ours": ours, **stated, "clauses": clauses},
                links={"party": party.ref},
            ),
            Record(kind="activity", ref=f"{request.case}:activity", values={"text": note}, links={"contract": ref}),
        ),
    )


def values_of(proposal: Proposal) -> dict[str, str]:
    return {name: field.value for name, field in proposal.fields.items() if field.value}


def contract_findings(proposal: Proposal, policy: ContractPolicy) -> Iterator[Finding]:
    values = values_of(proposal)
    for name in REQUIRED:
        if name not in values:
            yield Finding(code="field.missing", severity="block", field=name, message=f"{name} was not found")
    for name, field in proposal.fields.items():
        if len(field.value or "") > LONGEST:
            message = f"{name} is longer than {LONGEST} characters"
            yield Finding(code="field.too_long", severity="block", field=name, message=message)
        if field.alternatives:
            other = " or ".join((field.value or "", *field.alternatives))
            message = f"{field.evidence[:60]!r} can be read as {other}"
            yield Finding(code="field.ambiguous", severity="review", field=name, message=message)
    yield from _party_findings(values, policy)
    yield from _term_findings(values)
    yield from _money_findings(values)
    yield from _risk_findings(values, policy)
    for clause in proposal.clauses:
        where = f"page {clause.page}" if clause.page else "not found in it word for word"
        message = f"{CLAUSES[clause.kind]} ({where}): {clause.quote}"
        yield Finding(code=f"clause.{clause.kind}", severity="review", message=message)


def _party_findings(values: Mapping[str, str], policy: ContractPolicy) -> Iterator[Finding]:
    if {"first_party", "second_party"} <= values.keys() and counterparty(values, policy.ours) is None:
        message = "which of the parties is ours cannot be told: the second is taken for the other side"
        yield Finding(code="party.not_ours", severity="review", field="first_party", message=message)


def _term_findings(values: Mapping[str, str]) -> Iterator[Finding]:
    days: dict[str, date] = {}
    for name in DATES:
        if name not in values:
            continue
        try:
            days[name] = date.fromisoformat(values[name] if PLAIN_DATE.fullmatch(values[name]) else "")
        except ValueError:
            yield Finding(code="date.invalid", severity="block", field=name, message="not a date (YYYY-MM-DD)")
    yield from _period_findings(values)
    if "end_date" not in values and "term" not in values:
        message = "neither an end nor a term is stated: it runs until somebody ends it"
        yield Finding(code="term.open", severity="review", field="end_date", message=message)
    if len(days) == len(DATES):
        yield from _length_findings(days["start_date"], days["end_date"], values.get("term", ""))


def _period_findings(values: Mapping[str, str]) -> Iterator[Finding]:
    for name in PERIODS:
        if name in values and not PERIOD.fullmatch(values[name]):
            message = "not a period (P24M, P90D)"
            yield Finding(code="period.invalid", severity="block", field=name, message=message)


def _length_findings(start: date, end: date, term: str) -> Iterator[Finding]:
    months = periods.months(term)
    if end <= start:
        message = f"it ends on {end}, and starts on {start}"
        yield Finding(code="dates.disagree", severity="block", field="end_date", message=message)
    elif months and abs(end - start - timedelta(days=months * DAYS_A_MONTH)) > SLACK:
        message = f"a term of {term} does not lead from {start} to {end}"
        yield Finding(code="dates.disagree", severity="review", field="term", message=message)


def _money_findings(values: Mapping[str, str]) -> Iterator[Finding]:
    value, cap, currency = (values.get(name) for name in ("value", "liability_cap", "currency"))
    if value and not PLAIN_DECIMAL.fullmatch(value):
        message = "value is not a plain decimal number"
        yield Finding(code="amount.invalid", severity="block", field="value", message=message)
    if currency and currency not in CURRENCIES:
        yield Finding(code="currency.unknown", severity="block", field="currency", message="not an ISO 4217 code")
    if not currency and (value or PLAIN_DECIMAL.fullmatch(cap or "")):
        message = "an amount without a currency"
        yield Finding(code="currency.missing", severity="block", field="currency", message=message)


def _risk_findings(values: Mapping[str, str], policy: ContractPolicy) -> Iterator[Finding]:
    law = values.get("governing_law")
    if law is None:
        message = "no governing law is stated"
        yield Finding(code="law.missing", severity="review", field="governing_law", message=message)
    elif folded(law) not in {folded(home) for home in policy.home_laws}:
        message = f"{law} is not among the laws the policy names"
        yield Finding(code="law.foreign", severity="review", field="governing_law", message=message)
    if "liability_cap" not in values:
        message = "no limit of liability is stated"
        yield Finding(code="liability.uncapped", severity="review", field="liability_cap", message=message)
    if values.get("renewal") == "automatic" and "notice_period" not in values:
        message = "it renews by itself, and no period of notice is stated"
        yield Finding(code="renewal.no_notice", severity="review", field="notice_period", message=message)
    if values.get("personal_data") == "yes":
        message = "personal data are processed"
        yield Finding(code="personal_data.processed", severity="info", field="personal_data", message=message)
