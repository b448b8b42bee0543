"""The rules: what is wrong with a proposal, and the draft frozen from it."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import iso4217
from pydantic import JsonValue
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException
from sqlalchemy import Engine
from sqlmodel import Session
from stdnum.eu import vat
from temporalio import activity

from activities.audit import append
from activities.crms.port import CrmPort
from activities.failures import asking_crm, kept
from activities.learning.calibration import calibrated
from activities.store import Blobs, hold, writing
from schemas.case import Checked, Draft, Record
from schemas.finding import Finding
from schemas.invoice import AMOUNTS, REQUIRED, REQUIRED_OF_RECEIPTS, InvoiceCheck
from schemas.policy import InvoicePolicy, Policy
from schemas.proposal import Proposal
from schemas.routing import SAMPLED, Brake, sampled
from schemas.tables import BrakeRow, InvoiceClaim

PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
PLAIN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PARTY = "party:"
OLD, IMPLAUSIBLE = timedelta(days=2 * 365), timedelta(days=30 * 365)
LONGEST = 300
"""No value is longer, in characters: supplier and number are keys together, which PostgreSQL bounds at 2704 bytes."""


@dataclass(frozen=True)
class Rules:
    engine: Engine
    blobs: Blobs
    crm: CrmPort
    key: bytes
    """By which the cases are drawn that a person always sees."""

    @activity.defn(name="rules.check_invoice")
    @asking_crm()
    def check_invoice(self, request: InvoiceCheck) -> Checked:
        """Find what is wrong, freeze what would be written, and read the brake; a finding is never an exception."""
        proposal, today = request.proposal, datetime.now(UTC).date()
        draft = self._draft(request)
        digest = self.blobs.put(draft.model_dump_json().encode())
        invoice = next(record for record in draft.records if record.ref == draft.main)
        parties = parties_of(proposal)
        known = self._known(draft.records[0], parties)
        booked = self._booked(invoice, known)
        read = (*request.document.findings, *invoice_findings(proposal, request.policy, today))
        sure = calibrated(self.blobs, request.policy, request.document, proposal, read)
        with writing(self.engine, request.case) as session:
            others = (booked | _claimed(session, invoice, parties)) - {invoice.ref}
            findings = (
                *read,
                *_duplicate_findings(others),
                *_party_findings(draft.records[0], known.values()),
                *sample_findings(request.case, request.policy, proposal, self.key),
            )
            row = session.get(BrakeRow, request.process)
            told: dict[str, object] = {"draft": digest, "findings": [finding.model_dump() for finding in findings]}
            if sure.confidences:
                told |= {"calibration": request.policy.calibration, "confidences": sure.confidences}
            head = append(session, request.case, "rules.checked", told)
        brake = sure.brake.joined(Brake.model_validate(row.model_dump())) if row else sure.brake
        return Checked(findings=findings, draft=digest, brake=brake, confidences=sure.confidences, head=head)

    def _draft(self, request: InvoiceCheck) -> Draft:
        proposal, case = request.proposal, request.case
        values = {name: field.value for name, field in proposal.fields.items()}
        lines: list[JsonValue] = (
            json.loads(kept(self.blobs, proposal.lines, "what was read of the lines")) if proposal.lines else []
        )
        party_ref = next(iter(parties_of(proposal)), PARTY)
        invoice_ref = f"{case}:apply"
        iban = values.get("iban")
        party = {
            "name": values.get("supplier"),
            "vat_id": values.get("supplier_vat_id"),
            "iban": iban if iban and is_iban(iban) else None,
        }
        invoice = {name: values.get(name) for name in REQUIRED if name not in ("supplier", "invoice_number")}
        return Draft(
            case=case,
            source=request.document.source.digest,
            main=invoice_ref,
            records=(
                # What this document does not tell, the CRM may know: it is not written over.
                Record(kind="party", ref=party_ref, values={name: value for name, value in party.items() if value}),
                Record(
                    kind="invoice",
                    ref=invoice_ref,
                    values={"number": values.get("invoice_number"), **invoice, "lines": lines},
                    links={"party": party_ref},
                ),
                Record(
                    kind="activity",
                    ref=f"{case}:activity",
                    values={"text": f"Invoice taken in by casework, read by {proposal.rung}, case {case}"},
                    links={"invoice": invoice_ref},
                ),
            ),
        )

    def _known(self, party: Record, parties: Sequence[str]) -> Mapping[str, Mapping[str, JsonValue]]:
        """The supplier as the CRM has it, by ref: written by us, or by others under this very name."""
        named = self.crm.find("party", {"name": str(party.values["name"])}) if "name" in party.values else []
        found = ((ref, self.crm.read("party", ref)) for ref in dict.fromkeys((*parties, *named)))
        return {ref: values for ref, values in found if values}

    def _booked(self, invoice: Record, parties: Iterable[str]) -> set[str]:
        """The refs of what the CRM has that would be the same invoice."""
        same = identity(invoice)
        return {ref for party in parties if same for ref in self.crm.find("invoice", {"party": party, **same})}


def sample_findings(case: str, policy: Policy, proposal: Proposal, key: bytes) -> Iterator[Finding]:
    """One of those that show how often the others are wrong; where people see every case there is none to draw."""
    if policy.stage == "autonomous" and proposal.rung != "person" and sampled(case, policy.sample_share, key):
        message = f"one of the {policy.sample_share:.1%} that a person always sees"
        yield Finding(code=SAMPLED, severity="review", message=message)


def _party_findings(party: Record, known: Iterable[Mapping[str, JsonValue]]) -> Iterator[Finding]:
    """What the CRM knows otherwise of this supplier: a bank account that changed is how invoices are forged."""
    for values in known:
        for name, field in (("name", "supplier"), ("iban", "iban")):
            was, now = (str(record.get(name) or "") for record in (values, party.values))
            if was and now and folded(was) != folded(now):
                message = f"the CRM knows this supplier by another {name}: {was}"
                yield Finding(code="party.changed", severity="review", field=field, message=message)


def identity(invoice: Record) -> Mapping[str, str]:
    """What tells an invoice from its supplier's others: its number, or else its day and sum, as on receipts."""
    for names in (("number",), ("issue_date", "gross_amount")):
        found = {name: value for name in names if isinstance(value := invoice.values[name], str)}
        if len(found) == len(names):
            return found
    return {}


def _claimed(session: Session, invoice: Record, parties: Sequence[str]) -> set[str]:
    """The refs of whichever cases first came with this invoice: two that come at once are not in the CRM yet."""
    found = set[str]()
    number = " ".join(folded(value) or value for value in identity(invoice).values())
    if not number or _too_long(number) or any(_too_long(party.removeprefix(PARTY)) for party in parties):
        return found  # it cannot be approved like this, and claims its number once it is corrected
    for party in sorted(parties):
        hold(session.connection(), f"{party} {number}")
        claim = session.get(InvoiceClaim, (party, number)) or InvoiceClaim(party=party, number=number, ref=invoice.ref)
        session.add(claim)
        found.add(claim.ref)
    return found


def _duplicate_findings(others: set[str]) -> Iterator[Finding]:
    for other in sorted(others):
        message = f"the same number, or day and sum, came from this supplier before, as {other}"
        yield Finding(code="invoice.duplicate", severity="review", field="invoice_number", message=message)


def parties_of(proposal: Proposal) -> tuple[str, ...]:
    """How a supplier is found again, best first: by VAT id and by name, each however it is written, in any script."""
    values = (proposal.fields[name].value for name in ("supplier_vat_id", "supplier") if name in proposal.fields)
    return tuple(f"{PARTY}{found}" for value in values if value and (found := folded(value).upper()))


def folded(value: str) -> str:
    """Without what is written in one way today and in another tomorrow: case, spaces and punctuation."""
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", value).casefold()))


def _too_long(value: str | None) -> bool:
    return len(value or "") > LONGEST


def invoice_findings(proposal: Proposal, policy: InvoicePolicy, today: date) -> Iterator[Finding]:
    values = {name: field.value for name, field in proposal.fields.items() if field.value}
    for name in REQUIRED_OF_RECEIPTS if values.get("document_type") == "receipt" else REQUIRED:
        if name not in values:
            yield Finding(code="field.missing", severity="block", field=name, message=f"{name} was not found")
    for name, field in proposal.fields.items():
        if _too_long(field.value):
            message = f"{name} is longer than {LONGEST} characters"
            yield Finding(code="field.too_long", severity="block", field=name, message=message)
        if field.alternatives:
            other = " or ".join((field.value or "", *field.alternatives))
            message = f"{field.evidence[:60]!r} can be read as {other}"
            yield Finding(code="field.ambiguous", severity="review", field=name, message=message)
    yield from _date_findings(values.get("issue_date"), today)
    yield from _amount_findings(values, policy)
    yield from _identity_findings(values)


def _date_findings(value: str | None, today: date) -> Iterator[Finding]:
    if value is None:
        return
    try:
        issued = date.fromisoformat(value if PLAIN_DATE.fullmatch(value) else "")
    except ValueError:
        yield Finding(code="date.invalid", severity="block", field="issue_date", message="not a date (YYYY-MM-DD)")
        return
    if issued > today + timedelta(days=1):
        yield Finding(code="date.future", severity="review", field="issue_date", message=f"{value} is in the future")
    elif today - issued > IMPLAUSIBLE:
        yield Finding(code="date.implausible", severity="review", field="issue_date", message=f"{value} is long past")
    elif today - issued > OLD:
        yield Finding(code="date.old", severity="warn", field="issue_date", message=f"{value} is over two years ago")


def _amount_findings(values: dict[str, str], policy: InvoicePolicy) -> Iterator[Finding]:
    for name in AMOUNTS:
        if name in values and not PLAIN_DECIMAL.fullmatch(values[name]):
            message = f"{name} is not a plain decimal number"
            yield Finding(code="amount.invalid", severity="block", field=name, message=message)
    amounts = {name: Decimal(values[name]) for name in AMOUNTS if PLAIN_DECIMAL.fullmatch(values.get(name, ""))}
    if len(amounts) == len(AMOUNTS):
        net, tax, gross = (amounts[name] for name in AMOUNTS)
        if net + tax != gross:
            message = f"net {net} and tax {tax} make {net + tax}, not {gross}"
            yield Finding(code="amounts.disagree", severity="block", field="gross_amount", message=message)
    if "gross_amount" in amounts:
        yield from _limit_findings(amounts["gross_amount"], values.get("currency"), policy)


def _limit_findings(gross: Decimal, currency: str | None, policy: InvoicePolicy) -> Iterator[Finding]:
    if gross == 0:
        yield Finding(code="amount.zero", severity="review", field="gross_amount", message="nothing is asked for")
    if gross < 0:
        yield Finding(code="amount.negative", severity="review", field="gross_amount", message=f"{gross} is negative")
    limit = policy.auto_limits.get(currency or "")
    if currency and limit is None:
        message = f"the policy names no limit for {currency}"
        yield Finding(code="amount.no_limit", severity="review", field="currency", message=message)
    if limit is not None and gross > limit:
        message = f"{gross} {currency} is over the limit of {limit}"
        yield Finding(code="amount.over_limit", severity="review", field="gross_amount", message=message)


def _identity_findings(values: dict[str, str]) -> Iterator[Finding]:
    currency, vat_id, iban = (values.get(name) for name in ("currency", "supplier_vat_id", "iban"))
    if currency and currency not in CURRENCIES:
        yield Finding(code="currency.unknown", severity="block", field="currency", message="not an ISO 4217 code")
    if vat_id and vat_id[:2] in EU and not vat.is_valid(vat_id):
        # Told, not asked about: a wrong VAT id costs a letter.
        message = "the VAT id's check digits are wrong"
        yield Finding(code="vat_id.invalid", severity="warn", field="supplier_vat_id", message=message)
    if iban and not is_iban(iban):
        # Told, not asked about: no bank pays to it, and it is left out of the draft. What costs money is a stranger's.
        message = "the IBAN's check digits are wrong, so it is not written"
        yield Finding(code="iban.invalid", severity="warn", field="iban", message=message)
    if values.get("document_type", "invoice") not in ("invoice", "receipt"):
        message = f"this is a {values['document_type']}, not an invoice"
        yield Finding(code="document.not_an_invoice", severity="review", field="document_type", message=message)


def is_iban(words: str) -> bool:
    try:
        IBAN(words)
    except SchwiftyException:
        return False
    return True


CURRENCIES = {currency.code for currency in iso4217.Currency}
EU = {country.upper() for country in vat.MEMBER_STATES} | {"EL"}
