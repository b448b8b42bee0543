"""E-invoices: what is read from CII and UBL, and how sure one is of it."""

import base64
import json
from pathlib import Path

import pytest

from activities.parsers import Parsers
from activities.parsing import einvoice
from schemas.proposal import Field
from schemas.source import IntakeLimits

DATA = Path(__file__).parents[2].parent / "shared" / "data"
UBL = """<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2">
  <ID>R-7</ID><IssueDate>2024-03-09</IssueDate><InvoiceTypeCode>380</InvoiceTypeCode>
  <DocumentCurrencyCode>EUR</DocumentCurrencyCode>
  <AccountingSupplierParty><Party><PartyName><Name>Trade Name</Name></PartyName>
    <PartyTaxScheme><CompanyID>DE136695976</CompanyID><TaxScheme><ID>VAT</ID></TaxScheme></PartyTaxScheme>
    <PartyLegalEntity><RegistrationName>Legal Name GmbH</RegistrationName></PartyLegalEntity></Party>
  </AccountingSupplierParty>
  <PaymentMeans><PayeeFinancialAccount><ID>DE02120300000000202051</ID></PayeeFinancialAccount></PaymentMeans>
  %s
  <LegalMonetaryTotal><TaxExclusiveAmount>100.00</TaxExclusiveAmount>
    <TaxInclusiveAmount>119.00</TaxInclusiveAmount></LegalMonetaryTotal>
  <InvoiceLine><InvoicedQuantity>2</InvoicedQuantity><LineExtensionAmount>100.00</LineExtensionAmount>
    <Item><Name>Chairs</Name></Item><Price><PriceAmount>50.00</PriceAmount></Price></InvoiceLine>
</Invoice>"""
TAX = '<TaxTotal><TaxAmount currencyID="EUR">19.00</TaxAmount></TaxTotal>'


def fields(xml: str) -> dict[str, Field]:
    return dict(einvoice.read(xml.encode()).fields)


def test_every_field_of_a_ubl_invoice_is_read() -> None:
    values = {name: field.value for name, field in fields(UBL % TAX).items()}

    assert values == {
        "supplier": "Legal Name GmbH",
        "invoice_number": "R-7",
        "issue_date": "2024-03-09",
        "currency": "EUR",
        "net_amount": "100.00",
        "tax_amount": "19.00",
        "gross_amount": "119.00",
        "supplier_vat_id": "DE136695976",
        "iban": "DE02120300000000202051",
        "document_type": "invoice",
    }


def test_the_evidence_is_the_path_of_the_element_and_its_text() -> None:
    assert fields(UBL % TAX)["net_amount"].evidence == "LegalMonetaryTotal/TaxExclusiveAmount: 100.00"


def test_what_is_said_twice_and_differently_is_two_readings() -> None:
    twice = (UBL % TAX).replace("<ID>R-7</ID>", "<ID>R-7</ID><ID>R-8</ID>")

    assert (fields(twice)["invoice_number"].value, fields(twice)["invoice_number"].alternatives) == ("R-7", ("R-8",))


def test_the_evidence_is_of_the_element_that_the_value_is_from() -> None:
    start, end = "<DocumentCurrencyCode>", "</DocumentCurrencyCode>"
    twice = (UBL % TAX).replace(start, f"{start}?{end}{start}")

    assert fields(twice)["currency"].evidence == "DocumentCurrencyCode: EUR"


def test_long_number_is_not_cut_to_fit() -> None:
    assert fields((UBL % TAX).replace("R-7", "7" * 900))["invoice_number"].value == "7" * 900


def test_lines_are_read() -> None:
    (line,) = einvoice.read((UBL % TAX).encode()).lines

    assert (line.description, line.quantity, line.unit_price, line.net_amount) == ("Chairs", "2", "50.00", "100.00")


def test_a_tax_that_is_not_stated_is_derived_and_says_so() -> None:
    tax = fields(UBL % "")["tax_amount"]

    assert tax.value == "19.00"
    assert "derived" in tax.evidence
    assert tax.confidence < einvoice.READ


def test_the_tax_in_the_currency_of_the_invoice_is_taken() -> None:
    other = '<TaxTotal><TaxAmount currencyID="NOK">190.00</TaxAmount></TaxTotal>'

    assert fields(UBL % (other + TAX))["tax_amount"].value == "19.00"


def test_amounts_that_contradict_each_other_are_doubted() -> None:
    doubted = fields(UBL % TAX.replace("19.00", "18.00"))

    assert {doubted[name].confidence for name in ("net_amount", "tax_amount", "gross_amount")} == {einvoice.DOUBTFUL}


def test_several_accounts_are_doubted_and_all_named() -> None:
    account = "<PayeeFinancialAccount><ID>FR7630006000011234567890189</ID></PayeeFinancialAccount>"
    second = f"<PaymentMeans>{account}</PaymentMeans>"

    found = fields(UBL % (second + TAX))["iban"]

    assert found.confidence == einvoice.DOUBTFUL
    assert found.alternatives == ("FR7630006000011234567890189",)


def test_a_ubl_credit_note_is_a_credit_note_by_its_root() -> None:
    note = (UBL % TAX).replace("<Invoice ", "<CreditNote ").replace("</Invoice>", "</CreditNote>")

    assert fields(note)["document_type"].value == "credit-note"


@pytest.mark.parametrize("words", ["1e5", "12,50", "", "NaN", "1.2.3"])
def test_what_is_no_decimal_is_no_amount(words: str) -> None:
    assert einvoice.amount(words) is None


@pytest.mark.parametrize(("words", "value"), [("+5", "5"), (".5", "0.5"), ("-7.", "-7"), ("00012.30", "00012.30")])
def test_decimals_are_written_plainly(words: str, value: str) -> None:
    assert einvoice.amount(words) == value


def test_the_corpus_is_read_almost_without_error() -> None:
    corpus = DATA / "evaluate" / "einvoices.jsonl"
    if not corpus.exists():
        pytest.skip(f"no {corpus}")
    right: dict[str, list[bool]] = {}

    with Parsers() as parsers:
        for case in map(json.loads, corpus.read_text().splitlines()):
            document = parsers.ingest((corpus.parent / case["source"]).read_bytes(), IntakeLimits())
            found = parsers.read_einvoice(base64.b64decode(document.xml or "")).fields
            for name, value in case["expected"].items():
                right.setdefault(name, []).append(name in found and found[name].value == value)

    assert {
        name: sum(answers) / len(answers) for name, answers in right.items() if sum(answers) < 0.98 * len(answers)
    } == {}


def test_the_twins_of_one_invoice_in_cii_and_ubl_read_alike() -> None:
    folder = DATA / "einvoices" / "XML-Rechnung"
    if not folder.exists():
        pytest.skip(f"no {folder}")

    for cii in sorted((folder / "CII").glob("EN16931_*.xml")):
        ubl = folder / "UBL" / cii.name.replace(".cii.", ".ubl.")
        for name in ("supplier", "invoice_number", "issue_date", "currency"):
            ours, theirs = (einvoice.read(path.read_bytes()).fields[name].value for path in (cii, ubl))
            assert ours == theirs, f"{name} of {cii.name}"
