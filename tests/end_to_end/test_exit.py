"""A command that stops says nothing frightening and exits 0."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.end_to_end.conftest import PATIENCE, House, invoices

CYCLES = 30
CASES = 120


def test_30_worker_starts_and_stops_end_cleanly(house: House, tmp_path: Path) -> None:
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
