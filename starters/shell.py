"""What the commands share: the application, its common options, and how a command reaches its parts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from schemas.tables import CaseRow
from starters.launch import Refused
from workers.build import Parts, built
from workers.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="AI business processes that run in production. Exit status: 0 done, 1 failed, 2 used wrongly.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
CaseName = Annotated[str, typer.Argument(metavar="CASE", help="A case's id, or the first digits of its key.")]
As = Annotated[str, typer.Option("--as", metavar="ID", help="Who you are; else CASEWORK_PERSON.")]


@dataclass(frozen=True)
class Shell:
    settings: Settings
    parts: Parts

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
def shell() -> Iterator[Shell]:
    settings = Settings.from_env()
    with built(settings) as parts:
        yield Shell(settings, parts)
