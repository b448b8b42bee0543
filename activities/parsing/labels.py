"""The words with which English, German and French invoices (and Dutch ones, in passing) name their amounts."""

import re
from typing import Literal, NamedTuple

Kind = Literal["net", "tax", "gross", "none"]
"""`none` takes words out of the game that would look like a label: the amount beside them is another thing."""

EXPLICIT = 3
"""The strength of a label that cannot mean anything else."""

_TAX = r"(?:umsatzsteuer|mehrwertsteuer|u\.?st|mwst|vat|tva|gst|btw|taxes|tax|taxe|steuer)\b\.?"
_WITHOUT = r"(?:excl\w*|exkl\w*|ohne|hors|before|without|w/o|ex)\.?(?: of)?"
_WITH = r"(?:incl\w*|inkl\w*|einschl\w*|including|with)\.?(?: of)?"
_SUM = (
    r"(?:(?:sub|grand|invoice|order|bill|sales|net) ?-?total|total(?: amount| sales| facture| invoice)?|totaal"
    r"|summe|gesamt\w{0,16}|rechnungs\w{0,16}|betrag|amount|montant(?: total)?)"
)

# One alternation, tried from the left and in this order: what is more particular stands first.
_LABELS: tuple[tuple[Kind, float, tuple[str, ...]], ...] = (
    (
        "none",
        0,
        (
            rf"\b{_TAX}[ -]{{0,2}}(?:/? ?tin|id|ident|nr|no|num|n°|reg|code|client|intra|invoice|rate|satz)\w{{0,12}}",
            r"(?:gesamtbetrag|summe) der \w{0,3}(?:zu|ab)schläge",
            r"(?:netto|brutto|listen)\w{0,8}preis",
            r"total (?:qty|items?|quantity|discount|savings?|rabatt)\w{0,3}",
            r"\b(?:rounding|cash|change|tendered|rückgeld|gegeben|prepaid|anzahlung\w{0,4}|acompte)\b",
            r"\bskonto|\bau capital de",
        ),
    ),
    ("net", 3, (rf"\b{_SUM}[ :(]{{0,3}}{_WITHOUT} {{0,2}}{_TAX}",)),
    ("gross", 3, (rf"\b{_SUM}[ :(]{{0,3}}{_WITH} {{0,2}}{_TAX}",)),
    (
        "gross",
        3,
        (
            r"\b(?:rechnungssumme|summe|betrag|gesamt\w{0,8}|total) brutto(?: ?\([^)]{0,30}\))?",
            r"\bbrutto(?:summe|betrag|gesamt\w{0,8})|\bgesamtbrutto\w{0,8}|\bgross (?:total|amount)|\btotal gross",
        ),
    ),
    (
        "net",
        3,
        (
            r"\b(?:rechnungssumme|summe|betrag|gesamt\w{0,8}|total) netto(?: ?\([^)]{0,30}\))?",
            r"\bnetto(?:summe|betrag|wert|gesamt\w{0,8})?\b|\bgesamtnetto\w{0,8}",
            r"\bnet (?:total|amount|value)|\btotal net\b",
        ),
    ),
    ("gross", 3, (r"\b(?:total |montant |prix |somme )?ttc\b|\bnet à payer(?: ttc)?|\btoutes taxes comprises",)),
    ("net", 3, (r"\b(?:total |montant |base |prix )?(?:h\.?t\b\.?|hors tax\w{1,2})",)),
    ("net", 3, (rf"\b{_WITHOUT} {{0,2}}{_TAX}", r"\b(?:total )?tax(?:able|ed)\b(?: amount| total| value)?")),
    ("gross", 2.5, (rf"\b{_WITH} {{0,2}}{_TAX}",)),
    ("net", 2, (r"\b(?:sub-?\s?total|subtotaal|sous-total|zwischensumme|positionssumme|warenwert)",)),
    (
        "tax",
        3,
        (
            rf"\b(?:total|montant|summe|gesamt|betrag|amount)(?: (?:of|de|des|der|la))?[ -](?:sales )?{_TAX}",
            r"\b(?:steuer|mwst-?|ust-?)(?:betrag|summe)",
            rf"\b(?:sales )?{_TAX}[ -]?(?:total|amount|betrag|gesamt|bedrag|summe)",
        ),
    ),
    ("tax", 2, (rf"\b(?:sales )?{_TAX}|\bsteuerbasisbetrag",)),
    (
        "gross",
        3,
        (
            r"\b(?:grand|invoice|order) ?total|\btotal (?:amount )?(?:due|payable)|\btotal amount",
            r"\btotal (?:for|of) this (?:invoice|bill)|\bround\w{0,3} total",
            r"\btotal (?:after )?round\w{0,4}|\bnett total|\bfactuur totaal|\btotal facture",
            r"\b(?:gesamt|rechnungs|end|rechnungsend)(?:betrag|summe)\b",
        ),
    ),
    (
        "gross",
        1,
        (
            r"\b(?:amount|balance|payment) due|\bzahlbetrag|\b(?:zu zahlen|zahlbar)\w{0,4}|\bbalance\b|\bpayable\b",
            r"\b(?:total|solde|somme|reste) à payer",
        ),
    ),
    ("gross", 2, (r"\b(?:total|totaal|summe|gesamt|montant total)\b(?: ?\([a-z]{2,3}\))?",)),
)
_PATTERN = re.compile(
    "|".join(f"(?P<l{index}>{'|'.join(words)})" for index, (*_, words) in enumerate(_LABELS)), re.IGNORECASE
)


class Label(NamedTuple):
    kind: Kind
    strength: float
    start: int
    end: int


def find(text: str) -> list[Label]:
    found = []
    for match in _PATTERN.finditer(text):
        kind, strength, _ = _LABELS[int((match.lastgroup or "l0")[1:])]
        found.append(Label(kind, strength, *match.span()))
    return found
