"""What breaks, on real processes, a real disk and a real database: each is mended before the next."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.plan import Breakage, Plan
from tests.databases import Postgres
from tests.end_to_end.conftest import House, listen

FROZEN = 25
"""Seconds: longer than a worker may be silent before its steps are given to another."""
FULL = 4
DISK_MB = 64


@dataclass
class Breaker:
    house: House
    disk: Path | None
    """A small disk of its own that the blobs are on; None where none can be had."""
    postgres: Postgres | None
    done: Counter[str] = field(default_factory=Counter)
    _staff: dict[str, tuple[ExitStack, subprocess.Popen[str]]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        stack = ExitStack()
        process = stack.enter_context(self.house.running(name))
        listen(process)
        self._staff[name] = (stack, process)

    def kill(self, name: str) -> None:
        stack, process = self._staff.pop(name)
        process.kill()
        stack.close()

    def kill_server(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            self.house.kill_server()

    def all_through(self, plan: Plan, come: Callable[[], float]) -> None:
        """Break each thing once the cases have come so far."""
        for share, breakage in plan.breakages:
            while come() < share:
                time.sleep(0.1)
            if self._break(breakage):
                self.done[breakage] += 1

    def _break(self, breakage: Breakage) -> bool:
        """False: it is not here to be broken."""
        match breakage:
            case "kill worker" | "kill up":
                name = breakage.removeprefix("kill ")
                self.kill(name)
                self.start(name)
            case "kill server":
                self.kill_server()
            case "freeze worker":
                self._staff["worker"][1].send_signal(signal.SIGSTOP)
                time.sleep(FROZEN)
                self._staff["worker"][1].send_signal(signal.SIGCONT)
            case "fill disk":
                return self._fill_disk()
            case "restart database":
                if self.postgres:
                    self.postgres.restart()
                return self.postgres is not None
        return True

    def _fill_disk(self) -> bool:
        if self.disk is None:
            return False
        filler = self.disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        time.sleep(FULL)
        filler.unlink()
        return True


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of a few megabytes, where this user may mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
