"""Alerts and runbooks: each leads to the other, tells of metrics that there are, and names commands that there are."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from activities.counters import COUNTED
from starters import command  # noqa: F401  # it knows all commands
from starters.shell import app
from workers.gauges import GAUGES

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "casework.rules.yaml"
BOOKS = {book.stem: book.read_text() for book in (DEPLOY / "runbooks").glob("*.md")}
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"] if "alert" in rule]
OF_NO_ALERT = {"escalation", "rolling-deploy"}
SECTIONS = ["See it", "First", "Whom to call", "Undo"]
COMMANDS = sorted(
    {
        (book, line)
        for book, text in BOOKS.items()
        for line in re.findall(r"^(?: {4,}|\| .*?`)(?:\.venv/bin/)?(casework [^`\n]+)", text, re.MULTILINE)
    }
)


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    named = {alert["alert"]: alert["annotations"]["runbook"] for alert in ALERTS}

    assert named == {name: f"deploy/runbooks/{name}.md" for name in set(BOOKS) - OF_NO_ALERT}


def test_each_runbook_says_what_to_see_to_do_whom_to_call_and_how_to_undo() -> None:
    found = {name: re.findall(r"^## (.*)$", text, re.MULTILINE) for name, text in BOOKS.items()}

    assert {name: said for name, said in found.items() if name not in OF_NO_ALERT and said != SECTIONS} == {}


@pytest.mark.parametrize(("book", "line"), COMMANDS)
def test_commands_of_runbooks_are_taken(book: str, line: str) -> None:  # the book names the test
    """Parsed by the command itself, to the last option, and not run."""
    _, *words = shlex.split(line)
    entry: Any = typer.main.get_command(app)
    context = entry.make_context("casework", words)

    while hasattr(entry, "resolve_command"):
        words = [*context._protected_args, *context.args]  # what is left for a subcommand
        name, entry, words = entry.resolve_command(context, words)
        context = entry.make_context(name, words, parent=context)

    assert context.args == []


def test_alerts_look_at_metrics_that_there_are() -> None:
    counters = {f"{name}{suffix}" for name in COUNTED for suffix in ("_total", "_sum", "_count", "_bucket")}
    recorded = set(re.findall(r"record: (\S+)", RULES.read_text()))
    named = {name for alert in ALERTS for name in re.findall(r"\bcasework[_:][a-z0-9_:]+", alert["expr"])}

    assert named - counters - set(GAUGES) - recorded == set()


@pytest.mark.parametrize("file", sorted(RULES.parent.glob("*.test.yaml")), ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_not_before(file: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("Prometheus is not installed: promtool is missing")

    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_each_alert_is_tested() -> None:
    tested = "".join(file.read_text() for file in RULES.parent.glob("*.test.yaml"))

    assert [alert["alert"] for alert in ALERTS if f'alertname="{alert["alert"]}"' not in tested] == []
