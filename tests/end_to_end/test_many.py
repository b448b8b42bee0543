"""Many files in one start. Before a release: `MANY=1000 .venv/bin/python -m pytest tests/end_to_end/test_many.py`."""

import os
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.conftest import CASEWORK, PATIENCE, House, invoices, listen

MANY = int(os.environ.get("MANY", "60"))
LONG = PATIENCE + MANY
"""Seconds until so many cases that have not ended are a failure."""


@pytest.mark.timeout(3 * LONG)
def test_each_of_many_files_is_one_case_and_is_applied_once(house: House, tmp_path: Path) -> None:
    house, folder = replace(house, patience=LONG), invoices(tmp_path / "in", MANY)

    with house.running() as up:
        listen(up)
        first = house.json("start", "invoice-intake", folder, "--wait")
        second = house.json("start", "invoice-intake", folder)
    told = house.json("cases", "--summary")

    assert Counter(one["how"] for one in first) == {"new": MANY}
    assert Counter(one["how"] for one in second) == {"ended": MANY}
    assert len({one["case"] for one in first}) == MANY
    assert (told["standing"], told["straight_through_share"]) == ({"applied": MANY}, 1)
    assert house.rows("SELECT count(*), count(DISTINCT number) FROM crm_invoices") == [(MANY, MANY)]


@pytest.mark.timeout(3 * LONG)
def test_server_that_goes_away_in_the_middle_of_a_start_costs_a_second_start(house: House, tmp_path: Path) -> None:
    house, count = (
        replace(house, patience=LONG),
        max(MANY, 200),
    )  # so many that they are not all started before the server is gone
    words = ("start", "invoice-intake", invoices(tmp_path / "in", count))
    with house.running() as up:
        listen(up)
        starting = subprocess.Popen([CASEWORK, *words], env=house.env, stderr=subprocess.PIPE, text=True)
        house.until(lambda done: done.total() > 0)
        up.kill()  # it would start the server again
        up.wait()
        house.kill_server()
        _, said = starting.communicate(timeout=LONG)
        entered = house.rows("SELECT count(*) FROM cases")[0][0]
    with house.running() as up:
        listen(up)
        again = house.json(*words)

    assert starting.returncode == 1
    assert f"of {count} files were started" in " ".join(said.split())
    assert "Traceback" not in said
    assert "never retrieved" not in said
    assert 0 < entered < count
    assert {one["how"] for one in again} <= {"new", "joined", "ended"}
    assert house.rows("SELECT count(*) FROM cases") == [(count,)]
