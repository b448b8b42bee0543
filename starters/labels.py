"""Decided cases as a labelled file, with their documents beside it: what 'evaluate' and 'calibrate' read."""

import re
from collections.abc import Collection
from pathlib import Path

from activities.learning.decided import Decided
from schemas.policy import Policy
from schemas.tables import CaseRow
from starters.refused import Refused
from starters.shell import Shell
from workers.records import Records

SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")


def write_labels(
    it: Shell[Records], process: str, policy: Policy, file: Path, only: Collection[str] | None = None
) -> int:
    """Write a line for each decided case, or for `only` these, and tell how many; a file that is there stays."""
    folder = file.with_suffix("")
    if file.exists() or folder == file:
        raise Refused(f"{file} is there already, or has no ending like .jsonl")
    lines = []
    for row, label, _ in Decided(it.parts.cases, it.parts.audit).of(process, policy):
        if only is not None and row.id not in only:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        name = _name(row)
        (folder / name).write_bytes(it.parts.blobs.get(row.source))
        there = label.model_copy(update={"source": f"{folder.name}/{name}"})
        lines.append(there.model_dump_json(exclude={"text"}))
    if lines:
        file.write_text("\n".join(lines) + "\n")
    return len(lines)


def _name(row: CaseRow) -> str:
    """The digest, with the ending of the sender's name where it is a plain one."""
    suffix = Path(row.source_name).suffix.lower()
    return row.source + (suffix if SUFFIX.fullmatch(suffix) else "")
