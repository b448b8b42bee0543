"""HubSpot, exactly once, on its stand-in. Before a release: `LOST=120 .venv/bin/python -m pytest <this file>`."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.conftest import PATIENCE, House, invoices, listen
from tests.hubspot import KEY, THROTTLED, Hubspot, answering, first_writes
from tests.lines import line

LOST = int(os.environ.get("LOST", "8"))
LONG = PATIENCE + 3 * LOST


@pytest.fixture
def hubspot() -> Iterator[Hubspot]:
    with answering() as hubspot:
        yield hubspot


def writing_to(house: House, url: str, key: str = KEY) -> House:
    env = {"CASEWORK_CRM": "hubspot", "CASEWORK_CRM_URL": url, "CASEWORK_CRM_KEY": key, "NO_PROXY": "127.0.0.1"}
    return replace(house, env={**house.env, **env}, patience=LONG)


@pytest.mark.timeout(3 * LONG)
def test_lost_answers_and_throttling_double_and_lose_nothing(house: House, hubspot: Hubspot, tmp_path: Path) -> None:
    """The first answer to each write is lost; the commands that look say how it stands in the end."""
    hubspot.troubles += [("/batch/read", THROTTLED), ("/search", THROTTLED)] * 3
    with line(hubspot.url, first_writes()) as cut:
        house, folder = writing_to(house, cut.url), invoices(tmp_path / "in", LOST)
        with house.running() as up:
            listen(up)
            house.run("start", "invoice-intake", folder, "--wait")
            house.until(lambda done: done["applied"] == LOST)
            ((one,),) = house.rows("SELECT id FROM cases LIMIT 1")
            planned = house.json("crm", "plan", one)
            reconciled = house.run("crm", "reconcile", "--json")
        checked = house.json("crm", "check")

    assert len(cut.lost) == 1 + 2 * LOST
    assert [hubspot.count(kind) for kind in ("party", "invoice", "activity")] == [1, LOST, LOST]
    assert len({row["casework_number"] for row in hubspot.rows["deals"].values()}) == LOST
    assert house.rows("SELECT count(*), count(DISTINCT record) FROM receipts") == [(LOST, LOST)]
    assert [record["change"] for record in planned] == ["none"] * 3
    assert json.loads(reconciled.stdout)["differences"] == []
    assert checked["kinds"]["invoice"]["number"] == "deals.casework_number"
    assert not [it for it in house.home.rglob("*") if it.is_file() and KEY.encode() in it.read_bytes()]


def test_wrong_token_keeps_a_worker_from_starting_and_is_not_repeated(house: House, hubspot: Hubspot) -> None:
    done = writing_to(house, hubspot.url, "pat-wrong").run("up")

    assert done.returncode == 2
    assert "a setting is wrong: CASEWORK_CRM_KEY: " in " ".join(done.stderr.split())
    assert "pat-wrong" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
