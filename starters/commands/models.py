"""The commands of model endpoints: how they stand, and leaving one alone."""

from typing import Annotated

import typer

from starters import screen
from starters.refused import Refused
from starters.shell import As, Json, Shell, app, shell
from workers.build import Parts

models_app = typer.Typer(no_args_is_help=True, help="See how model endpoints stand, and leave one alone.")
app.add_typer(models_app, name="models")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As the settings name it.")]


@models_app.command("status")
def status(*, as_json: Json = False) -> None:
    """Show each endpoint: whether it is asked, and what the last 24 hours came to."""
    with shell() as it:
        found = it.parts.ledger.standing([one.name for one in it.parts.models])
    if as_json:
        screen.print_json([{**one._asdict(), "cost": str(one.cost)} for one in found])
        return
    table = screen.listing("name", "state", "calls", "failed", "seconds", "tokens", "cost", "why", wide="why")
    for one in found:
        figures = (str(one.calls), str(one.failed), f"{one.seconds:.1f}", str(one.tokens), f"{one.cost:.4f}")
        table.add_row(one.name, one.state, *figures, screen.plain(one.why))
    screen.out.print(table if found else "there is no endpoint: CASEWORK_MODEL or CASEWORK_MODELS names one")


@models_app.command("hold")
def hold(name: Name, *, why: Annotated[str, typer.Option("--why", help="The reason; audited.")], who: As = "") -> None:
    """Let no case ask an endpoint, until it is resumed; cases go on with the next rung."""
    with shell() as it:
        me = it.person(who)
        it.parts.ledger.hold(_known(it, name), me, why)
    screen.out.print(f"{name} is asked nothing until 'casework models resume {name}'")


@models_app.command("resume")
def resume(name: Name, *, who: As = "") -> None:
    """Ask an endpoint again, whether a person or its failures held it."""
    with shell() as it:
        me = it.person(who)
        it.parts.ledger.resume(_known(it, name), me)
    screen.out.print(f"{name} is asked again")


def _known(it: Shell[Parts], name: str) -> str:
    known = [one.name for one in it.parts.ledger.standing([one.name for one in it.parts.models])]
    if name in known:
        return name
    raise Refused(f"no endpoint is called {name!r}: there are {', '.join(known) or 'none'}")
