# SPDX-License-Identifier: GPL-3.0-or-later
"""A unique external reference on what casework writes, and what a supplier's invoice needs beside the document."""

from trytond.i18n import gettext
from trytond.model import ModelSQL, ModelView, Unique, fields
from trytond.model.exceptions import AccessError, ValidationError
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction

AMOUNTS = {"stated_net", "stated_tax", "stated_gross"}
FIXED = AMOUNTS | {"party", "currency", "reference", "invoice_date"}


class Referenced:
    """Written twice under one reference is one record: the database refuses the second."""

    external_ref = fields.Char("External Reference")

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        cls._sql_constraints.append(
            ("external_ref_unique", Unique(table, table.external_ref), "casework.msg_external_ref_unique")
        )

    @classmethod
    def _alone(cls):
        """On SQLite a transaction begins with its first write; two must not read the same next number before that."""
        table = cls.__table__()
        cursor = Transaction().connection.cursor()
        cursor.execute(*table.update([table.external_ref], [table.external_ref], where=table.id < 0))

    @classmethod
    def copy(cls, records, default=None):
        """A copy made by hand is another record."""
        return super().copy(records, default={**(default or {}), "external_ref": None})


class Party(Referenced, metaclass=PoolMeta):
    __name__ = "party.party"

    stated_vat_id = fields.Char("VAT Id as Stated")
    stated_iban = fields.Char("IBAN as Stated", help="Paid to only once somebody enters it as account.")

    @classmethod
    def create(cls, vlist):
        """An invoice needs an address, be it an empty one."""
        cls._alone()
        return super().create(
            [{"addresses": [("create", [{}])], **it} if it.get("external_ref") else it for it in vlist]
        )


class Invoice(Referenced, metaclass=PoolMeta):
    __name__ = "account.invoice"

    stated_net = fields.Numeric("Net as Stated")
    stated_tax = fields.Numeric("Tax as Stated")
    stated_gross = fields.Numeric("Gross as Stated")
    stated_lines = fields.Text("Lines as Stated")

    @classmethod
    def create(cls, vlist):
        cls._alone()
        invoices = super().create([cls._completed(it) if it.get("external_ref") else it for it in vlist])
        stated = [it for it in invoices if it.external_ref]
        cls._book(stated)
        cls._check_similar(stated)
        return invoices

    @classmethod
    def write(cls, *args):
        """An accountant may have gone on with it: then what was booked is theirs."""
        changed = []
        for invoices, values in zip(args[::2], args[1::2], strict=True):
            ours = [it for it in invoices if it.external_ref and FIXED & values.keys()]
            for invoice in ours:
                if invoice.state != "draft":
                    told = {"invoice": invoice.rec_name, "state": invoice.state}
                    raise AccessError(gettext("casework.msg_no_longer_draft", **told))
            changed += ours
        super().write(*args)
        cls._book(changed)
        cls._check_similar(changed)

    @classmethod
    def _completed(cls, values):
        """What Tryton would fill in while somebody typed: company, account, address, terms."""
        pool = Pool()
        party = pool.get("party.party")(values["party"])
        company = pool.get("company.company")(Transaction().context["company"])
        account = party.account_payable_used
        address = party.address_get(type="invoice")
        return {
            "type": "in",
            "company": company.id,
            "account": account.id if account else None,
            "invoice_address": address.id if address else None,
            "payment_term": party.supplier_payment_term.id if party.supplier_payment_term else None,
            "journal": cls._journal(),
            **values,
        }

    @classmethod
    def _journal(cls):
        journals = Pool().get("account.journal").search([("type", "=", "expense")], limit=1)
        return journals[0].id if journals else None

    @classmethod
    def _book(cls, invoices):
        """One line with the net amount and one tax entered by hand: the split is the accountant's."""
        configuration = Pool().get("account.configuration")(1)
        expense = configuration.get_multivalue("default_category_account_expense")
        if invoices and not expense:
            raise ValidationError(gettext("casework.msg_no_account", what="expenses"))
        for invoice in invoices:
            net = invoice.stated_gross if invoice.stated_net is None else invoice.stated_net
            tax = None if invoice.stated_net is None else invoice.stated_tax
            line = {"type": "line", "quantity": 1, "unit_price": net, "account": expense.id}
            line |= {"description": invoice.reference or "", "currency": invoice.currency.id}
            entered = {"manual": True, "description": "stated", "base": net, "amount": tax, "account": expense.id}
            changes = {
                "lines": [("delete", [it.id for it in invoice.lines]), ("create", [line])],
                "taxes": [("delete", [it.id for it in invoice.taxes]), *([("create", [entered])] if tax else [])],
            }
            super().write([invoice], changes)


class Contract(Referenced, ModelSQL, ModelView):
    """Contract"""

    __name__ = "casework.contract"
    _rec_name = "external_ref"

    party = fields.Many2One("party.party", "Party", required=True, ondelete="RESTRICT")
    ours = fields.Char("Our Name")
    start_date = fields.Date("Start")
    end_date = fields.Date("End")
    term = fields.Char("Term")
    renewal = fields.Char("Renewal")
    renewal_term = fields.Char("Renewal Term")
    notice_period = fields.Char("Notice Period")
    value = fields.Numeric("Value")
    currency = fields.Many2One("currency.currency", "Currency", ondelete="RESTRICT")
    liability_cap = fields.Char("Liability Cap")
    governing_law = fields.Char("Governing Law")
    personal_data = fields.Char("Personal Data")
    clauses = fields.Text("Clauses")


class Ticket(Referenced, ModelSQL, ModelView):
    """Ticket"""

    __name__ = "casework.ticket"
    _rec_name = "subject"

    party = fields.Many2One("party.party", "Party", ondelete="RESTRICT")
    subject = fields.Char("Subject", required=True)
    category = fields.Char("Category")
    priority = fields.Char("Priority")
    language = fields.Char("Language")
    details = fields.Text("Details")


class Activity(Referenced, ModelSQL, ModelView):
    """Activity"""

    __name__ = "casework.activity"
    _rec_name = "text"

    text = fields.Text("Text", required=True)
    invoice = fields.Many2One("account.invoice", "Invoice", ondelete="CASCADE")
    contract = fields.Many2One("casework.contract", "Contract", ondelete="CASCADE")
    ticket = fields.Many2One("casework.ticket", "Ticket", ondelete="CASCADE")
