"""`casework status`: what is wrong is named with what to do, and nothing that is away makes it wait."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from typer.testing import CliRunner

from activities.brakes import Brakes
from activities.overview import ProcessOverview
from activities.store import writing
from schemas.tables import ModelCall
from starters.command import app
from starters.commands.status import PATIENCE, straight, within
from tests.desk import charters
from tests.end_to_end.conftest import free_ports
from workers.records import opened
from workers.settings import Settings


def status(home: Path, **env: str) -> dict[str, Any]:
    port, ui_port = free_ports()
    ours = {"CASEWORK_HOME": str(home), "CASEWORK_PORT": str(port), "CASEWORK_UI_PORT": str(ui_port), **env}
    told: dict[str, Any] = json.loads(CliRunner().invoke(app, ["status", "--json"], env=ours).stdout)
    return told


def troubles(told: dict[str, Any]) -> str:
    return " | ".join(f"{trouble['what']} -> {trouble['do']}" for trouble in told["troubles"])


def test_straight_through_is_told_of_all_that_ended_as_in_the_weekly_review() -> None:
    one = ProcessOverview(ended={"applied": 3, "rejected": 1, "superseded": 1}, straight_through=2)

    assert (straight(one), straight(ProcessOverview())) == ("40%", "")


def test_server_that_is_away_is_named_with_the_command_that_helps(tmp_path: Path) -> None:
    assert "no Temporal server answers: nothing moves, and nothing is lost -> casework up" in troubles(status(tmp_path))


def test_database_that_is_away_is_named_with_its_setting(tmp_path: Path) -> None:
    port, _ = free_ports()

    told = troubles(status(tmp_path, CASEWORK_DATABASE_URL=f"postgresql://casework@127.0.0.1:{port}/casework"))

    assert "no case can be entered, read or decided" in told
    assert "-> look at CASEWORK_DATABASE_URL" in told


def test_budget_that_is_spent_is_named_with_who_decides_meanwhile(tmp_path: Path) -> None:
    folder = charters(tmp_path / "charters", "\npolicy:\n", "\npolicy:\n  budget: {day: {tokens: 10}}\n")
    with opened(Settings(home=tmp_path)) as records, writing(records.engine, "invoice-intake/1") as session:
        about: dict[str, Any] = {
            "endpoint": "main",
            "process": "invoice-intake",
            "case_id": "invoice-intake/1",
            "question": "",
        }
        session.add(ModelCall(id="1", at=datetime.now(UTC), seconds=1, tokens_in=10, **about))

    told = troubles(status(tmp_path, CASEWORK_CHARTERS=str(folder)))

    assert "invoice-intake: the budget of the day is used up; beyond it people decide" in told
    assert "request-triage: the budget" not in told


def test_check_fails_when_something_is_wrong(tmp_path: Path) -> None:
    port, _ = free_ports()
    ours = {"CASEWORK_HOME": str(tmp_path), "CASEWORK_PORT": str(port)}

    assert CliRunner().invoke(app, ["status", "--check"], env=ours).exit_code == 1


def test_crm_that_is_away_is_why_cases_wait(tmp_path: Path) -> None:
    port, _ = free_ports()
    there = {"CASEWORK_CRM": "tryton", "CASEWORK_CRM_URL": f"http://127.0.0.1:{port}/crm", "CASEWORK_CRM_KEY": "key"}

    told = troubles(status(tmp_path, **there))

    assert "cases wait for the CRM, and nothing is lost -> casework crm check" in told


def test_brake_that_is_on_is_named_with_its_reason(tmp_path: Path) -> None:
    with opened(Settings(home=tmp_path)) as records:
        Brakes(records.engine).pull("invoice-intake", "supervised", "forged bank accounts", "ap-clerk")

    told = troubles(status(tmp_path))

    assert "the brake of invoice-intake is on (supervised): forged bank accounts" in told


@pytest.mark.timeout(30)
def test_what_does_not_answer_is_not_waited_for() -> None:
    begun, never = time.monotonic(), Event()

    said = within(0.1, lambda: str(never.wait(60)))()

    assert "does not answer" in said
    assert time.monotonic() - begun < PATIENCE
