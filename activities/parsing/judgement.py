"""What is wrong with a document, collected while it is read."""

from dataclasses import dataclass, field

from schemas.source import Verdict, VerdictStatus

_SEVERITY: tuple[VerdictStatus, ...] = ("ok", "missing", "ambiguous", "malformed", "hostile")


@dataclass
class Judgement:
    """The worst that was found is the verdict."""

    found: list[tuple[VerdictStatus, str]] = field(default_factory=list)

    def add(self, status: VerdictStatus, reason: str) -> None:
        self.found.append((status, reason))

    def verdict(self) -> Verdict:
        status = max((status for status, _ in self.found), key=_SEVERITY.index, default="ok")
        return Verdict(status=status, reasons=tuple(dict.fromkeys(r for s, r in self.found if s == status)))
