"""The embedded reader: what the text layer of an English, German or French invoice says, without any model."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from activities.parsing import currency, identity, layout, letterhead, parties, receipts, totals
from schemas.proposal import Field, Reading

SURE = 0.9
"""What a receipt need not state is given from here on: a doubtful value would only cost somebody's time."""
_NEEDED = ("supplier", "issue_date", "currency", "gross_amount", "document_type")


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
    return Reading(fields={name: field for name, field in found.items() if field is not None})


def _receipt(found: Mapping[str, Field | None], gross: Field | None) -> dict[str, Field | None]:
    """What a receipt must say, and what else is sure. Net and tax only together, and where they make its total."""
    sums = [found.get(name) for name in ("net_amount", "tax_amount")]
    net, tax = (Decimal(field.value or 0) if field and field.confidence >= SURE else None for field in sums)
    agree = gross is not None and net is not None and tax is not None and net + tax == Decimal(gross.value or 0)
    kept = {
        name: field
        for name, field in found.items()
        if name in _NEEDED
        or (field and field.confidence >= SURE and (agree or name not in ("net_amount", "tax_amount")))
    }
    return {**kept, "gross_amount": gross or found.get("gross_amount")}
