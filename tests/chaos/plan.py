"""What happens in a run of chaos, all of it from one seed: which documents come, what breaks when, what people do."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from starters.demo import MESSAGES, SAMPLES
from tests.contracts import SMALL
from tests.contracts import pdf as contract
from tests.desk import DAMAGED, HOSTILE, ONLY_TEXT
from tests.samples import ledger, pdf

Kind = Literal["clean", "over", "text", "damaged", "hostile", "contract", "message"]
SHARES: Mapping[Kind, int] = {
    "clean": 36, "over": 20, "text": 12, "damaged": 6, "hostile": 6, "contract": 8, "message": 12,
}  # fmt: skip
PROCESSES: Mapping[Kind, str] = {"contract": "contract-approval", "message": "request-triage"}
INVOICES = "invoice-intake"
TWICE = 0.1
"""The share of documents that come a second time, under another name."""
REJECTED = 0.2
"""The share of cases that people reject, where they are asked."""

Breakage = Literal["kill worker", "kill up", "kill server", "freeze worker", "fill disk", "restart database"]
BREAKAGES: tuple[Breakage, ...] = (
    "kill worker", "kill server", "freeze worker", "fill disk", "kill up", "restart database",
)  # fmt: skip

Habit = Literal["once", "twice", "wrong draft", "malformed", "stranger", "late"]
HABITS: tuple[Habit, ...] = ("once", "once", "twice", "wrong draft", "malformed", "stranger", "late")


class Document(NamedTuple):
    kind: Kind
    file: Path

    @property
    def number(self) -> str:
        return self.file.name[:5]


@dataclass(frozen=True)
class Plan:
    seed: int
    documents: tuple[Document, ...]
    breakages: tuple[tuple[float, Breakage], ...]
    """When so large a share of the cases has been entered or has ended, this breaks."""

    def rejects(self, case: str) -> bool:
        """Whether people reject it: all of them, or none."""
        return self._chance(case, "verdict").random() < REJECTED

    def habit(self, case: str, person: str) -> Habit:
        return self._chance(case, person).choice(HABITS)

    def expected(self, document: Document, case: str) -> set[str]:
        """The outcomes that are right for a document."""
        decided = {"rejected"} if self.rejects(case) else {"applied"}
        match document.kind:
            case "clean":
                return {"applied"}
            case "damaged":
                return {"unprocessable"}
            case "hostile":
                return {"rejected"}
            case "message":  # some are filed without a person
                return {"applied"} | decided
            case "text":  # an endpoint may leave out what cannot be, and then it is rejected
                return {"rejected"} | decided
        return decided

    def _chance(self, *about: str) -> random.Random:
        return random.Random(f"{self.seed} {' '.join(about)}")


def planned(seed: int, count: int, folder: Path) -> Plan:
    """Write the documents of so many cases into a folder for each process."""
    chance = random.Random(seed)
    kinds = chance.choices(list(SHARES), weights=list(SHARES.values()), k=count)
    documents = []
    for number, kind in enumerate(kinds):
        place = folder / PROCESSES.get(kind, INVOICES)
        place.mkdir(parents=True, exist_ok=True)
        suffix, made = MAKERS[kind]
        data = made(seed * 100_000 + number)
        file = place / f"{number:05}{suffix}"
        file.write_bytes(data)
        documents.append(Document(kind, file))
        if chance.random() < TWICE:
            file.with_stem(f"{file.stem}-again").write_bytes(data)
    strikes = list(BREAKAGES) * max(1, count // 200)
    chance.shuffle(strikes)
    shares = sorted(chance.uniform(0.05, 0.9) for _ in strikes)
    return Plan(seed, tuple(documents), tuple(zip(shares, strikes, strict=True)))


def _numbered(sample: str, was: str) -> Callable[[int], bytes]:
    """A sample invoice with a number of its own."""
    text = (SAMPLES / sample).read_text()
    return lambda number: text.replace(was, f"C-{number}").encode()


def _marked(path: Path) -> Callable[[int], bytes]:
    """A sample with a comment at its end, which makes it another document that says the same."""
    return lambda number: path.read_bytes() + f"\n% {number}\n".encode()


def _text(number: int) -> bytes:
    """An invoice without a structured part, which a model is asked to read."""
    (invoice,) = (invoice for name, _, invoice in ledger() if name == ONLY_TEXT)
    return pdf(invoice._replace(number=f"C-{number}"))


def _message(number: int) -> bytes:
    text = (MESSAGES / "where-is-our-order.eml").read_text()
    return text.replace("HL-20418", f"HL-{number % 100_000:05}").replace("order@mail", f"{number}@mail").encode()


MAKERS: Mapping[Kind, tuple[str, Callable[[int], bytes]]] = {
    "clean": (".xml", _numbered("kade-koffie-KK-2026-0311.xml", "KK-2026-0311")),
    "over": (".xml", _numbered("reinwerk-XR-2026-0208.xml", "XR-2026-0208")),
    "text": (".pdf", _text),
    "damaged": (".pdf", _marked(SAMPLES / DAMAGED)),
    "hostile": (".xml", lambda number: (SAMPLES / HOSTILE).read_bytes() + f"<!-- {number} -->".encode()),
    "contract": (".pdf", lambda number: contract(f"{SMALL}\n8. This is agreement {number} of the parties.")),
    "message": (".eml", _message),
}
