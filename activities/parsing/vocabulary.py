"""Where CII (ZUGFeRD, Factur-X) and UBL keep what an invoice says."""

from collections.abc import Mapping
from dataclasses import dataclass

Paths = tuple[str, ...]
"""Tried in this order; `|` stands between names of one thing, `*` for any one name."""


@dataclass(frozen=True)
class Vocabulary:
    fields: Mapping[str, Paths]
    tax_total: str
    tax_registration: str
    iban: str
    line: str
    line_fields: Mapping[str, Paths]


_DOCUMENT = "ExchangedDocument|HeaderExchangedDocument"
_SUMS = "*/*/SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation"

CII = Vocabulary(
    fields={
        "supplier": ("*/*/SellerTradeParty/Name",),
        "invoice_number": (f"{_DOCUMENT}/ID",),
        "issue_date": (f"{_DOCUMENT}/IssueDateTime/DateTimeString",),
        "currency": ("*/*/InvoiceCurrencyCode",),
        "net_amount": (f"{_SUMS}/TaxBasisTotalAmount",),
        "gross_amount": (f"{_SUMS}/GrandTotalAmount",),
        "document_type": (f"{_DOCUMENT}/TypeCode",),
    },
    tax_total=f"{_SUMS}/TaxTotalAmount",
    tax_registration="*/*/SellerTradeParty/SpecifiedTaxRegistration",
    iban="*/*/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID",
    line="*/IncludedSupplyChainTradeLineItem",
    line_fields={
        "description": ("SpecifiedTradeProduct/Name",),
        "quantity": ("*/BilledQuantity",),
        "unit_price": ("*/NetPriceProductTradePrice/ChargeAmount",),
        "net_amount": ("*/*/LineTotalAmount",),
    },
)

_PARTY = "AccountingSupplierParty/Party"

UBL = Vocabulary(
    fields={
        "supplier": (f"{_PARTY}/PartyLegalEntity/RegistrationName", f"{_PARTY}/PartyName/Name"),
        "invoice_number": ("ID",),
        "issue_date": ("IssueDate",),
        "currency": ("DocumentCurrencyCode",),
        "net_amount": ("LegalMonetaryTotal/TaxExclusiveAmount",),
        "gross_amount": ("LegalMonetaryTotal/TaxInclusiveAmount",),
        "document_type": ("InvoiceTypeCode|CreditNoteTypeCode",),
    },
    tax_total="TaxTotal/TaxAmount",
    tax_registration=f"{_PARTY}/PartyTaxScheme",
    iban="PaymentMeans/PayeeFinancialAccount/ID",
    line="InvoiceLine|CreditNoteLine",
    line_fields={
        "description": ("Item/Name",),
        "quantity": ("InvoicedQuantity|CreditedQuantity",),
        "unit_price": ("Price/PriceAmount",),
        "net_amount": ("LineExtensionAmount",),
    },
)

CREDIT_NOTES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"})
_INVOICES = (
    80,
    82,
    84,
    326,
    380,
    *range(384, 391),
    393,
    394,
    395,
    456,
    457,
    527,
    575,
    623,
    633,
    780,
    875,
    876,
    877,
    935,
)
INVOICES = frozenset(map(str, _INVOICES))
"""Codes of UNTDID 1001 that ask for money; what is in neither set is another kind of document."""
