"""Cases that wait: what they cost a worker. WAITING=1000 for the long form; `-s` shows the figures."""

import os
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.desk import charters
from tests.end_to_end.conftest import PATIENCE, House, invoices, listen

WAITING = int(os.environ.get("WAITING", "30"))
LONG = PATIENCE + WAITING
BEGUN = 20
"""Cases after which a worker has loaded whatever it needs for any."""
MB = 1_000_000


def memory(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / MB


@pytest.mark.timeout(3 * LONG)
@pytest.mark.parametrize("cached", [10, max(WAITING, 10)], ids=["forgotten", "remembered"])
def test_waiting_case_that_no_worker_remembers_costs_nothing_and_is_decided_all_the_same(
    house: House, tmp_path: Path, cached: int
) -> None:
    house = replace(house, patience=LONG)
    supervised = str(charters(tmp_path / "charters", "stage: autonomous", "stage: supervised"))
    house.env.update({"CASEWORK_CHARTERS": supervised, "CASEWORK_CACHED_CASES": str(cached)})
    folder = Path(invoices(tmp_path / "invoices", WAITING))
    first = [str(folder / f"{number}.xml") for number in range(BEGUN)]
    with house.running() as up:
        listen(up)
        house.run("start", "invoice-intake", *first)
        house.until(lambda standing: standing["waiting"] == BEGUN)
        begun = memory(up.pid)
        house.run("start", "invoice-intake", str(folder))
        house.until(lambda standing: standing["waiting"] == WAITING)
        waiting = memory(up.pid)
        before = time.perf_counter()
        rows = house.json("inbox", "--as", "ap-clerk")
        inbox = time.perf_counter() - before
        decided = house.run("approve", rows[0]["id"])
        house.until(lambda standing: standing["applied"] == 1)

    each = (waiting - begun) / (WAITING - BEGUN)
    print(  # noqa: T201
        f"\n{WAITING} wait, {cached} remembered: worker {begun:.0f} MB with {BEGUN}, {waiting:.0f} MB with all "
        f"({each:.3f} MB each); inbox {inbox:.2f} s"
    )
    assert len(rows) == WAITING
    assert decided.returncode == 0
    assert cached == WAITING or waiting < 1.15 * begun
