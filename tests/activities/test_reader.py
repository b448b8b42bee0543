"""The embedded reader: what it finds in running text, and how honest it is about it."""

import json
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from time import monotonic

import pytest

from activities.parsing import amounts, dates, reader
from schemas.proposal import Field

DATA = Path(__file__).parents[2].parent / "shared" / "data"
GERMAN = """Muster Handel GmbH | Hauptstraße 5 | 50667 Köln
Rechnungsempfänger
Kunde & Söhne KG
Weg 1
80331 München
Rechnung Nr. RE-2024-0815
Rechnungsdatum: 05.03.2024
Fällig am: 19.03.2024
Summe netto 1.234,00 €
Umsatzsteuer 19 % 234,46 €
Rechnungsbetrag 1.468,46 €
USt-IdNr.: DE136695976 IBAN: DE02 1203 0000 0000 2020 51 BIC: BYLADEM1001"""
FRENCH = """Atelier du Sud SARL - 3 rue des Lilas - 13001 Marseille
Facture n° 2024-77 du 3 mars 2024
Échéance 02/04/2024
Total HT 500,00 €
TVA 20 % 100,00 €
Total TTC 600,00 €"""
ENGLISH = """INVOICE
Sold by: Harbour Supplies Ltd
Bill to:
Someone Else Inc.
Invoice Number: HS-1009
Invoice Date: 03/04/2024
Subtotal $1,250.00
Tax (8%) $100.00
Total $1,350.00"""


def read(text: str) -> dict[str, Field]:
    return dict(reader.read([text]).fields)


def values(text: str) -> dict[str, str | None]:
    return {name: field.value for name, field in read(text).items()}


def test_a_german_invoice_is_read() -> None:
    assert values(GERMAN) == {
        "supplier": "Muster Handel GmbH",
        "invoice_number": "RE-2024-0815",
        "issue_date": "2024-03-05",
        "currency": "EUR",
        "net_amount": "1234.00",
        "tax_amount": "234.46",
        "gross_amount": "1468.46",
        "supplier_vat_id": "DE136695976",
        "iban": "DE02120300000000202051",
        "document_type": "invoice",
    }


def test_a_french_invoice_is_read() -> None:
    assert values(FRENCH) == {
        "supplier": "Atelier du Sud",
        "invoice_number": "2024-77",
        "issue_date": "2024-03-03",
        "currency": "EUR",
        "net_amount": "500.00",
        "tax_amount": "100.00",
        "gross_amount": "600.00",
        "document_type": "invoice",
    }


def test_an_english_invoice_is_read() -> None:
    assert values(ENGLISH) == {
        "supplier": "Harbour Supplies Ltd",
        "invoice_number": "HS-1009",
        "issue_date": "2024-04-03",
        "currency": "USD",
        "net_amount": "1250.00",
        "tax_amount": "100.00",
        "gross_amount": "1350.00",
        "document_type": "invoice",
    }


def test_a_date_that_may_be_two_is_not_guessed_silently() -> None:
    day = read(ENGLISH)["issue_date"]

    assert day.alternatives == ("2024-03-04",)
    assert day.confidence <= 0.5


def test_another_date_of_the_document_settles_the_order() -> None:
    day = read(ENGLISH + "\nDue Date: 03/31/2024")["issue_date"]

    assert (day.value, day.alternatives) == ("2024-03-04", ())


def test_the_language_settles_the_order() -> None:
    day = read("Facture n° A-12\nDate de facture 03/04/2024")["issue_date"]

    assert (day.value, day.alternatives) == ("2024-04-03", ())


def test_a_date_that_does_not_exist_is_not_read() -> None:
    assert list(dates.find("on 31.02.2024 and 14/13/2024", None)) == []


def test_an_amount_that_may_be_two_is_not_guessed_silently() -> None:
    gross = read("Invoice 77\nTotal 1,234")["gross_amount"]

    assert {gross.value, *gross.alternatives} == {"1234", "1.234"}
    assert gross.confidence <= 0.5


def test_the_decimal_mark_of_the_document_settles_an_amount() -> None:
    (amount,) = amounts.find("Gesamt 1.234", amounts.decimal_mark(["Porto 4,90", "Ware 12,00"]))

    assert amount.readings == ("1234",)


def test_arithmetic_settles_an_amount() -> None:
    gross = read("Invoice 77\nSubtotal 1,000\nVAT 234\nTotal 1,234")["gross_amount"]

    assert (gross.value, gross.alternatives) == ("1234", ())


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("1.234,56 €", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1'234.50 CHF", "1234.50"),
        ("-20,48 €", "-20.48"),
        ("€ -9,32", "-9.32"),
        ("20,48-", "-20.48"),
        ("(15.00)", "-15.00"),
        ("0,79", "0.79"),
    ],
)
def test_amounts_are_read_as_they_are_written(text: str, reading: str) -> None:
    (amount,) = amounts.find(text, None)

    assert amount.readings[0] == reading


@pytest.mark.parametrize("text", ["19 %", "03.04.2024", "12/2024", "v1.2.3", "RE-2024", "08:30"])
def test_rates_dates_and_names_are_no_amounts(text: str) -> None:
    assert list(amounts.find(text, None)) == []


def test_amounts_that_add_up_are_surer_than_those_that_do_not() -> None:
    wrong = GERMAN.replace("1.468,46", "1.486,46")

    assert read(GERMAN)["gross_amount"].confidence > 0.9
    assert read(wrong)["gross_amount"].confidence < 0.7


def test_a_supplier_that_is_only_the_first_line_is_a_guess() -> None:
    assert read("Corner Shop\nTOTAL 9.00")["supplier"].confidence <= 0.4


def test_the_receiver_is_not_the_supplier() -> None:
    receiver = "Bill to:\nSomeone Else Inc.\n1 Far Road\nTown\nCounty\nCountry\nPhone 5\n"

    assert read(receiver + "Harbour Supplies Ltd\nTotal 9.00")["supplier"].value == "Harbour Supplies Ltd"


def test_labels_and_values_in_columns_are_put_together() -> None:
    found = values("INVOICE\n$127.50\n$0.00\n$127.50\nSubtotal:\nTax (0%):\nTotal:\nThank you")

    assert (found["net_amount"], found["tax_amount"], found["gross_amount"]) == ("127.50", "0.00", "127.50")


def test_every_field_has_its_words_and_its_page() -> None:
    fields = reader.read(["cover sheet", GERMAN]).fields

    assert all(0 < len(field.evidence) <= 200 and field.page == 2 for field in fields.values())


def test_nothing_is_certain() -> None:
    assert all(field.confidence <= 0.97 for text in (GERMAN, FRENCH, ENGLISH) for field in read(text).values())


@pytest.mark.parametrize(
    "unit", ["1 234 ", "1.1.2020 ", "(", "rechnung", "DE12", "a b c d e ", "x: ", "tva 1,00 2,00 3,00\n"]
)
def test_no_text_takes_long(unit: str) -> None:
    start = monotonic()

    reader.read([unit * (1_000_000 // len(unit))] * 3)

    assert monotonic() - start < 10


def accuracy(corpus: str) -> dict[str, float]:
    path = DATA / "evaluate" / corpus
    if not path.exists():
        pytest.skip(f"no {path}")
    right: dict[str, list[bool]] = defaultdict(list)
    for case in map(json.loads, path.read_text().splitlines()):
        found = values(case["text"])
        for name, value in case["expected"].items():
            right[name].append(same(name, found.get(name), value))
    return {name: sum(answers) / len(answers) for name, answers in right.items()}


def same(name: str, ours: str | None, theirs: str) -> bool:
    if ours is None:
        return False
    if name.endswith("_amount"):
        return Decimal(ours) == Decimal(theirs)
    return re.sub(r"\W", "", ours).lower() == re.sub(r"\W", "", theirs).lower()


def test_invoices_are_read_from_their_text_layer() -> None:
    reached = accuracy("einvoices-text-only.jsonl")

    assert {name: share for name, share in reached.items() if share < 0.9} == {}


def test_receipts_are_read_from_their_lines() -> None:
    reached = accuracy("receipts-text.jsonl")

    floor = {"supplier": 0.65, "issue_date": 0.94, "gross_amount": 0.8}
    assert {name: share for name, share in reached.items() if share < floor[name]} == {}
