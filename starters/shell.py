"""What the commands share: the application, its common options, and how a command reaches its parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import typer

from schemas.tables import CaseRow
from starters.refused import Refused
from workers.records import Records, opened
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.build import Parts

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="AI business processes that run in production. Exit status: 0 done, 1 failed, 2 used wrongly.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
CaseName = Annotated[str, typer.Argument(metavar="CASE", help="A case's id, or the first digits of its key.")]
As = Annotated[str, typer.Option("--as", metavar="ID", help="Who you are; else CASEWORK_PERSON.")]


R = TypeVar("R", bound=Records)


@dataclass(frozen=True)
class Shell(Generic[R]):
    settings: Settings
    parts: R

    def case(self, name: str) -> CaseRow:
        """The one case meant by an id or the beginning of a key."""
        found = self.parts.cases.matching(name)
        if len(found) == 1:
            return found[0]
        problem = "no case is" if not found else "more than one case is"
        raise Refused(f"{problem} called {name!r}: 'casework cases' lists them")

    def person(self, named: str) -> str:
        if who := named or self.settings.person:
            return who
        raise typer.BadParameter("say who you are: --as ID, or set CASEWORK_PERSON", param_hint="--as")


@contextmanager
def shell() -> "Iterator[Shell[Parts]]":
    from workers.build import built  # a second, which those who only look are spared

    settings = Settings.from_env()
    with built(settings) as parts:
        yield Shell(settings, parts)


@contextmanager
def looking() -> Iterator[Shell[Records]]:
    settings = Settings.from_env()
    with opened(settings) as records:
        yield Shell(settings, records)
