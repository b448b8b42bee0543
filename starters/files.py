"""Files as sources: which there are, how they are called, and what they hold."""

import os
from collections.abc import Sequence
from pathlib import Path

from starters.refused import Refused


def files_in(sources: Sequence[Path]) -> list[Path]:
    """Every file named, and every file inside the folders named; hidden ones are left out."""
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            inside = (path for path in sorted(source.rglob("*")) if not path.is_dir())
            found += [path for path in inside if not any(part[0] == "." for part in path.relative_to(source).parts)]
        elif source.is_file():
            found.append(source)
        elif source.exists():
            raise Refused(f"{source} is neither a file nor a folder")
        else:
            raise Refused(f"{source} does not exist")
    return found


def readable(path: Path | str) -> str:
    """A name as text: a file system keeps bytes, and not all of them are UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def read(path: Path, most: int) -> bytes:
    if not path.is_file():
        raise Refused("neither a file nor a folder, or a link that leads nowhere")
    if (size := path.stat().st_size) > most:
        raise Refused(f"{size} bytes are more than the {most} that are read of any file")
    return path.read_bytes()
