"""The demo's folder of invoices; `python -m tests.samples` writes it. All companies and accounts are invented."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from facturx import generate_from_binary, generate_xml
from PIL import Image
from pypdfium2 import PdfDocument
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

SAMPLES = Path(__file__).parent.parent / "starters" / "samples" / "invoices"

# A block a file: its name, its form, number, date, VAT rate, language, colour, order (of a credit note: the
# invoice it credits); the supplier; then quantity, unit price and name of each item.
LEDGER = """
northwind-paper-RE-2026-0117.pdf | factur-x | RE-2026-0117 | 2026-01-19 | 19 | de | 1f4e79 | PO-4471
Northwind Paper GmbH | Am Mühlgraben 4 | 04229 | Leipzig | DE | DE913604529 | DE89370400440532013000
40 | 24.90 | Kopierpapier A4 80 g, Karton
12 | 38.50 | Versandtaschen C4, 500 Stück
1 | 35.00 | Lieferung frei Haus

atelier-lumora-facture-F2026-042.pdf | factur-x | F2026-042 | 2026-02-24 | 20 | fr | 8c2f4b | PO-4498
Atelier Lumora SARL | 27 rue des Tisserands | 69004 | Lyon | FR | FR70999432115 | FR1420041010050500013M02606
2 | 620.00 | Prise de vue produits, demi-journée
18 | 22.50 | Retouche d'images

tessel-vonk-invoice-TV-26-0093.pdf | factur-x | TV-26-0093 | 2026-03-16 | 21 | en | 0f6b5c | PO-4520
Tessel & Vonk B.V. | Lijnbaan 140 | 3012 ER | Rotterdam | NL | NL999872217B01 | NL91ABNA0417164300
6 | 185.00 | Calibration of torque sensor
6 | 27.50 | Calibration certificate
1 | 42.80 | Return shipping

kade-koffie-KK-2026-0311.xml | ubl | KK-2026-0311 | 2026-03-27 | 9 | en | 5b3a1e | PO-4533
Kade Koffie B.V. | Entrepotkade 9 | 1018 AD | Amsterdam | NL | NL999873301B01 | NL37ABNA0417164302
48 | 17.25 | Espresso beans, 1 kg
12 | 14.40 | Oat milk, case of 6

reinwerk-XR-2026-0208.xml | cii | XR-2026-0208 | 2026-03-31 | 19 | de | 2d6a8f | PO-4380
Reinwerk Service GmbH | Hafenstraße 31 | 28217 | Bremen | DE | DE925188404 | DE86370400440532014800
1 | 2180.00 | Unterhaltsreinigung März 2026
3 | 145.00 | Glasreinigung Treppenhaus

brandt-pruefstand-RE-26-3310.pdf | factur-x | RE-26-3310 | 2026-04-14 | 19 | de | 7a1f1f | PO-4402
Brandt Messtechnik GmbH | Werkring 18 | 70435 | Stuttgart | DE | DE934077151 | DE04370400440532015500
1 | 16200.00 | Kalibrierprüfstand KP-200
20 | 110.00 | Montage und Inbetriebnahme, Stunde

harrow-lane-INV-20418.pdf | pdf | INV-20418 | 2026-05-12 | 23 | en | 3b3f8c | PO-4561
Harrow Lane Consulting Ltd | 6 Cooper's Yard | D08 XY45 | Dublin | IE | IE9997720HH | IE51AIBK93115220418204
4 | 780.00 | Process review, day
1 | 186.40 | Travel expenses

kupferhof-rechnung-R-4711.pdf | pdf | R-4711 | 2026-05-21 | 7 | de | 9a5a1a | PO-4577
Kupferhof Catering GmbH | Kupfergasse 2 | 22305 | Hamburg | DE | DE946620310 | DE35370400440532016300
45 | 18.50 | Mittagsbuffet, je Person
45 | 6.20 | Fingerfood am Nachmittag, je Person

blue-heron-freight-7714.pdf | pdf | BH-7714 | 2026-04-03 | 10 | plain | 22577a | PO-4549
Blue Heron Freight | 14 Quay Street | PA4 | Port Alder | | |
4 | 310.00 | Palletised freight, lane 12
1 | 95.00 | Customs handling

sonnfeld-elektro-RE-2026-0555.pdf | misprint | RE-2026-0555 | 2026-04-27 | 19 | de | 4a6b1f | PO-4555
Sonnfeld Elektro GmbH | Lindenweg 77 | 01099 | Dresden | DE | DE951209882 | DE66370400440532017100
14 | 95.00 | Wartung Schaltanlagen, Stunde
1 | 980.00 | Prüfung ortsfester Anlagen

scan-2026-06-02-0912.pdf | scan | 883-26 | 2026-05-29 | 19 | de | 444444 | PO-4590
Morgentau Glaserei GmbH | Torstraße 3 | 20095 | Hamburg | DE | DE968041738 | DE63370400440532018900
2 | 245.00 | Isolierglasscheibe 120 x 80 cm
5 | 62.00 | Einbau, Stunde

kade-koffie-credit-note-KK-C-014.xml | credit | KK-C-014 | 2026-04-09 | 9 | en | 5b3a1e | KK-2026-0311
Kade Koffie B.V. | Entrepotkade 9 | 1018 AD | Amsterdam | NL | NL999873301B01 | NL37ABNA0417164302
6 | 14.40 | Oat milk, case of 6, returned

mail/tessel-vonk-invoice-TV-26-0118.pdf | factur-x | TV-26-0118 | 2026-06-08 | 21 | en | 0f6b5c | PO-4602
Tessel & Vonk B.V. | Lijnbaan 140 | 3012 ER | Rotterdam | NL | NL999872217B01 | NL91ABNA0417164300
3 | 185.00 | Calibration of torque sensor
3 | 27.50 | Calibration certificate

mail/tessel-vonk-invoice-TV-26-0119.xml | ubl | TV-26-0119 | 2026-06-08 | 21 | en | 0f6b5c | PO-4603
Tessel & Vonk B.V. | Lijnbaan 140 | 3012 ER | Rotterdam | NL | NL999872217B01 | NL91ABNA0417164300
2 | 240.00 | Repair of pressure gauge"""
LETTER = """Dear Aldermere team,

please find attached our invoices TV-26-0118 (calibration) and TV-26-0119 (repair).

Kind regards
Mirre Vonk, Tessel & Vonk B.V.
"""
BUYERS = """
Aldermere Instruments GmbH | Speicherweg 12 | 20457 | Hamburg | DE | DE902417001
Aldermere Instruments SAS | 8 quai des Forges | 69009 | Lyon | FR | FR46999432107
Aldermere Instruments B.V. | Havenkade 21 | 3511 AB | Utrecht | NL | NL999871109B01
Aldermere Instruments Ltd | Mill Quay 5 | T12 AB34 | Cork | IE | IE9998841BH
Aldermere Instruments | 5 Mill Lane | PA1 | Port Alder | |"""
PARTY = "name addr_l1 postcode city country_code vat_identifier"
LABELS = "day marks title bill_to number issued order item quantity price amount net tax gross terms vat_id"
WORDS = """
en | %d %B %Y | ,. | Invoice | Bill to | Invoice number | Invoice date | Your order
Description | Quantity | Unit price | Amount | Net amount | VAT | Total due | Payable within 30 days. | VAT ID

plain | %d/%m/%Y | ,. | Invoice | Bill to | Invoice number | Invoice date | Your order
Description | Quantity | Unit price | Amount | Net amount | Tax | Total due | Payable within 30 days. | Tax ID

de | %d.%m.%Y | ., | Rechnung | Rechnung an | Rechnungsnummer | Rechnungsdatum | Ihre Bestellung
Bezeichnung | Menge | Einzelpreis | Betrag | Nettobetrag | USt. | Gesamtbetrag | Zahlbar in 30 Tagen. | USt-IdNr.

fr | %d/%m/%Y | \u00a0, | Facture | Facturé à | Facture n° | Date de facture | Votre commande
Désignation | Quantité | Prix unitaire | Montant | Total HT | TVA | Total TTC | Paiement à 30 jours. | N° TVA"""
ENTITIES = b"""<!DOCTYPE Invoice [
  <!ENTITY a "KK-2026-0312 ">
  <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
  <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
  <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
]>"""
WHITE, GREY, LIGHT, INK = "ffffff", "777777", "dddddd", "222222"


class Item(NamedTuple):
    quantity: str
    price: str
    name: str

    @property
    def amount(self) -> Decimal:
        return int(self.quantity) * Decimal(self.price)


class Invoice(NamedTuple):
    number: str
    issued: date
    rate: str
    words: Mapping[str, str]
    colour: str
    order: str
    supplier: Mapping[str, str]
    iban: str
    buyer: Mapping[str, str]
    items: tuple[Item, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal

    def money(self, amount: Decimal) -> str:
        return f"{amount:,.2f}".translate(str.maketrans(",.", self.words["marks"]))


def _cells(lines: str) -> list[str]:
    return [cell.strip(" ") for cell in lines.replace("\n", "|").split("|")]


def _invoice(block: str) -> tuple[str, str, Invoice]:
    head, sender, *lines = block.splitlines()
    name, form, number, issued, rate, language, colour, order = _cells(head)
    languages = {row[0]: row[1:] for row in map(_cells, WORDS.strip().split("\n\n"))}
    words = dict(zip(LABELS.split(), languages[language], strict=True))
    *party, iban = _cells(sender)
    supplier = dict(zip(PARTY.split(), party, strict=True))
    buyers = [dict(zip(PARTY.split(), _cells(line), strict=True)) for line in BUYERS.strip().splitlines()]
    buyer = next(buyer for buyer in buyers if buyer["country_code"] == supplier["country_code"])
    items = tuple(Item(*_cells(line)) for line in lines)
    net = sum((item.amount for item in items), Decimal(0))
    tax = (net * int(rate) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    said = (number, date.fromisoformat(issued), rate, words, colour, order, supplier, iban, buyer, items)
    return name, form, Invoice(*said, net, tax, net + tax)


class Page:
    """One sheet of A4, measured in millimetres from its top left corner."""

    def __init__(self, fonts: tuple[str, str]) -> None:
        self.file, self.fonts = BytesIO(), fonts
        self.canvas = Canvas(self.file, pagesize=A4, invariant=1, pageCompression=1)

    def write(self, x: float, y: float, text: str, size: float = 9, ink: str = INK, bold: bool = False) -> None:
        """A negative x is where the text ends, from the right."""
        self.canvas.setFont(self.fonts[bold], size)
        self.canvas.setFillColor(HexColor(f"#{ink}"))
        draw = self.canvas.drawString if x > 0 else self.canvas.drawRightString
        draw((x % 210) * mm, A4[1] - y * mm, text)

    def fill(self, x: float, y: float, width: float, height: float, ink: str) -> None:
        self.canvas.setFillColor(HexColor(f"#{ink}"))
        self.canvas.rect(x * mm, A4[1] - (y + height) * mm, width * mm, height * mm, stroke=0, fill=1)


def _head(page: Page, i: Invoice) -> None:
    who, to, words = i.supplier, i.buyer, i.words
    page.fill(0, 0, 210, 38, i.colour)
    page.write(20, 19, who["name"], 20, WHITE, bold=True)
    page.write(20, 27, f"{who['addr_l1']}, {who['postcode']} {who['city']}", 9, WHITE)
    page.write(-20, 19, words["title"].upper(), 14, WHITE)
    page.write(20, 54, words["bill_to"], 8, GREY)
    for n, line in enumerate((to["name"], to["addr_l1"], f"{to['postcode']} {to['city']}")):
        page.write(20, 60 + 5 * n, line, 10, bold=n == 0)
    meta = {"number": i.number, "issued": i.issued.strftime(words["day"]), "order": i.order}
    for n, (label, value) in enumerate(meta.items()):
        page.write(120, 54 + 6 * n, words[label], 9, GREY)
        page.write(-20, 54 + 6 * n, value, 9, bold=True)


def _table(page: Page, i: Invoice) -> float:
    """Draw the items, and say where the space below begins."""
    columns = {"item": 20, "quantity": -83, "price": -51, "amount": -20}
    for label, x in columns.items():
        page.write(x, 94, i.words[label], 8, i.colour, bold=True)
    page.fill(20, 97, 170, 0.5, i.colour)
    y = 104.0
    for item in i.items:
        cells = (item.name, item.quantity, i.money(Decimal(item.price)), i.money(item.amount))
        for x, cell in zip(columns.values(), cells, strict=True):
            page.write(x, y, cell)
        page.fill(20, y + 3.5, 170, 0.2, LIGHT)
        y += 9
    return y + 5


def _foot(page: Page, i: Invoice, y: float) -> None:
    words, who = i.words, i.supplier
    page.fill(115, y + 10.2, 75, 9, i.colour)
    totals = {words["net"]: i.net, f"{words['tax']} {i.rate} %": i.tax, words["gross"]: i.gross}
    for down, (label, amount) in zip((0, 6.5, 15.8), totals.items(), strict=True):
        ink, bold = (WHITE, True) if amount is i.gross else (INK, False)
        page.write(119, y + down, label, 9.5, ink, bold)
        page.write(-24, y + down, f"{i.money(amount)} EUR", 9.5, ink, bold)
    iban = " ".join(re.findall(".{1,4}", i.iban))
    page.write(20, y, words["terms"])
    page.write(20, y + 6.5, f"IBAN: {iban}" if iban else "")
    page.fill(20, 272, 170, 0.2, LIGHT)
    page.write(20, 278, f"{who['name']}  ·  {who['addr_l1']}  ·  {who['postcode']} {who['city']}", 7.5, GREY)
    page.write(-20, 278, f"{words['vat_id']} {who['vat_identifier']}" if who["vat_identifier"] else "", 7.5, GREY)


def pdf(i: Invoice, fonts: tuple[str, str] = ("Helvetica", "Helvetica-Bold")) -> bytes:
    page = Page(fonts)
    page.canvas.setTitle(f"{i.supplier['name']}: {i.words['title']} {i.number}")
    _head(page, i)
    _foot(page, i, _table(page, i))
    page.canvas.save()
    return page.file.getvalue()


def scan(i: Invoice) -> bytes:
    """A picture of the page, a little askew; its fonts come with reportlab, so that it is the same everywhere."""
    for font in ("Vera", "VeraBd"):
        registerFont(TTFont(font, f"{font}.ttf"))
    picture = PdfDocument(pdf(i, ("Vera", "VeraBd")))[0].render(scale=150 / 72, grayscale=True).to_pil()
    file, day = BytesIO(), i.issued.timetuple()
    askew = picture.rotate(0.5, fillcolor=255, resample=2).point(lambda grey: 255 * (grey > 190)).convert("1")
    askew.save(file, "PDF", resolution=150, creationDate=day, modDate=day)
    return file.getvalue()


def xml(i: Invoice, flavor: str, code: str = "380") -> bytes:
    """The invoice in the business terms of EN 16931, as UBL or CII."""
    net, tax, gross = str(i.net), str(i.tax), str(i.gross)
    reference = {"BT-13": i.order} if code == "380" else {"BG-3": [{"BT-25": i.order}]}
    said = {"BT-1": i.number, "BT-2": i.issued, "BT-3": code, "BT-5": "EUR", "BT-72": i.issued}
    totals = {"BT-106": net, "BT-109": net, "BT-110": tax, "BT-112": gross, "BT-115": gross}
    payment = {"BT-20": i.words["terms"], "BT-81": "58", "BT-84": i.iban}
    vat = {"BG-23": [{"BT-116": net, "BT-117": tax, "BT-118": "S", "BT-119": i.rate}]}
    lines = [
        {"BT-126": str(n), "BT-129": item.quantity, "BT-130": "C62", "BT-146": item.price, "BT-153": item.name}
        | {"BT-131": str(item.amount), "BT-151": "S", "BT-152": i.rate}
        for n, item in enumerate(i.items, start=1)
    ]
    parties = {"BG-4": {**i.supplier}, "BG-7": {**i.buyer}}  # copies: the library changes what it is given
    facts = {**said, **reference, **parties, **totals, **payment, **vat, "BG-25": lines}
    return bytes(generate_xml(facts, flavor, level="en16931", check_schematron=False))


def factur_x(i: Invoice) -> bytes:
    """The library writes the time of generation in five places; here each of them is New Year."""
    stamped = generate_from_binary(pdf(i), xml(i, "factur-x"), level="en16931", xmp_compression=False)
    stamped = re.sub(rb"(D(?::|\\072))\d{14}", rb"\g<1>20260101000000", stamped)
    return re.sub(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", b"2026-01-01T00:00:00", stamped)


def mail(attached: dict[str, bytes]) -> bytes:
    """Some documents as a supplier sends them, with the logo that every mail program adds."""
    message = EmailMessage()
    message["From"], message["To"] = "Tessel & Vonk <billing@tesselvonk.example>", "invoices@aldermere.example"
    message["Subject"], message["Date"] = "Invoices TV-26-0118 and TV-26-0119", datetime(2026, 6, 8, 9, 30, tzinfo=UTC)
    message["Message-ID"] = "<20260608.118@tesselvonk.example>"
    message.set_content(LETTER)
    Image.new("RGB", (120, 40), "#0f6b5c").save(logo := BytesIO(), "PNG")
    for name, data in (attached | {"logo.png": logo.getvalue()}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    message.set_boundary("tessel-vonk")
    return message.as_bytes()


FORMS: Mapping[str, Callable[[Invoice], bytes]] = {
    "pdf": pdf,
    "scan": scan,
    "factur-x": factur_x,
    "misprint": lambda i: factur_x(i._replace(gross=i.gross + 36)),
    "cii": lambda i: xml(i, "factur-x"),
    "ubl": lambda i: xml(i, "ubl-2.1"),
    "credit": lambda i: xml(i, "ubl-2.1", code="381"),
}


def ledger() -> Iterator[tuple[str, str, Invoice]]:
    """Of each invoice the name of its file, its form, and what it says."""
    return map(_invoice, LEDGER.strip().split("\n\n"))


def samples() -> dict[str, bytes]:
    """Every file by its name: of the ledger, of a mail, cut off on its way, built to exhaust an XML parser."""
    files = {name: FORMS[form](invoice) for name, form, invoice in ledger()}
    cut = files["northwind-paper-RE-2026-0117.pdf"][:3000]
    honest = files["kade-koffie-KK-2026-0311.xml"].replace(b"KK-2026-0311", b"&d;")
    bomb = honest.replace(b"<Invoice", ENTITIES + b"\n<Invoice", 1)
    sent = {name.removeprefix("mail/"): files.pop(name) for name in list(files) if name.startswith("mail/")}
    made = {"northwind-paper-RE-2026-0124.pdf": cut, "kade-koffie-KK-2026-0312.xml": bomb}
    return files | made | {"tessel-vonk-two-invoices.eml": mail(sent)}


if __name__ == "__main__":
    for name, content in samples().items():
        (SAMPLES / name).write_bytes(content)
