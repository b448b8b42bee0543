"""Letterhead: the name at the head of a receipt, told by what stands below it: register number, address, telephone."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from activities.parsing.layout import EVIDENCE, Line
from schemas.proposal import Field

_DEEPEST = 40
"""Some receipts are read with their last words first, so the head is looked for well below the top."""
_EDGES = " ,;.-*#"
_LETTERS = range(3, 60)
_TALLEST = 4
"""Lines of a name and what else stands above the address."""

_REGISTERED = re.compile(
    r"^\(?(?:(?:company|co|reg|roc)[. -]{0,2}){0,2}(?:no|reg|rfg)?[ .:]{0,3}[A-Z]{0,3}\d{5,12} ?-? ?[A-Z]?\)?$",
    re.IGNORECASE,
)
_TRAILING_REGISTER = re.compile(
    r"\s*(?:\([^()]{0,20}\d{4,12} ?-? ?[A-Z]?\)?|\d{5,12} ?- ?[A-Z])(?: ?\([A-Z\d]{1,5}\))?$", re.IGNORECASE
)
_LEADING_NUMBER = re.compile(r"^#\d+ ")
"""The number of a till or a copy, beside the name."""
_BELOW = re.compile(
    r"^\W{0,2}(?:no|lot|unit|suite|shop|block|blk|level|(?:ground )?floor|jalan|jln|rue|av(?:enue)?|bd|place)\b"
    r"|^\W{0,2}\d+[A-Z]?[ ,/-]|^[A-Z\d]{1,3}(?:-[A-Z\d]{1,3}){1,3},"
    r"|^\W{0,2}(?:(?:gst|vat|tva|ust|mwst|tax|co|siret|siren|reg)\b|tel|fax|phone|mobile|company (?:no|reg))"
    r"|(?:stra(?:ß|ss)e|gasse|weg|platz|allee| street| road| avenue| lane)\b.{0,4}\d"
    r"|\b\d{1,4} (?:\w{1,20} )?(?:street|road|avenue|lane|rue)\b|\b\d{5}\b|@|www\.",
    re.IGNORECASE,
)
"""What stands below a name: address, tax id, telephone."""
_TITLE = (
    r"(?:simplified |original )?(?:tax |cash |sales )?(?:invoice|receipt|bills?|sales?|memo)|kassenbon|quittung"
    r"|rechnung|ticket(?: de caisse)?|re-?print\w{0,3}|copy|date|time|cashier|table|guest|check|order|total|item|qty"
    r"|company|business|registration"
)
_NO_NAME = re.compile(
    rf"^\W{{0,3}}(?:{_TITLE})\b(?:\W{{0,3}}(?:no|copy|original))?\W{{0,3}}$"
    r"|^\W{0,3}(?:thank|welcome|tq\b|goods sold|please|for (?:feedback|any)|owned by|licensee|formerly)"
    r"|^\W{0,3}(?:vielen dank|willkommen|merci|bienvenue)"
    r"|returnable|exchange|come again|visit us|https?|[:=]|\d{2}[./]\d{2}|\d{6}|\d\.\d\d\b",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"(?<!\w)(?:(?:sdn\.? ?)?bhd|s/b|gmbh(?: & co\.? ?kg)?|ag|kg|ohg|ug|sarl|sas|sasu|eurl|ltd|limited|llc|inc|plc"
    r"|b\.?v)\.?$",
    re.IGNORECASE,
)
_TRADE = (
    "enterprise", "trading", "restaurant", "restoran", "hardware", "stationery", "marketing", "supermarket", "market",
    "services", "holdings", "industries", "electrical", "bakery", "pharmacy", "bookstore", "hotel", "garage", "house",
    "café", "cafe", "kitchen", "shop", "store", "machinery", "international", "retail", "resources", "management",
    "bäckerei", "apotheke", "gasthaus", "metzgerei", "boulangerie", "pharmacie", "librairie", "supply", "bistro",
)  # fmt: skip
"""What businesses call themselves: a sign of a name, and what a misread word is compared with."""
_LONG = [word for word in _TRADE if len(word) > len("store")]
_GARBLED = re.compile(r"[^\W\d_]{2}\d[^\W\d_]{2}|[^\w\s&.,'\u2019()/@+-]")

_CONFIDENCE = {
    # legal form, register number below: how often a name with these signs is right
    (True, True): 0.95,
    (True, False): 0.93,
    (False, True): 0.92,
    (False, False): 0.91,
}
_NOT_FIRST, _RIVAL, _JOINED, _MISREAD = 0.03, 0.25, 0.2, 0.3
_MOST = 0.96
_OF_AN_INVOICE = 0.95


class _Name(NamedTuple):
    text: str
    line: Line
    place: int


def supplier(lines: Sequence[Line], *, receipt: bool) -> Field | None:
    """The name right above the first register number, address or telephone number.

    On an invoice those may be the receiver's: there it takes a company with its register number.
    """
    found = _head(lines)
    return found if receipt or (found and found.confidence >= _OF_AN_INVOICE) else None


def _head(lines: Sequence[Line]) -> Field | None:
    names: list[_Name] = []
    for index, line in enumerate(lines[:_DEEPEST]):
        whole = _LEADING_NUMBER.sub("", line.text).strip(_EDGES)
        bare = _TRAILING_REGISTER.sub("", whole).strip(_EDGES)
        numbered = bare != whole and _could_be_name(bare)
        if not numbered and _is_below(line.text):
            if names:
                return _field(names, lines, numbered=_numbered(names, lines, index))
        elif _could_be_name(bare):
            names = [*names[1 - _TALLEST :], _Name(bare, line, index)]
        if numbered:
            return _field(names, lines, numbered=True)
    return _field(names[:1], lines, numbered=False) if names else None


def _is_below(text: str) -> bool:
    return bool(_REGISTERED.match(text) or _BELOW.search(text)) and not _FORM.search(text)


def _numbered(names: list[_Name], lines: Sequence[Line], index: int) -> bool:
    return index - names[-1].place == 1 and any(_REGISTERED.match(line.text) for line in lines[index : index + 2])


def _could_be_name(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters in _LETTERS and letters >= 0.6 * len(text.replace(" ", "")) and not _NO_NAME.search(text)


def _field(names: list[_Name], lines: Sequence[Line], *, numbered: bool) -> Field:
    formed = [name for name in names if _FORM.search(name.text)]
    trades = [name for name in names if _words(name.text) & set(_TRADE)]
    name = formed[0] if formed else trades[-1] if trades else names[-1]
    above = next((other for other in names if other.place == name.place - 1), None)
    joined = above is not None and not formed[1:] and _is_rest(name.text)
    text = f"{above.text} {name.text}" if joined and above else name.text
    rivals = len(names) - 1 - joined
    confidence = _CONFIDENCE[bool(formed), numbered]
    confidence -= _NOT_FIRST * (names[0].place > 0) + _JOINED * joined + _MISREAD * _misread(text)
    if rivals and not _repeated(text, lines):
        confidence -= _RIVAL
    evidence = f"{above.line.text} {name.line.text}" if joined and above else name.line.text
    return Field(
        value=text[:EVIDENCE],
        evidence=evidence[:EVIDENCE],
        page=name.line.page,
        confidence=round(max(0.1, min(_MOST, confidence)), 2),
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.lower()))


def _is_rest(text: str) -> bool:
    """Nothing but a kind of trade and a legal form, or begun with "&": the name began in the line above."""
    rest = re.findall(r"[^\W\d_]{2,}", _FORM.sub("", text).lower())
    return rest in ([], ["co"]) or text.startswith(("&", "(")) or (len(rest) == 1 and rest[0] in _TRADE)


def _repeated(text: str, lines: Sequence[Line]) -> bool:
    return sum(text.casefold() in line.text.casefold() for line in lines) > 1


def _misread(text: str) -> bool:
    """A word that is a common one but for a letter, or digits within letters: the scanner misread it."""
    words = re.findall(r"\w+", text.lower())
    return bool(_GARBLED.search(text)) or any(_off_by_one(word, known) for word in words for known in _LONG)


def _off_by_one(word: str, known: str) -> bool:
    """One letter changed, too many or missing; at the end it is a plural or the like, and right."""
    if len(word) == len(known):
        return sum(a != b for a, b in zip(word, known, strict=True)) == 1
    short, long = sorted((word, known), key=len)
    dropped = {long[:place] + long[place + 1 :] for place in range(len(long))}
    return short in dropped and long[:-1] != short
