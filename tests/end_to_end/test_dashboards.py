"""The dashboards: each query is asked of a real Prometheus that reads a real worker."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import promql_parser
import pytest

from deploy.grafana.dashboards import BOARDS, drawn
from deploy.grafana.panels import WEEK, Board
from starters.demo import SAMPLES
from tests.desk import DAMAGED, ONLY_TEXT, charters
from tests.end_to_end.conftest import PATIENCE, House, free_ports, invoices
from tests.providers import providing
from workers.gauges import GAUGES

PANELS = [(f"{board.name}: {panel.title}", panel) for board in BOARDS for at in board.rows.values() for panel in at]
QUERIES = [(title, query) for title, panel in PANELS for query in panel.queries.values()]
UNEVENTFUL = {
    "operations: Failed attempts of steps",
    "operations: Failed tasks of cases",
    "operations: Failed requests to Temporal",
    "queue: Corrected",
    "models: Failed calls",
    "models: Not asked",
    "process: Since the last weekly review",
}
"""Empty while nothing is wrong, nobody has voted and no week was reviewed. So is what is compared with a week ago, in
the first one."""


def plain(query: str) -> str:
    """As Grafana asks it, of all processes."""
    return query.replace("$process", ".+").replace("$__rate_interval", "1m")


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_dashboard_has_each_of_its_queries(board: Board) -> None:
    dashboard = json.loads(drawn(board))

    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]

    assert asked == [query for panels in board.rows.values() for panel in panels for query in panel.queries.values()]


def test_every_query_can_be_parsed_and_every_gauge_is_shown() -> None:
    for _, query in QUERIES:
        promql_parser.parse(plain(query))

    assert [gauge for gauge in GAUGES if not any(gauge in query for _, query in QUERIES)] == []


@contextmanager
def prometheus(folder: Path, worker: str) -> Iterator[str]:
    """A Prometheus that reads this worker every second; its address."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("there is no Prometheus: apt-get install prometheus")
    address = f"127.0.0.1:{free_ports()[0]}"
    scrape = {"job_name": "casework", "static_configs": [{"targets": [worker]}]}
    (folder / "prometheus.yml").write_text(
        json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]})
    )
    words = [
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}",
    ]
    with subprocess.Popen([program, *words], stderr=subprocess.DEVNULL) as process:
        try:
            yield address
        finally:
            process.terminate()


def answered(address: str, query: str) -> list[object]:
    with urlopen(f"http://{address}/api/v1/query?{urlencode({'query': query})}", timeout=PATIENCE) as answer:
        found: list[object] = json.load(answer)["data"]["result"]
        return found


def until(address: str, query: str) -> None:
    """Ask until there is an answer: worker and Prometheus are real, and tell and read in their own time."""
    last = time.monotonic() + PATIENCE
    while not answered(address, query):
        assert time.monotonic() < last, f"no answer to {query}"
        time.sleep(0.1)


def test_each_query_is_answered_by_a_real_worker(house: House, tmp_path: Path) -> None:
    worker = f"127.0.0.1:{free_ports()[0]}"
    budget = charters(tmp_path / "budget", "sample_share: 0.05", "budget: {day: {tokens: 1000000}}")
    house.env.update({"CASEWORK_METRICS": worker, "CASEWORK_CHARTERS": str(budget)})
    first, second = sorted(Path(invoices(tmp_path / "two", 2)).iterdir())
    with providing() as provider, prometheus(tmp_path, worker) as address:
        asked = {"CASEWORK_MODEL": "small", "CASEWORK_MODEL_URL": provider.url("good"), "CASEWORK_MODEL_KEY": "k"}
        house.env.update(asked)
        with house.running():
            taken = (first, SAMPLES / ONLY_TEXT, SAMPLES / DAMAGED)
            house.run("start", "invoice-intake", *map(str, taken), "--wait")
            until(address, 'casework_confidence_count{rung="embedded-xml"} > 0')
            house.run("start", "invoice-intake", str(second), "--wait")
            until(address, "increase(casework_confidence_count[1m]) > 0")
            until(address, 'casework_open_cases{state="waiting"} > 0')
            empty = {title for title, query in QUERIES if WEEK not in query and not answered(address, plain(query))}

    assert empty == UNEVENTFUL
