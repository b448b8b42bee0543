"""Backfill. Before a release: `ITEMS=5000 .venv/bin/python -m pytest tests/end_to_end/test_backfill.py`."""

import os
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.desk import UNSAMPLED, charters
from tests.end_to_end.conftest import CASEWORK, PATIENCE, House, invoices, listen

ITEMS = int(os.environ.get("ITEMS", "60"))
LONG = PATIENCE + ITEMS


@pytest.mark.timeout(3 * LONG)
def test_backfill_that_is_killed_goes_on_where_it_was(house: House, tmp_path: Path) -> None:
    """Once the command, and once the worker with it."""
    house, folder = replace(house, patience=LONG), invoices(tmp_path / "in", ITEMS)
    house.env["CASEWORK_CHARTERS"] = str(charters(tmp_path / "charters", *UNSAMPLED))
    words = ("backfill", "invoice-intake", folder, "--rate", "100000", "--max-open", "40")
    for share in (1, 2):
        with house.running() as up, subprocess.Popen([CASEWORK, *words], env=house.env) as filling:
            listen(up)
            house.until(lambda done: done.total() >= share * ITEMS // 3)  # noqa: B023
            filling.kill()
            up.kill()
    with house.running() as up:
        listen(up)
        told = house.json(*words)
        house.until(lambda done: done["applied"] == ITEMS)

    assert sum(told["how"].values()) == told["files"] == ITEMS
    assert told["how"]["new"] <= ITEMS - ITEMS // 3
    assert house.rows("SELECT count(*), count(DISTINCT number) FROM crm_invoices") == [(ITEMS, ITEMS)]


def test_no_more_are_open_than_was_said_and_a_decision_makes_room(house: House, tmp_path: Path) -> None:
    house.env["CASEWORK_CHARTERS"] = str(charters(tmp_path / "charters", "stage: autonomous", "stage: supervised"))
    words = ("backfill", "invoice-intake", invoices(tmp_path / "in", 12), "--rate", "100000", "--max-open", "5")
    with house.running() as up, subprocess.Popen([CASEWORK, *words], env=house.env) as filling:
        listen(up)
        house.until(lambda standing: standing["waiting"] == 5)
        for case in house.json("inbox", "--as", "ap-clerk")[:2]:
            house.run("approve", case["id"])
        house.until(lambda standing: standing == Counter({"waiting": 5, "applied": 2}))
        filling.kill()

    assert house.rows("SELECT count(*) FROM cases") == [(7,)]
