"""Evidence: where on a document's pages the words stand that a value was read from."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from itertools import accumulate

from activities.parsing import amounts, dates, periods
from schemas import contract
from schemas.confidence import PLACES
from schemas.invoice import AMOUNTS
from schemas.proposal import Clause, Field, Reading
from schemas.source import Box, Page, TextLine

_TOLD = ("currency", "document_type", "renewal", "personal_data", "governing_law")
"""By a sign, a title or a turn of phrase, in any language."""
_DASHES = re.compile(r"[-\u2010-\u2015\u2212]")


def located(reading: Reading, pages: Sequence[Page]) -> Reading:
    """The same reading, with page and box of every field and clause whose words stand in the document."""
    fields = {name: place(field, pages) for name, field in reading.fields.items()}
    clauses = tuple(quoted(clause, pages) for clause in reading.clauses)
    return reading.model_copy(update={"fields": fields, "clauses": clauses})


def quoted(clause: Clause, pages: Sequence[Page]) -> Clause:
    """The clause with the page and box of its words; a page without a box, or neither, when they do not stand there."""
    found = place(Field(evidence=clause.quote, page=clause.page), pages)
    return clause.model_copy(update={"page": found.page, "box": found.box})


def place(field: Field, pages: Sequence[Page]) -> Field:
    """The field with the page and the box of its evidence, looked for first on the page the reader named.

    Words that OCR is not sure of make a value less sure.
    A field whose words are not found keeps the page it came with, and has no box.
    """
    for number in sorted(range(1, len(pages) + 1), key=lambda number: number != field.page):
        lines = pages[number - 1].lines
        if found := _standing(field.evidence, lines) or _paired(field.evidence, lines):
            confidence = round(field.confidence * min(line.score for line in found), PLACES)
            box = around(line.box for line in found)
            return field.model_copy(update={"page": number, "box": box, "confidence": confidence})
    return field


def supports(words: str, name: str, value: str) -> bool:
    """Whether these words can be read as this value of this field."""
    if name in AMOUNTS or (name in contract.AMOUNTS and value[:1].isdigit() and value[-1:].isdigit()):
        return any(_same_amount(value, reading) for found in amounts.find(words, None) for reading in found.readings)
    if name in ("issue_date", *contract.DATES):
        return any(value in (day.value, day.other) for day in dates.find(words, None))
    if name in contract.PERIODS:
        return any(periods.months(value) == periods.months(found) for found in periods.find_all(words))
    if name in _TOLD:
        return True
    return _folded(value) in _folded(words)


def _same_amount(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _standing(words: str, lines: Sequence[TextLine]) -> Sequence[TextLine]:
    """The lines the words stand in one after the other, as whole words rather than as parts of longer ones."""
    # Readers close up letter-spaced words and write every dash as one, so blanks and the kind of dash do not count.
    letters = r"\s*".join(_DASHES.pattern if _DASHES.match(c) else re.escape(c) for c in "".join(words.split()))
    text = "\n".join(line.text for line in lines)
    match = letters and (
        re.search(rf"(?<!\w){letters}(?!\w)", text, re.IGNORECASE) or re.search(letters, text, re.IGNORECASE)
    )
    if not match:
        return ()
    starts = list(accumulate((len(line.text) + 1 for line in lines), initial=0))
    return lines[bisect_right(starts, match.start()) - 1 : bisect_right(starts, match.end() - 1)]


def _paired(words: str, lines: Sequence[TextLine]) -> Sequence[TextLine]:
    """A label and its value, whole lines apart from each other, which a reader put together."""
    whole = {_folded(line.text): line for line in reversed(lines)}
    folded = _folded(words)
    return next(
        ((label, whole[rest]) for text, label in whole.items() if (rest := folded.removeprefix(text)) in whole), ()
    )


def _folded(text: str) -> str:
    return _DASHES.sub("-", "".join(text.split())).casefold()


def around(boxes: Iterable[Box | None]) -> Box | None:
    """The smallest box around all that are known."""
    known = [box for box in boxes if box]
    if not known:
        return None
    return Box(
        left=min(box.left for box in known),
        top=min(box.top for box in known),
        right=max(box.right for box in known),
        bottom=max(box.bottom for box in known),
    )
