"""`casework erase`, and `casework settings`, as they are typed."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from schemas.message import digest_of
from schemas.source import Source
from starters.command import app
from workers.records import opened
from workers.settings import Settings

CASE = f"invoice-intake/{digest_of(b'a bill')}"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with opened(Settings(home=tmp_path)) as records:
        source = Source(digest=records.blobs.put(b"a bill"), name="bill.pdf", size=6)
        records.cases.open(CASE, source, "tester")
    return tmp_path


def run(home: Path, *words: str, **env: str) -> Result:
    return CliRunner().invoke(app, words, env={"CASEWORK_HOME": str(home), **env})


def test_open_case_is_not_erased_and_an_ended_one_is(home: Path) -> None:
    refused = run(home, "erase", CASE, "--as", "privacy", "--why", "asked")
    with opened(Settings(home=home)) as records, records.engine.begin() as connection:
        connection.execute(text("UPDATE cases SET status = 'closed', outcome = 'rejected'"))
    erased = run(home, "erase", CASE, "--as", "privacy", "--why", "asked", "--json")
    shown = run(home, "audit", "show", CASE)

    assert "still open" in str(refused.exception)
    assert json.loads(erased.stdout) == {"case": CASE, "blobs": 1, "history_sealed": False, "later_in_thread": []}
    assert "erased by privacy: asked" in shown.stdout
    assert list((home / "blobs").rglob("*" + digest_of(b"a bill"))) == []


@pytest.mark.parametrize("mode", [[], ["--json"]])
def test_settings_are_shown_without_any_secret_and_with_where_they_came_from(tmp_path: Path, mode: list[str]) -> None:
    secrets = {
        "CASEWORK_DATABASE_URL": "postgresql+psycopg://casework:hush@1@db/casework",
        "CASEWORK_CRM_KEY": "hush",
        "CASEWORK_CODEC_TOKEN": "hush",
        "CASEWORK_BLOBS_URL": "s3://bucket?secret=hush",
    }

    shown = run(tmp_path, "settings", *mode, COLUMNS="200", **secrets)

    assert "hush" not in shown.stdout
    assert "(secret)@db/casework" in shown.stdout
    if mode:
        told = {one["name"]: one["set"] for one in json.loads(shown.stdout)}
        assert (told["CASEWORK_CRM_KEY"], told["CASEWORK_PORT"], len(told)) == (True, False, len(Settings.model_fields))
