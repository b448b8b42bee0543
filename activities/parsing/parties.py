"""Who sends an invoice: the name, the VAT id and the account, kept apart from those of who receives it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from stdnum import iban as iban_number
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

from activities.parsing.layout import EVIDENCE, Line
from schemas.proposal import Field

_SELLER = re.compile(
    r"^(?:verkäufer|rechnungs(?:er)?steller|lieferant|seller|sold by|vendor|supplier|fournisseur|vendeur|émetteur"
    r"|prestataire|service provider|issued by|from|leistungserbringer)\b(?P<rest>\W{0,3}.{0,120})",
    re.IGNORECASE,
)
_BUYER = re.compile(
    r"^(?:käufer|(?:rechnungs|waren)?empfänger|kunde\b|(?:bill|ship)(?:ed|ing|ping|ped)? (?:to|address)"
    r"|sold to|deliver\w{0,3} (?:to|address)|customer\b|client\b|buyer|adresse de|facturé à|livré à|abweichend"
    r"|attn|an:)",
    re.IGNORECASE,
)
_NAMED_COMPANY, _NAMED = 0.93, 0.82
"""How sure a name below "Seller" is: with a legal form, and without."""
_COMPANY, _IN_ADDRESS_LINE, _OWN_NUMBER, _REPEATED, _MOST = 0.5, 0.2, 0.3, 0.1, 0.95
"""How sure a company is that nothing names the seller, what it gains, and how sure it can become."""
_OWN = re.compile(r"\b(?:iban|kvk|siret|siren|hrb|ust-?id\w{0,4}|(?:vat|btw|tva)\b\W{0,4}[A-Z]{2}\d)", re.IGNORECASE)
_OWN_LINES = 9
_BUYERS_LINES = 6
"""How far below such a heading an address reaches."""
_NAME_LENGTHS = range(4, 80)
_FRENCH_FORM = re.compile(r"\s+(?:SARL|SASU|SAS|EURL|SNC|SA)$")
_REGISTER_NUMBER = re.compile(r"\s?\([\dA-Z]{0,4}\d{3,12}-?[A-Z]?\)$|^#\d+ ")
_CONTINUED = re.compile(r"^(?:\(|co\.?\s|\w{1,20}\)|&|und\s|and\s)", re.IGNORECASE)
"""A line that cannot begin a name, so the name began in the line above."""
_FORM = re.compile(
    r"(?<!\w)(?:gGmbH|GmbH(?: ?& ?Co\.?(?: ?KGa?A?)?)?|AG|KG|KGaA|OHG|UG|e\.? ?K\.?|e\.? ?V\.?|GbR|a\.G\.|SE"
    r"|SARL|SAS|SASU|SA|EURL|Ltd|Limited|LLC|LLP|Inc|PLC|Corp|B\.?V|N\.?V|S\.?r\.?l|S\.?p\.?A|Pty"
    r"|(?:SDN\.? )?BHD|S/B|S\.A)(?!\w)\.?",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r" [-\u2013|●•·] | ?[|●•·] ?| au capital |, (?=\d|[A-ZÄÖÜ]\w{2,30} \d)|, ?$")
_POSTCODE = re.compile(r"\b\d{4,5} ?[A-ZÄÖÜÉ]")
_NOT_A_NAME = re.compile(
    r"\w*rechnung|\b(?:invoice|facture|factuur|datum|date|seite|page|nummer|number|nr|gln|tel\w{0,5}|fax|copy|kopie|uhr"
    r"|iban|ust|tva|vat|total|amount|stylesheet|beispiel|verkäufer|käufer|globale|receipt|bill|cash"
    r"|qty|items?|description|unit|price|amt|uom|code|artikel|beschreibung)\b|http|www|@",
    re.IGNORECASE,
)
_MEMBER = re.compile(r"^(?:name|firma|company)\s?:\s?(.{0,120})$", re.IGNORECASE)
_TAX_LABEL = re.compile(r"ust|umsatzsteuer|vat|tva|btw|mwst|uid", re.IGNORECASE)
_VAT_ID = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[ .]?(?=[A-Z0-9. ]{0,3}\d)[A-Z0-9][A-Z0-9. ]{5,18}")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}")
_PAYERS_ACCOUNT = re.compile(
    r"\b(?:ihre[mnr]?|your|votre) (?:\w{1,20} ){0,2}(?:\w{0,5}konto|bankverbindung|account|compte)\b(?! ?(?:n|#))",
    re.IGNORECASE,
)
"""What is paid by direct debit comes from there; "your account number" is no bank's."""


def _buyers(lines: Sequence[Line]) -> set[int]:
    """The lines that belong to who receives the invoice."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        if _SELLER.match(line.text):
            found -= set(range(index, index + _BUYERS_LINES + 1))
        elif _BUYER.match(line.text):
            found |= set(range(index, index + _BUYERS_LINES + 1))
    return found


def supplier(lines: Sequence[Line]) -> Field | None:
    found = list(_named_sellers(lines)) or list(_companies(lines)) or list(_first_lines(lines))
    if not found:
        return None
    confidence, name, line = max(found, key=lambda each: each[0])
    return Field(value=name, evidence=line.text[:EVIDENCE], page=line.page, confidence=round(confidence, 2))


def _named_sellers(lines: Sequence[Line]) -> Iterator[tuple[float, str, Line]]:
    """A name beside or below a heading such as "Seller"."""
    for index, line in enumerate(lines):
        match = _SELLER.match(line.text)
        if not match:
            continue
        rest = match["rest"].strip(" :,.")
        below = [each.text for each in lines[index + 1 : index + 8]]
        name = rest if rest and ":" in match["rest"] else "" if len(rest) > len("/r") else _name_below(below)
        if name and not _NOT_A_NAME.search(name):
            stands = next((it for it in lines[index : index + 8] if name.split()[0] in it.text), line)
            yield (_NAMED_COMPANY if _FORM.search(name) else _NAMED), _trimmed(name), stands


def _name_below(below: list[str]) -> str:
    members = [index for index, text in enumerate(below) if _MEMBER.match(text)]
    start = members[0] if members else next((i for i, text in enumerate(below) if _could_be_name(text)), len(below))
    name: list[str] = []
    for text in below[start:]:
        words = (match[1] if (match := _MEMBER.match(text)) else text).strip()
        if name and not _could_be_name(words):
            break
        if words:
            name.append(words)
        if len(name) > 1 or (name and _FORM.search(name[-1])):
            break
    return "\n".join(name)


def _could_be_name(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]{2}", text)) and not re.search(r"^\(|[:\d]", text) and not _NOT_A_NAME.search(text)


def _companies(lines: Sequence[Line]) -> Iterator[tuple[float, str, Line]]:
    """Names with a legal form: the sender's stand early, again and again, or in one line with the address."""
    buyers = _buyers(lines)
    mentions = [
        (index, part.strip(" ,;:"), len(parts), _POSTCODE.search(line.text) is not None)
        for index, line in enumerate(lines)
        if index not in buyers
        for parts in [_SEPARATOR.split(_whole(lines, index))]
        for part in parts
        if _is_company(part)
    ]
    times = Counter(name.lower() for _, name, _, _ in mentions)
    for index, name, parts, with_address in mentions:
        confidence = _COMPANY - min(0.1, index / 500)
        confidence += _IN_ADDRESS_LINE if parts > 1 and with_address else 0
        confidence += _REPEATED if times[name.lower()] > 1 else 0
        if not set(range(index, index + _OWN_LINES)) & buyers and _own_number(lines[index : index + _OWN_LINES]):
            confidence += _OWN_NUMBER if len(times) == 1 else _REPEATED
        yield min(_MOST, confidence), _trimmed(name), lines[index]


def _own_number(lines: Sequence[Line]) -> bool:
    """An account or a registration below a name: on an invoice those are the sender's."""
    return any(_OWN.search(line.text) for line in lines)


def _whole(lines: Sequence[Line], index: int) -> str:
    """The line, with the one above when a name is broken between them."""
    text = lines[index].text
    wrapped = index > 0 and _FORM.search(text) and _CONTINUED.match(text)
    return f"{lines[index - 1].text} {text}" if wrapped else text


def _is_company(part: str) -> bool:
    match = _FORM.search(part)
    return bool(match and len(part) in _NAME_LENGTHS and match.start() > len("(M") and not _NOT_A_NAME.search(part))


def _first_lines(lines: Sequence[Line]) -> Iterator[tuple[float, str, Line]]:
    for index, line in enumerate(lines[:12]):
        if _could_be_name(line.text) and len(line.text) in _NAME_LENGTHS:
            yield 0.35 - index / 100, _trimmed(line.text), line


def _trimmed(name: str) -> str:
    """In France the legal form stands beside the name and is no part of it; elsewhere it is."""
    bare = _REGISTER_NUMBER.sub("", name.strip(" ,;:"))
    return _FRENCH_FORM.sub("", bare)[:EVIDENCE]


def vat_id(lines: Sequence[Line]) -> Field | None:
    """The first outside the receiver's address; one whose checksum fails only when its label stands before it."""
    buyers = _buyers(lines)
    doubtful: Field | None = None
    for index, line in enumerate(lines):
        if index in buyers or re.search(r"client|customer|kunden|\bihre?\b|\buw\b|\byour\b", line.text, re.IGNORECASE):
            continue
        for match in _VAT_ID.finditer(line.text):
            labelled = _TAX_LABEL.search(line.text[: match.start()]) is not None
            if number := _valid_vat(match[0]):
                return _found(number, line, 0.93 if labelled else 0.8)
            if labelled and doubtful is None:
                doubtful = _found(re.sub(r"[ .]", "", match[0].split("  ")[0]), line, 0.5)
    return doubtful


def _valid_vat(words: str) -> str | None:
    """The longest beginning of the words that is a VAT id: what follows may be another word."""
    for end in range(len(words), 7, -1):
        try:
            return str(vat.validate(words[:end]))
        except ValidationError:
            continue
    return None


def iban(lines: Sequence[Line]) -> Field | None:
    """The first that is not the payer's, where a direct debit names that."""
    doubtful: Field | None = None
    for above, line in pairwise([Line(1, ""), *lines]):
        if _PAYERS_ACCOUNT.search(f"{above.text} {line.text}"):
            continue
        for match in _IBAN.finditer(line.text):
            if number := _valid_iban(match[0]):
                return _found(number, line, 0.94)
            if doubtful is None and "iban" in line.text[: match.start()].lower():
                doubtful = _found(re.sub(r" (?:BIC|SWIFT).*| ", "", match[0]), line, 0.4)
    return doubtful


def _valid_iban(words: str) -> str | None:
    for end in range(len(words), 14, -1):
        try:
            return str(iban_number.validate(words[:end]))
        except ValidationError:
            continue
    return None


def _found(value: str, line: Line, confidence: float) -> Field:
    return Field(value=value, evidence=line.text[:EVIDENCE], page=line.page, confidence=confidence)
