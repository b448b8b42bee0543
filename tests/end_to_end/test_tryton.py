"""Real Tryton, exactly once. Before a release: `WRITES=300 .venv/bin/python -m pytest <this file>`."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.conftest import PATIENCE, House, invoices, listen
from tests.lines import line
from tests.tryton import Tryton, running

WRITES = int(os.environ.get("WRITES", "30"))
LOST = max(20, WRITES * 2 // 5)
KILLS = 3
LONG = PATIENCE + 3 * WRITES
"""Seconds until so many cases that have not ended are a failure."""


@pytest.fixture
def tryton(tmp_path: Path) -> Iterator[Tryton]:
    (tmp_path / "tryton").mkdir()
    with running(tmp_path / "tryton") as tryton:
        yield tryton


def writing_to(house: House, tryton: Tryton, url: str = "") -> House:
    env = {"CASEWORK_CRM": "tryton", "CASEWORK_CRM_URL": url or tryton.url, "CASEWORK_CRM_KEY": tryton.key}
    return replace(house, env={**house.env, **env, "NO_PROXY": "127.0.0.1"}, patience=LONG)


def counts(tryton: Tryton) -> tuple[int, ...]:
    return tuple(tryton.count(kind) for kind in ("party", "invoice", "activity"))


@pytest.mark.timeout(3 * LONG)
def test_kill_9_of_the_worker_doubles_and_loses_nothing(house: House, tryton: Tryton, tmp_path: Path) -> None:
    house, folder = writing_to(house, tryton), invoices(tmp_path / "in", WRITES)
    with house.running():
        house.run("start", "invoice-intake", folder)
    for share in range(1, KILLS + 1):
        with house.running() as up:
            listen(up)
            house.until(lambda done: done["applied"] >= share * WRITES // (KILLS + 2))  # noqa: B023
            up.kill()
    with house.running() as up:
        listen(up)
        house.until(lambda done: done["applied"] == WRITES)
        verified = house.json("audit", "verify")

    assert counts(tryton) == (1, WRITES, WRITES)
    numbers = tryton.rows("SELECT count(DISTINCT reference), count(DISTINCT external_ref) FROM account_invoice")
    assert numbers == [(WRITES, WRITES)]
    assert house.rows("SELECT count(*), count(DISTINCT record) FROM receipts") == [(WRITES, WRITES)]
    assert verified["faults"] == []


@pytest.mark.timeout(3 * LONG)
def test_lost_answers_double_and_lose_nothing(house: House, tryton: Tryton, tmp_path: Path) -> None:
    with line(tryton.url, lambda method, *_: method != "GET") as cut:
        house, folder = writing_to(house, tryton, cut.url), invoices(tmp_path / "in", LOST)
        with house.running() as up:
            listen(up)
            house.run("start", "invoice-intake", folder, "--wait")
            house.until(lambda done: done["applied"] == LOST)

    written = [what for what in cut.lost if what.startswith("POST") and what.endswith("200")]
    assert len(written) == 1 + 2 * LOST
    assert counts(tryton) == (1, LOST, LOST)
    assert house.rows("SELECT count(*), count(DISTINCT record) FROM receipts") == [(LOST, LOST)]


def test_wrong_key_keeps_a_worker_from_starting_and_is_not_repeated(house: House, tryton: Tryton) -> None:
    house = writing_to(house, replace(tryton, key="wrongkey"))

    done = house.run("up")

    assert done.returncode == 2
    assert "a setting is wrong: CASEWORK_CRM_KEY: " in " ".join(done.stderr.split())
    assert "wrongkey" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_crm_check_plan_and_reconcile_tell_how_tryton_stands(house: House, tryton: Tryton, tmp_path: Path) -> None:
    house = writing_to(house, tryton)
    with house.running():
        (one,) = house.json("start", "invoice-intake", invoices(tmp_path / "in", 1), "--wait")
        applied = house.json("crm", "plan", one["case"])
        tryton.write("UPDATE account_invoice SET stated_gross = '1.00'")
        changed = house.json("crm", "plan", one["case"])
        reconciled = house.run("crm", "reconcile", "--json")
    checked = house.json("crm", "check")

    assert checked["kinds"]["invoice"]["number"] == "account.invoice.reference"
    assert [record["change"] for record in applied] == ["none"] * 3
    assert {record["kind"]: list(record["values"]) for record in changed if record["change"] != "none"} == {
        "invoice": ["gross_amount"]
    }
    (difference,) = json.loads(reconciled.stdout)["differences"]
    assert (reconciled.returncode, difference["how"], difference["fields"]) == (1, "changed", ["gross_amount"])
