"""`casework calibrate`: what a process learns from labelled or decided cases."""

from pathlib import Path
from typing import Annotated

import typer

from starters import screen
from starters.learning import learn
from starters.processes import process_named
from starters.refused import Refused
from starters.shell import Json, app
from workers.settings import Settings
from workflows.request_triage import NAME as REQUEST_TRIAGE


@app.command()
def calibrate(
    process: Annotated[str, typer.Argument(help=REQUEST_TRIAGE)],
    *,
    labelled: Annotated[Path, typer.Option("--labelled", metavar="FILE.jsonl", help="One labelled message a line.")],
    as_json: Json = False,
) -> None:
    """Learn categories and classifier from labelled messages, for the cases to come.

    A line is {"source": null, "text": MESSAGE, "expected": {"category": NAME}}; null as the name is none of these.
    """
    if process_named(process).name != REQUEST_TRIAGE:
        raise Refused(f"only {REQUEST_TRIAGE} can be calibrated as yet")
    taught = learn(Settings.from_env(), process, labelled)
    if as_json:
        screen.print_json(taught.model_dump())
        return
    screen.out.print(
        f"learned {len(taught.categories)} categories from {taught.examples} messages, {taught.none} of them none of "
        f"these; below {taught.least:.2f} a message is none\nkept in {screen.plain(taught.artefact, 400)}"
    )
    screen.out.print("the charter must name these categories, or a person is asked about each of their cases")
