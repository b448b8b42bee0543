"""The embedded reader: what the text layer of an English, German or French invoice says, without any model."""

from collections.abc import Sequence

from activities.parsing import currency, identity, layout, parties, totals
from schemas.proposal import Reading


def read(pages: Sequence[str]) -> Reading:
    """A field that is not found is absent; how sure one is of a field ranks its errors."""
    lines = layout.lines_of(pages)
    found = {
        "supplier": parties.supplier(lines),
        "invoice_number": identity.number(lines),
        "issue_date": identity.issue_date(lines),
        "currency": currency.read(lines),
        "supplier_vat_id": parties.vat_id(lines),
        "iban": parties.iban(lines),
        "document_type": identity.document_type(lines),
        **totals.read(lines),
    }
    return Reading(fields={name: field for name, field in found.items() if field is not None})
