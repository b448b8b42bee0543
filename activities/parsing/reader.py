"""The embedded reader: what the text of an English, German or French invoice or receipt says, without any model."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from activities.parsing import currency, identity, items, layout, letterhead, parties, receipts, totals
from schemas.invoice import AMOUNTS
from schemas.proposal import Field, Reading

SURE = 0.9
"""What a receipt need not state is given from here on: a doubtful value would only cost somebody's time."""
_NEEDED = ("supplier", "issue_date", "currency", "document_type")


def read(pages: Sequence[str]) -> Reading:
    """A field that is not found is absent; how sure one is of a field ranks its errors."""
    lines = layout.lines_of(pages)
    receipt = receipts.kind(lines)
    found = {
        "supplier": letterhead.supplier(lines, receipt=receipt is not None) or parties.supplier(lines),
        "invoice_number": identity.number(lines),
        "issue_date": identity.issue_date(lines, receipt=receipt is not None),
        "currency": currency.read(lines),
        "supplier_vat_id": parties.vat_id(lines),
        "iban": parties.iban(lines),
        "document_type": receipt or identity.document_type(lines),
        **totals.read(lines),
    }
    if receipt:
        found = _receipt(found, receipts.gross(lines))
    elif (kind := found["document_type"]) and kind.value == "credit-note":
        found |= _unsigned(found)
    fields = {name: field for name, field in found.items() if field is not None}
    net = fields.get("net_amount")
    told = items.read(lines, Decimal(net.value)) if net and net.value and net.confidence >= SURE and not receipt else ()
    return Reading(fields=fields, lines=told)


def _receipt(found: Mapping[str, Field | None], gross: Field | None) -> dict[str, Field | None]:
    """What a receipt must say, and what else is sure. Net and tax only together, and where they make its total."""
    gross = gross or found.get("gross_amount")
    sure = {name: field for name, field in found.items() if field and field.confidence >= SURE}
    net, tax = (sure.pop(name, None) for name in ("net_amount", "tax_amount"))
    if gross and net and tax and Decimal(net.value or 0) + Decimal(tax.value or 0) == Decimal(gross.value or 0):
        sure |= {"net_amount": net, "tax_amount": tax}
    return {**sure, **{name: found[name] for name in _NEEDED}, "gross_amount": gross}


def _unsigned(found: Mapping[str, Field | None]) -> dict[str, Field]:
    """On a credit note, as in its XML, the kind of document is the sign; some print a minus beside each amount too."""
    given = {name: field for name in AMOUNTS if (field := found.get(name)) and field.value}
    if not all((field.value or "").startswith("-") for field in given.values()):
        return {}
    return {name: field.model_copy(update={"value": (field.value or "")[1:]}) for name, field in given.items()}
