"""What is wrong with a document, collected while it is read."""

from dataclasses import dataclass, field
from typing import get_args

from schemas.source import Verdict, VerdictStatus

LONGEST_QUOTE = 80
UNREAD_SCAN = "a scan, with no text of its own: it is read where the extra [ocr] is installed ('make ocr')"

_SEVERITY: tuple[VerdictStatus, ...] = get_args(VerdictStatus)


@dataclass
class Judgement:
    """The worst that was found is the verdict; its reasons come first."""

    found: list[tuple[VerdictStatus, str]] = field(default_factory=list)

    def add(self, status: VerdictStatus, reason: str) -> None:
        self.found.append((status, reason))

    def verdict(self) -> Verdict:
        worst_first = sorted(self.found, key=lambda found: -_SEVERITY.index(found[0]))
        return Verdict(
            status=worst_first[0][0] if worst_first else "ok",
            reasons=tuple(dict.fromkeys(reason for _, reason in worst_first)),
        )


def quoted(text: str) -> str:
    """The beginning of what a document says, in one line and made printable."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f'"{words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…"}"'
