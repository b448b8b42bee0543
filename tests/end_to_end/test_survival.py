"""kill -9 at any point loses no case and applies none twice. Before a release: `CASES=120`; see `make chaos` too."""

import os
from pathlib import Path

from starters.demo import SAMPLES
from tests.desk import OVER_LIMIT
from tests.end_to_end.conftest import House, invoices

CASES = int(os.environ.get("CASES", "30"))
KILLS = 2


def test_kill_9_of_worker_and_server_loses_no_case_and_applies_none_twice(house: House, tmp_path: Path) -> None:
    folder = invoices(tmp_path / "in", CASES)
    with house.running():
        house.run("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        house.run("start", "invoice-intake", folder)
        house.kill_server()  # it is started again by itself, and the worker finds it
        house.until(lambda done: done["applied"] >= CASES // (KILLS + 2))
    for share in range(1, KILLS + 1):
        with house.running() as up:
            house.until(lambda done: done["applied"] >= (share + 1) * CASES // (KILLS + 2))  # noqa: B023
            up.kill()  # the worker dies in the middle of a step; its server is left over, and ended by the next start

    with house.running():
        joined = house.json("start", "invoice-intake", folder, "--wait")
        (waiting,) = house.json("inbox")
        house.run("approve", waiting["id"])
        house.until(lambda done: done["applied"] == CASES + 1)
        verified = house.json("audit", "verify")

    assert {one["how"] for one in joined} <= {"joined", "ended"}
    assert {one["standing"] for one in joined} == {"applied"}
    assert house.rows("SELECT count(*), count(DISTINCT number) FROM crm_invoices") == [(CASES + 1, CASES + 1)]
    assert verified["faults"] == []
    assert verified["against_temporal"]
