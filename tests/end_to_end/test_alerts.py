"""Incidents on a real worker, seen by a real Prometheus, told by a real Alertmanager, and over by the first action."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from starters.demo import SAMPLES
from tests.desk import ONLY_TEXT
from tests.end_to_end.conftest import House, free_ports
from tests.providers import providing
from tests.receivers import Receiver, receiving

CONFIGS = Path(__file__).parents[2] / "deploy" / "prometheus"
PATIENCE = 60
PROGRAMS = {
    "prometheus": ("--storage.tsdb.path", "--rules.alert.resend-delay=1s"),
    "prometheus-alertmanager": ("--storage.path", "--cluster.listen-address="),
}
"""What keeps their data, and what makes them tell at once and alone."""
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, PROGRAMS)), reason="Prometheus and its Alertmanager are not installed"
)


@contextmanager
def watched(folder: Path, worker: str) -> Iterator[Receiver]:
    """Under the configuration as shipped, but that nothing waits and everybody has ports of their own."""
    shutil.copytree(CONFIGS, folder)
    ports = dict(zip(PROGRAMS, free_ports(), strict=True))
    with receiving() as receiver, ExitStack() as stack:
        moved = {"9464": worker.rpartition(":")[2], "9093": ports["prometheus-alertmanager"], "9095": receiver.port}
        for file in folder.iterdir():
            text = re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda found: str(moved[found[0]]), file.read_text())
            text = re.sub(r"(?<=for: )\w+", "0s", re.sub(r"(?<=_interval: )15s", "1s", text))
            file.write_text(text.replace("group_wait: 30s", "group_wait: 0s\n  group_interval: 1s"))
        for name, (data, *more) in PROGRAMS.items():
            config = folder / f"{name.rpartition('-')[2]}.yaml"
            words = [name, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{ports[name]}"]
            process = subprocess.Popen([*words, f"{data}={folder / name}", "--log.level=error", *more])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield receiver


def until_told(receiver: Receiver, alert: str, status: str) -> None:
    """Once somebody was told that it fires, or that it is over."""

    def told() -> bool:
        alerts = [one for body in receiver.taken for one in body["alerts"]]
        return any(one["labels"]["alertname"] == alert and one["status"] == status for one in alerts)

    with receiver.changed:
        assert receiver.changed.wait_for(told, PATIENCE), f"{alert} is not {status}: {receiver.taken}"


@pytest.mark.timeout(6 * PATIENCE)
def test_incident_is_told_and_over_by_the_first_action_of_its_runbook(house: House, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports()[0]}"
    house.env.update({"CASEWORK_METRICS": address, "CASEWORK_MODEL": "small", "CASEWORK_MODEL_KEY": "k"})
    with providing() as provider, watched(tmp_path / "prometheus", address) as receiver:
        house.env["CASEWORK_MODEL_URL"] = provider.url("good")
        until_told(receiver, "CaseworkNoWorker", "firing")
        with house.running():
            until_told(receiver, "CaseworkNoWorker", "resolved")

            house.run("models", "hold", "default", "--why", "to see")
            until_told(receiver, "CaseworkEndpointClosed", "firing")
            house.run("models", "resume", "default")
            until_told(receiver, "CaseworkEndpointClosed", "resolved")

            house.run("start", "invoice-intake", str(SAMPLES / ONLY_TEXT), "--wait")
            house.write("UPDATE cases SET due = '2020-01-02 00:00:00'")
            until_told(receiver, "CaseworkOverdue", "firing")
            (case,) = house.json("inbox")
            house.run("reject", case["id"])
            until_told(receiver, "CaseworkOverdue", "resolved")
