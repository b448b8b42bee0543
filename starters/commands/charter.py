"""`casework charter`: what is agreed about a process, as its documentation; a new one, asked for; one, checked."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError
from rich.markdown import Markdown

from activities.pages import html as as_html
from activities.pages import markdown as as_markdown
from schemas.charter import Charter
from schemas.metrics import MEANINGS
from schemas.policy import Policy
from starters import screen
from starters.charters import charter_in
from starters.documentation import sections_of
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.shell import app
from workers.settings import Settings


@app.command()
def charter(
    what: Annotated[str, typer.Argument(metavar="PROCESS|new|check", help=" or ".join((*PROCESSES, "new", "check")))],
    file: Annotated[Path | None, typer.Argument(help="With new: where to write it. With check: which one.")] = None,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write one HTML file.")] = None,
) -> None:
    """Show the charter of a process; write a new one by answering questions; or check one."""
    if what in ("new", "check"):
        if file is None:
            raise typer.BadParameter(f"charter {what} FILE", param_hint="FILE")
        (_new if what == "new" else _check)(file)
        return
    found = process_named(what).load_charter(Settings.from_env())
    sections, title = sections_of(found), f"Charter of {found.process}"
    if html:
        html.write_text(as_html(title, sections))
        screen.out.print(f"written to {html}")
    elif markdown:
        print(as_markdown(title, sections))  # noqa: T201
    else:
        screen.out.print(Markdown(as_markdown(title, sections)))


def _shape(process: str) -> type[Charter[Any]]:
    """Charters come before code: of a process that is not built yet, the policy has what all policies have."""
    known = PROCESSES.get(process)
    return known.charter if known else Charter[Policy]


def _check(file: Path) -> None:
    try:
        content = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    process = str(content.get("process")) if isinstance(content, dict) else ""
    found = charter_in(file, _shape(process))
    built = "" if found.process in PROCESSES else "; no process of that name is built yet"
    screen.out.print(f"{file} is a charter of {screen.plain(found.process)}{built}")
    missing = [
        section.title.lower() for section in sections_of(found) if not section.rows and section.text in ("", "not told")
    ]
    screen.bullets("It does not tell", missing)


def _new(file: Path) -> None:
    """Ask what a charter must say, and the first line of what it should; the rest is added in the file."""
    if file.exists():
        raise Refused(f"{file} is there already")
    process = typer.prompt("Process, as in invoice-intake")
    told: dict[str, Any] = {"process": process, "purpose": typer.prompt("What is it for")}
    owner = _person("Who owns it")
    clerk = _person("Who decides its cases")
    told |= {"owner": owner["id"], "people": list({one["id"]: one for one in (owner, clerk)}.values())}
    told["autonomy"] = typer.prompt("Which cases are written without a person", "None, a person decides each.")
    step = {"name": "approval", "voters": [clerk["id"]], "patience": typer.prompt("How long to decide", "P3D")}
    told["policy"] = {"stage": "supervised", "approval": {"steps": [step], "owner": owner["id"]}} | _needed(process)
    after = typer.prompt("When has something been wrong for so long that the owner is called", "P1D")
    told["escalation"] = [{"after": after, "person": owner["id"], "how": "telephone"}]
    told["stakeholders"] = [
        {"who": typer.prompt("Whom does it concern most"), "interest": typer.prompt("What they want")}
    ]
    told["workflow"] = _steps()
    told["failures"] = [{"failure": typer.prompt("What may go wrong"), "response": typer.prompt("What is done then")}]
    name = typer.prompt(f"What is success measured by: {', '.join(MEANINGS)}", "straight_through")
    told["metrics"] = [{"name": name, "target": typer.prompt("Its target", type=float)}]
    told["oversight"] = typer.prompt("Who watches over it, and how it is stopped")
    try:
        _shape(process).model_validate(told, extra="forbid")
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}" for it in error.errors())
        raise Refused(f"nothing was written, since these answers make no charter: {problems}") from None
    file.write_text(yaml.safe_dump(told, sort_keys=False, allow_unicode=True))
    screen.out.print(f"written to {file}: 'casework charter check {file}' says what it does not tell yet")


def _person(question: str) -> dict[str, str]:
    return {
        "id": typer.prompt(f"{question}: id, as in finance-lead"),
        **{part: typer.prompt(f"  {part}") for part in ("name", "role", "contact")},
    }


def _needed(process: str) -> dict[str, Any]:
    """What the policy of a process cannot be without."""
    policy = _shape(process).model_fields["policy"].annotation
    fields = policy.model_fields if policy else {}
    return {
        name: typer.prompt(f"policy.{name}, in YAML", value_proc=_in_yaml)
        for name, field in fields.items()
        if field.is_required() and name != "approval"
    }


def _in_yaml(said: str) -> Any:
    try:
        return yaml.safe_load(said)
    except yaml.YAMLError:
        raise typer.BadParameter("that is no YAML: [a, b] is a list, {a: b} are names with values") from None


def _steps() -> list[dict[str, Any]]:
    """One after the other; branches are added in the file."""
    steps: list[dict[str, Any]] = []
    while name := typer.prompt("Next step of the work (empty ends)", "", show_default=False):
        if steps:
            steps[-1]["next"] = [name]
        steps.append({"name": name, "who": typer.prompt("  who"), "what": typer.prompt("  what")})
    return steps
