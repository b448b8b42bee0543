"""Invoice intake: what is read from an invoice and what a case starts with."""

from schemas.message import Message
from schemas.policy import InvoicePolicy
from schemas.proposal import Proposal
from schemas.source import Document
from schemas.start import Start

REQUIRED = (
    "supplier",
    "invoice_number",
    "issue_date",
    "currency",
    "net_amount",
    "tax_amount",
    "gross_amount",
)
OPTIONAL = ("supplier_vat_id", "iban", "document_type")
FIELDS = REQUIRED + OPTIONAL
"""`document_type` is `invoice`, `receipt`, `credit-note` or `other`; absent means invoice."""
REQUIRED_OF_RECEIPTS = ("supplier", "issue_date", "currency", "gross_amount")
"""A receipt, or simplified invoice, need have no number and need not tell the tax from the rest."""
AMOUNTS = ("net_amount", "tax_amount", "gross_amount")


class InvoiceCheck(Message):
    """What checking needs."""

    process: str
    case: str
    document: Document
    proposal: Proposal
    policy: InvoicePolicy


class Intake(Start):
    policy: InvoicePolicy
