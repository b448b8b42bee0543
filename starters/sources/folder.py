"""A watched folder: whatever comes to lie in it is taken, and moves to `done`, or to `refused` beside the reason."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starters.files import readable
from starters.sources.port import Arrived

DONE, REFUSED = "done", "refused"


@dataclass(frozen=True)
class Folder:
    path: Path
    most: int
    """Bytes: larger files are refused unread."""
    still_for: float = 5
    """Seconds: a file that changed later than so long ago may still be being written."""

    def arrived(self) -> Iterator[Arrived]:
        for path in sorted(self.path.iterdir()):
            with suppress(FileNotFoundError):  # somebody took it away again
                about = path.lstat()
                if path.name.startswith(".") or path.is_dir() or time.time() - about.st_mtime < self.still_for:
                    continue
                name = readable(path.name)
                if not path.is_file() or path.is_symlink():
                    yield Arrived(path.name, name, b"", "neither a file nor a folder, or a link")
                elif about.st_size > self.most:
                    yield Arrived(path.name, name, b"", f"{about.st_size} bytes, more than the {self.most} accepted")
                else:
                    yield Arrived(path.name, name, path.read_bytes())

    def taken(self, one: Arrived) -> None:
        self._move(one, DONE)

    def refused(self, one: Arrived, why: str) -> None:
        """The reason first: what lies in `refused` always has one."""
        folder = self.path / REFUSED
        folder.mkdir(exist_ok=True)
        (folder / f"{one.key}.why.txt").write_text(f"{why}\n")
        self._move(one, REFUSED)

    def _move(self, one: Arrived, where: str) -> None:
        """Under another name where that one is taken: nothing is ever written over."""
        folder = self.path / where
        folder.mkdir(exist_ok=True)
        target = folder / one.key
        if target.exists():
            target = folder / f"{time.time_ns()}-{one.key}"
        with suppress(FileNotFoundError):
            (self.path / one.key).rename(target)
