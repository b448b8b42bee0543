"""`casework stage`: where a process stands, why it is held, what it lacks, and who may turn its brake."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from typer.testing import CliRunner, Result

from activities.store import Blobs
from starters.command import app
from tests.activities.test_calibration import PROVED, REFUSED, calibration
from tests.desk import charters

Stage = Callable[..., Result]
PULL, RELEASE = ("--pull", "forged accounts", "--as", "ap-clerk"), ("--release", "all were called")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    def run(*options: str, process: str = "invoice-intake") -> Result:
        env = {"CASEWORK_HOME": str(tmp_path / "home"), "CASEWORK_CHARTERS": str(tmp_path / "charters")}
        return CliRunner().invoke(app, ["stage", process, *options, "--json"], env=env)

    return run


@pytest.fixture
def named(tmp_path: Path) -> Callable[[str, float | None], None]:
    """Write charters of this stage that name a calibration with this threshold, which is kept in the home."""

    def write(stage: str, threshold: float | None) -> None:
        digest = Blobs(LocalFileSystem(), str(tmp_path / "home" / "blobs")).put(calibration(threshold))
        charters(tmp_path / "charters", "stage: autonomous", f"stage: {stage}\n  calibration: {digest}")

    return write


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return charters(tmp_path / "charters", "", "")


@pytest.mark.usefixtures("shipped")
def test_pulled_brake_holds_the_process_and_tells_why_and_who(stage: Stage) -> None:
    standing = told(stage(*PULL))

    assert (standing["stage"], standing["policy_stage"]) == ("supervised", "autonomous")
    assert standing["brake"]["reason"] == "forged accounts"
    assert [(act["act"], act["by"]) for act in standing["acts"]] == [("brake.pulled", "ap-clerk")]


@pytest.mark.usefixtures("shipped")
def test_owner_releases_what_others_only_pull(stage: Stage) -> None:
    stage(*PULL)

    refused = stage(*RELEASE, "--as", "ap-clerk")
    released = stage(*RELEASE, "--as", "finance-lead")

    assert "only finance-lead" in str(refused.exception)
    assert told(released)["stage"] == "autonomous"


@pytest.mark.usefixtures("shipped")
def test_stranger_turns_nothing(stage: Stage) -> None:
    refused = stage("--pull", "because", "--as", "mallory")

    assert "does not know mallory" in str(refused.exception)
    assert told(stage())["stage"] == "autonomous"


@pytest.mark.usefixtures("shipped")
def test_supervised_process_is_told_how_many_decisions_it_lacks(stage: Stage) -> None:
    standing = told(stage(process="contract-approval"))

    assert standing["stage"] == "supervised"
    assert standing["next"][0].startswith("autonomous: 299 more decided cases")


def test_calibration_that_proves_nothing_holds_an_autonomous_process(stage: Stage, named: Callable[..., None]) -> None:
    named("autonomous", REFUSED)

    standing = told(stage())

    assert standing["stage"] == "supervised"
    assert "proves no threshold" in standing["brake"]["reason"]


def test_proved_calibration_is_all_that_autonomy_needs(stage: Stage, named: Callable[..., None]) -> None:
    named("supervised", PROVED)

    standing = told(stage())

    assert standing["calibration"]["choice"]["threshold"] == PROVED
    assert [need.partition(" proves")[0] for need in standing["next"]] == ["autonomous: nothing more, its calibration"]
