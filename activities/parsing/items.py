"""Items: the lines of an invoice, where quantity times price makes each amount, and all amounts make the net."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from activities.parsing import amounts, labels
from activities.parsing.amounts import Amount, Mark
from activities.parsing.layout import Line as TextLine
from schemas.proposal import Line

_CENT = Decimal("0.01")
_LONGEST = 200
_NUMBERS = 6
"""How many numbers at the end of a row are tried as quantity and price."""
_ABOVE = 2
"""How many lines a description may stand above its numbers."""
_POSITION = re.compile(r"^\d{1,4}[.)]? (?=\D)")
_AROUND = re.compile(r"^[ |:]*(?:[x\u00d7] )?[ |:]*|[ |:]*(?: [x\u00d7])?[ |:]*$", re.IGNORECASE)
"""What stands between a description and its numbers; an x that is a letter of the last word stays."""

_UNIT = re.compile(
    r"(?:stk|st|stück|std|stunden?|tage?|psch|pauschal\w{0,2}|h|hrs?|hours?|days?|pcs?|pieces?|ea|each|units?|k?g|k?m"
    r"|m2|m\u00b2|l|u|unités?|pièces?|heures?|jours?)\.?",
    re.IGNORECASE,
)
"""What stands between quantity and price when the description is above."""


def read(lines: Sequence[TextLine], net: Decimal) -> tuple[Line, ...]:
    """All lines or none: a table that does not come to the net amount was not understood."""
    mark = amounts.decimal_mark(line.text for line in lines)
    found = tuple(_rows(lines, mark))
    return found if found and sum(Decimal(row.net_amount or 0) for row in found) == net else ()


def _rows(lines: Sequence[TextLine], mark: Mark | None) -> Iterator[Line]:
    above: list[str] = []
    for line in lines:
        spoken = list(amounts.find(line.text, mark))
        row = None if any(not tag.start for tag in labels.find(line.text)) else _row(line.text, spoken, above)
        if row:
            yield row
        above = [] if row or any(amount.has_fraction for amount in spoken) else [*above, line.text][-_ABOVE:]


def _row(text: str, spoken: list[Amount], above: list[str]) -> Line | None:
    """The pair of numbers furthest to the right that makes the last one; described before them, between, or above."""
    if not spoken or not spoken[-1].has_fraction or not spoken[-1].value:
        return None  # and zero is the product of too much
    *numbers, total = spoken[-_NUMBERS:]
    for one, other in reversed(list(combinations(numbers, 2))):
        if abs(one.value * other.value - total.value) > _CENT / 2:
            continue
        quantity, price = (one, other) if len(_fraction(one)) < len(_fraction(other)) else (other, one)
        described = text[: one.start].strip(), text[one.end : other.start], " ".join(above)
        return Line(
            description=next(filter(None, map(_words, described)), "")[:_LONGEST],
            quantity=quantity.readings[0],
            unit_price=price.readings[0],
            net_amount=total.readings[0],
        )
    return None


def _words(text: str) -> str:
    words = _AROUND.sub("", _POSITION.sub("", text))
    return words if any(map(str.isalpha, words)) and not _UNIT.fullmatch(words) else ""


def _fraction(amount: Amount) -> str:
    return amount.readings[0].partition(".")[2]
