"""Backfill. Before a release: `ITEMS=5000 .venv/bin/python -m pytest -s tests/end_to_end/test_backfill.py`."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.desk import charters
from tests.end_to_end.conftest import CASEWORK, PATIENCE, House, invoices, listen

ITEMS = int(os.environ.get("ITEMS", "60"))
LONG = PATIENCE + ITEMS


@pytest.mark.timeout(3 * LONG)
def test_backfill_that_is_killed_goes_on_where_it_was(house: House, tmp_path: Path) -> None:
    """Once the command, and once the worker with it."""
    house, folder = replace(house, patience=LONG), invoices(tmp_path / "in", ITEMS)
    words = ("backfill", "invoice-intake", folder, "--rate", "100000", "--max-open", "40")
    begun = time.monotonic()
    for share in (1, 2):
        with house.running() as up, subprocess.Popen([CASEWORK, *words], env=house.env) as filling:
            listen(up)
            house.until(lambda done: done.total() >= share * ITEMS // 3)  # noqa: B023
            filling.kill()
            up.kill()
    ((entered,),) = house.rows("SELECT count(*) FROM cases")
    with house.running() as up:
        listen(up)
        told = house.json(*words)
        house.until(lambda done: done["applied"] == ITEMS)
        took, begun = time.monotonic() - begun, time.monotonic()
        again = house.json(*words)
    print(  # noqa: T201
        f"\n{ITEMS} entered and applied in {took:.0f} s, two kills included; gone through again in "
        f"{time.monotonic() - begun:.1f} s"
    )
    assert told["how"]["new"] == ITEMS - entered
    assert sum(told["how"].values()) == told["files"] == ITEMS
    assert again["how"] == {"ended": ITEMS}
    assert house.rows("SELECT count(*), count(DISTINCT number) FROM crm_invoices") == [(ITEMS, ITEMS)]


def test_no_more_are_open_than_was_said_and_a_decision_makes_room(house: House, tmp_path: Path) -> None:
    house.env["CASEWORK_CHARTERS"] = str(charters(tmp_path / "charters", "stage: autonomous", "stage: supervised"))
    words = ("backfill", "invoice-intake", invoices(tmp_path / "in", 12), "--rate", "100000", "--max-open", "5")
    with (
        house.running() as up,
        subprocess.Popen([CASEWORK, *words], env=house.env, stderr=subprocess.PIPE, text=True) as filling,
    ):
        listen(up)
        house.until(lambda standing: standing["waiting"] == 5)
        for case in house.json("inbox", "--as", "ap-clerk")[:2]:
            house.run("approve", case["id"])
        house.until(lambda standing: standing == Counter({"waiting": 5, "applied": 2}))
        filling.send_signal(signal.SIGINT)
        _, said = filling.communicate(timeout=PATIENCE)

    assert house.rows("SELECT count(*) FROM cases") == [(7,)]
    assert filling.returncode == 1
    assert "12 files: the same command again goes on from here" in " ".join(said.split())


def test_listed_file_that_is_not_there_is_told_and_stops_no_other(house: House, tmp_path: Path) -> None:
    folder = Path(invoices(tmp_path / "in", 3))
    listed = folder / "list.txt"
    listed.write_text("0.xml\n\ngone.xml\n2.xml\n")
    with house.running() as up:
        listen(up)
        done = house.run("backfill", "invoice-intake", "--list", str(listed), "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, told["files"], told["how"]) == (1, 3, {"new": 2, "failed": 1})
    assert [one["source"] for one in told["failed"]] == [str(folder / "gone.xml")]
