"""E-invoices: what a CII (ZUGFeRD, Factur-X) or UBL document says, and which of the two some XML is."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import islice
from xml.etree.ElementTree import Element

from stdnum import iban

from activities.parsing import markup
from activities.parsing.layout import EVIDENCE
from activities.parsing.vocabulary import CII, CREDIT_NOTES, INVOICES, UBL, Vocabulary
from schemas.invoice import AMOUNTS
from schemas.proposal import Field, Line, Reading
from schemas.source import Format

READ = 0.99
DERIVED = 0.9
DOUBTFUL = 0.6
CENT = Decimal("0.01")
MAX_LINES = 10_000
LONGEST = 1000
"""More than any check lets pass: a name or number is never cut to fit."""

Found = tuple[str, str]
"""Where in the document, and the text found there."""

_AMOUNT = re.compile(r"([+-]?)(\d{0,24})(?:\.(\d{0,12}))?")
_DAY = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_VOCABULARIES = {"cii": CII, "ubl": UBL}


def read(xml: bytes) -> Reading:
    """Empty when the XML is no invoice; raises what `markup.parse` raises."""
    return told_by(markup.parse(xml))


def told_by(root: Element) -> Reading:
    vocabulary = _VOCABULARIES.get(format_of(root))
    if vocabulary is None:
        return Reading()
    return Reading(fields=_fields(root, vocabulary), lines=tuple(_lines(root, vocabulary)))


def format_of(root: Element) -> Format:
    match markup.local(root):
        case "CrossIndustryInvoice" | "CrossIndustryDocument":
            return "cii"
        case "Invoice" | "CreditNote" if any(markup.find(root, "AccountingSupplierParty")):
            return "ubl"
        case _:
            return "unknown"


def _fields(root: Element, vocabulary: Vocabulary) -> dict[str, Field]:
    fields = {}
    for name, paths in vocabulary.fields.items():
        found = next((found for start in paths if (found := list(markup.texts(root, start)))), [])
        said: dict[str, Found] = {}
        for path, words in found:
            if value := _canonical(name, words):
                said.setdefault(value, (path, words))
        if said:
            first, *others = said
            fields[name] = _field(first, said[first]).model_copy(update={"alternatives": tuple(others)})
    if markup.local(root) == "CreditNote":
        fields["document_type"] = _field("credit-note", ("CreditNote", "root element"))
    optional = {
        "tax_amount": _tax(root, vocabulary, fields),
        "supplier_vat_id": _vat_id(root, vocabulary),
        "iban": _iban(root, vocabulary),
    }
    return _doubting(fields | {name: field for name, field in optional.items() if field})


def _field(value: str, found: Found, confidence: float = READ) -> Field:
    return Field(value=value, evidence=f"{found[0]}: {found[1]}"[:EVIDENCE], confidence=confidence)


def _canonical(name: str, words: str) -> str | None:
    """The value in its canonical form, or None when the element holds something else."""
    if name in AMOUNTS:
        return amount(words)
    match name:
        case "issue_date":
            return _iso_day(words)
        case "currency":
            return words.upper() if re.fullmatch(r"[A-Za-z]{3}", words) else None
        case "document_type":
            return "credit-note" if words in CREDIT_NOTES else "invoice" if words in INVOICES else "other"
        case _:
            return words[:LONGEST]


def amount(words: str) -> str | None:
    """An xs:decimal without its liberties: no plus sign, a digit on either side of the point."""
    match = _AMOUNT.fullmatch(words)
    if match is None or not (match[2] or match[3]):
        return None
    sign = "-" if match[1] == "-" else ""
    return f"{sign}{match[2] or '0'}" + (f".{match[3]}" if match[3] else "")


def _iso_day(words: str) -> str | None:
    match = _DAY.match(words)
    try:
        return date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def _tax(root: Element, vocabulary: Vocabulary, fields: dict[str, Field]) -> Field | None:
    """The total in the invoice's own currency, as stated, or else what lies between net and gross."""
    currency = fields.get("currency", Field()).value
    totals = [(path, element) for path, element in markup.find(root, vocabulary.tax_total)]
    own = [(path, found) for path, found in totals if found.get("currencyID", currency) == currency]
    for path, found in own or totals[:1]:
        if value := amount(markup.words_of(found)):
            return _field(value, (path, markup.words_of(found)), READ if own else DOUBTFUL)
    net, gross = (fields.get(name, Field()).value for name in ("net_amount", "gross_amount"))
    if net is None or gross is None:
        return None
    return _field(str(Decimal(gross) - Decimal(net)), ("not stated", f"derived as gross {gross} - net {net}"), DERIVED)


def _vat_id(root: Element, vocabulary: Vocabulary) -> Field | None:
    for path, registration in markup.find(root, vocabulary.tax_registration):
        for name, number in markup.find(registration, "ID|CompanyID"):
            scheme = markup.first(registration, "TaxScheme/ID") or ("", number.get("schemeID", ""))
            words = markup.words_of(number)
            if words and scheme[1].upper() in ("VA", "VAT"):
                return _field("".join(words.split()).upper(), (f"{path}/{name}", words))
    return None


def _iban(root: Element, vocabulary: Vocabulary) -> Field | None:
    """One account is certain; of several nobody can tell which is meant."""
    accounts = {iban.compact(words): (path, words) for path, words in markup.texts(root, vocabulary.iban)}
    numbers = [number for number in accounts if re.match(r"[A-Z]{2}\d\d[A-Z0-9]{8}", number)]
    if not numbers:
        return None
    field = _field(numbers[0], accounts[numbers[0]], READ if len(numbers) == 1 else DOUBTFUL)
    return field.model_copy(update={"alternatives": tuple(numbers[1:5])})


def _doubting(fields: dict[str, Field]) -> dict[str, Field]:
    """Less sure of all three amounts when they contradict each other."""
    amounts = {name: fields[name] for name in AMOUNTS if name in fields}
    net, tax, gross = (Decimal(amounts[name].value or 0) if name in amounts else None for name in AMOUNTS)
    if net is None or tax is None or gross is None or abs(net + tax - gross) <= CENT:
        return fields
    return fields | {name: field.model_copy(update={"confidence": DOUBTFUL}) for name, field in amounts.items()}


def _lines(root: Element, vocabulary: Vocabulary) -> Iterator[Line]:
    for _, element in islice(markup.find(root, vocabulary.line), MAX_LINES):
        found = {name: markup.first(element, *paths) for name, paths in vocabulary.line_fields.items()}
        texts = {name: at[1] for name, at in found.items() if at}
        yield Line(
            description=texts.pop("description", "")[:EVIDENCE],
            **{name: amount(words) for name, words in texts.items()},
        )
