"""`casework charter`: the whole charter as documentation, safe to open; and a new one from answers."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from starters.command import app
from starters.processes import PROCESSES
from tests.desk import charters
from workers.settings import Settings

HOSTILE = "<script>alert(1)</script>"
ANSWERS = (
    *("delivery-note", "Note who delivered.", "stock-lead", "Sol Lead", "head of stock", "mailto:stock@example.com"),
    *("stock-clerk", "Sasha Clerk", "stock", "mailto:stock@example.com", "", "", ""),
    *("suppliers", "Deliveries are noted.", "read", "machine", "Read the note.", "look", "clerk", "Look at it.", ""),
    *("The reader errs.", "A person corrects it.", "straight_through", "0.5", "stock-lead looks weekly."),
)


def run(*words: str, folder: Path | None = None, answers: tuple[str, ...] = ()) -> Result:
    env = {"CASEWORK_CHARTERS": str(folder)} if folder else {}
    return CliRunner().invoke(app, ["charter", *words], env=env, input="\n".join(answers) + "\n")


@pytest.mark.parametrize("process", PROCESSES)
def test_markdown_has_every_step_failure_and_metric(process: str) -> None:
    charter = PROCESSES[process].load_charter(Settings())

    told = run(process, "--markdown").stdout

    rows = [line.split("|")[1].strip() for line in told.splitlines() if line.startswith("| ")]
    assert {step.name for step in charter.workflow} <= set(rows)
    assert all(section in told for section in ("## Failure modes", "## Success metrics", "## Escalation", "## Data"))


def test_html_is_one_file_with_the_map_and_nothing_of_a_charter_acts_in_it(tmp_path: Path) -> None:
    folder = charters(tmp_path / "charters", "name: take in", f'name: "{HOSTILE}"')
    file = tmp_path / "charter.html"

    assert run("invoice-intake", "--html", str(file), folder=folder).exit_code == 0

    page = file.read_text()
    assert HOSTILE not in page
    assert "src=" not in page
    assert "href=" not in page
    drawing = ET.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    boxes = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text") if text.get("font-weight")]
    steps = PROCESSES["invoice-intake"].load_charter(Settings(charters=folder)).workflow
    assert boxes == [step.name for step in steps]
    assert len(list(drawing.iter("{http://www.w3.org/2000/svg}path"))) == 1 + sum(len(step.next) for step in steps)


def test_new_charter_from_answers_loads(tmp_path: Path) -> None:
    file = tmp_path / "delivery-note.yaml"

    written = run("new", str(file), answers=ANSWERS)
    checked = run("check", str(file))

    assert (written.exit_code, checked.exit_code) == (0, 0), written.output
    assert "a charter of delivery-note; no process of that name is built yet" in checked.stdout
    assert "monitoring" in checked.stdout


def test_charter_that_is_wrong_is_refused_by_check(tmp_path: Path) -> None:
    file = tmp_path / "charter.yaml"
    file.write_text("process: delivery-note\nprocess: other\n")

    assert "line 2" in str(run("check", str(file)).exception)
