"""The command as a user runs it: processes of their own, a home of their own, ports of their own."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from starters.demo import SAMPLES
from tests.desk import UNSAMPLED, charters
from tests.servers import free_port

CASEWORK = Path(sys.executable).parent / "casework"
READY = {
    "up": "casework is up",
    "worker": "working on",
    "intake": "taking in from",
    "codec-server": "the codec server",
}
PATIENCE = 60
"""Seconds until a command that does not end is a failure."""


@dataclass(frozen=True)
class House:
    home: Path
    env: dict[str, str]
    patience: float = PATIENCE
    command: Path = CASEWORK

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.command, *words],
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=self.patience,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @contextmanager
    def running(self, stays: str = "up") -> Iterator[subprocess.Popen[str]]:
        """A command that stays, from the moment it says that it is ready; killed in the end if it is still there."""
        with subprocess.Popen(
            [self.command, stays],
            env={**self.env, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                assert process.stdout
                said = process.stdout.readline()
                assert said.startswith(READY[stays]), said
                yield process
            finally:
                process.kill()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.home / "casework.db")) as database:
            return database.execute(query).fetchall()

    def write(self, *statements: str) -> None:
        """What an intruder with the file would do."""
        with closing(sqlite3.connect(self.home / "casework.db")) as database, database:
            for statement in statements:
                database.execute(statement)

    def until(self, come: Callable[[Counter[str]], bool]) -> None:
        """Wait until the table of cases, counted by outcome, has come so far."""
        last = time.monotonic() + self.patience
        while not come(Counter(dict(self.rows("SELECT coalesce(outcome, status), count(*) FROM cases GROUP BY 1")))):
            assert time.monotonic() < last, self.rows("SELECT status, outcome, count(*) FROM cases GROUP BY 1, 2")
            time.sleep(0.02)

    def kill_server(self) -> None:
        os.kill(int((self.home / "server.pid").read_text()), signal.SIGKILL)


def listen(up: subprocess.Popen[str]) -> None:
    """Read whatever it says from now on: a worker whose warnings fill the pipe stands still."""
    assert up.stdout
    Thread(target=up.stdout.read, daemon=True).start()


def invoices(folder: Path, count: int) -> str:
    """A folder of so many e-invoices, each with a number of its own."""
    folder.mkdir()
    one = (SAMPLES / "reinwerk-XR-2026-0208.xml").read_text()
    for number in range(count):
        (folder / f"{number}.xml").write_text(one.replace("XR-2026-0208", f"XR-2026-{number + 1000}"))
    return str(folder)


def free_ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    port, ui_port = free_ports()
    ours = {
        "CASEWORK_HOME": str(tmp_path / "home"),
        "CASEWORK_PORT": str(port),
        "CASEWORK_UI_PORT": str(ui_port),
        "CASEWORK_CHARTERS": str(charters(tmp_path / "unsampled", *UNSAMPLED)),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASEWORK_", "TEMPORAL_"))}
    house = House(tmp_path / "home", {**kept, **ours, "CASEWORK_PERSON": "ap-clerk"})
    yield house
    if (house.home / "server.pid").exists():
        house.kill_server()
