"""Cases that wait: what they cost a worker. WAITING=1000 for the long form; `-s` shows the figures."""

import os
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.conftest import PATIENCE, House, invoices, listen
from workers.settings import Settings

WAITING = int(os.environ.get("WAITING", "30"))
LONG = PATIENCE + WAITING
MB = 1_000_000


def supervised(folder: Path) -> str:
    """The charters as shipped, with a person asked about every case."""
    folder.mkdir()
    for charter in Settings().charters.glob("*.yaml"):
        (folder / charter.name).write_text(charter.read_text().replace("stage: autonomous", "stage: supervised"))
    return str(folder)


def memory(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / MB


@pytest.mark.timeout(3 * LONG)
def test_waiting_case_that_no_worker_remembers_costs_nothing_and_is_decided_all_the_same(
    house: House, tmp_path: Path
) -> None:
    house = replace(house, patience=LONG)
    house.env["CASEWORK_CHARTERS"] = supervised(tmp_path / "charters")
    with house.running() as up:
        listen(up)
        fresh = memory(up.pid)
        house.run("start", "invoice-intake", invoices(tmp_path / "invoices", WAITING))
        house.until(lambda standing: standing["waiting"] == WAITING)
        remembered = memory(up.pid)
    with house.running() as again:
        forgotten = memory(again.pid)
        begun = time.perf_counter()
        rows = house.json("inbox", "--as", "ap-clerk")
        inbox = time.perf_counter() - begun
        decided = house.run("approve", rows[0]["id"])
        house.until(lambda standing: standing["applied"] == 1)

    print(  # noqa: T201
        f"\n{WAITING} wait: worker {fresh:.0f} MB fresh, {remembered:.0f} MB when it remembers all "
        f"({(remembered - fresh) / WAITING:.2f} MB each), {forgotten:.0f} MB started anew; inbox {inbox:.2f} s"
    )
    assert len(rows) == WAITING
    assert decided.returncode == 0
    assert forgotten < 1.15 * fresh
