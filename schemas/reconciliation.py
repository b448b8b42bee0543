"""What became of applied cases in the CRM: pages of a comparison, and the report they add up to."""

from typing import Literal

from schemas.message import Message

MOST = 200
"""No more differences are named in a report; all are counted, and each is in the audit of its case."""

How = Literal["deleted", "changed", "missing", "unreadable"]
"""deleted: the CRM gave a receipt, and has it no more. missing: we know of no receipt either. unreadable: our own
frozen draft is gone, so that nothing can be compared."""


class Page(Message):
    """Compare the applied cases whose ids come after this one."""

    after: str = ""
    most: int = 50


class Difference(Message):
    case: str
    kind: str
    ref: str
    how: How
    fields: tuple[str, ...] = ()
    """What was changed there since, by name; what it was changed to stays there."""


class Compared(Message):
    cases: int
    differences: tuple[Difference, ...] = ()
    after: str = ""
    """Where the next page begins; empty after the last one."""


class Report(Message):
    cases: int = 0
    found: int = 0
    differences: tuple[Difference, ...] = ()
    after: str = ""

    def extended(self, page: Compared) -> "Report":
        return Report(
            cases=self.cases + page.cases,
            found=self.found + len(page.differences),
            differences=(*self.differences, *page.differences)[:MOST],
            after=page.after,
        )
