"""A command that stops says nothing frightening and exits 0. Before a release: `CYCLES=30`."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.conftest import PATIENCE, House, invoices

CYCLES = int(os.environ.get("CYCLES", "6"))
CASES = 4 * CYCLES


def test_worker_starts_and_stops_end_cleanly(house: House, tmp_path: Path) -> None:
    """Each worker is started while cases are to be done, and stopped while it does them or has just done them."""
    with house.running():
        house.run("start", "invoice-intake", invoices(tmp_path / "in", CASES))
        with ThreadPoolExecutor(2) as two:
            ends = list(two.map(lambda _: start_and_stop(house), range(CYCLES)))

    assert ends == [(0, "")] * CYCLES


def start_and_stop(house: House) -> tuple[int, str]:
    with house.running("worker") as worker:
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=PATIENCE)
        return worker.returncode, said


def test_interpreter_is_not_taken_down_while_threads_of_the_sdk_may_need_it(house: House) -> None:
    """What is still there when Python ends itself would say so: here an object of the main module."""
    said = "import os, sys\nclass Left:\n    def __del__(self, say=os.write): say(2, b'taken down')\nleft = Left()\n"
    command = f"{said}from starters.entry import main\nsys.argv = ['casework', 'cases', '--status', 'lost']\nmain()"

    done = subprocess.run([sys.executable, "-c", command], env=house.env, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "started, waiting, writing, closed" in done.stderr
    assert "taken down" not in done.stderr
