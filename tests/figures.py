"""Measure the main job on real documents and write the README's table: `make figures`."""

import asyncio
import json
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from schemas.proposal import Field
from schemas.tables import CaseRow
from starters.command import settled
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Launcher, files_in
from starters.life import running
from tests.end_to_end.conftest import free_ports
from workers.build import Parts, built
from workers.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def same(expected: str, found: str | None) -> bool:
    """Equal as amounts, else without case, spaces and punctuation."""
    try:
        return Decimal(expected) == Decimal(found or "")
    except InvalidOperation:
        return re.sub(r"\W", "", expected.casefold()) == re.sub(r"\W", "", (found or "").casefold())


async def main_job(folder: Path, home: Path) -> tuple[list[CaseRow], Parts, float]:
    """The cases of a folder, once each has ended or waits, and the seconds that took."""
    port, ui_port = free_ports()
    settings = Settings(home=home, port=port, ui_port=ui_port)
    with built(settings) as parts:
        async with running(settings, parts) as client:
            begun = time.monotonic()
            launcher = Launcher(client, parts, settings, INVOICE_INTAKE)
            cases = {one.case async for one in launcher.start_all(files_in([folder])) if one.case}
            await settled(parts, cases)
            return [row for case in cases if (row := parts.cases.get(case))], parts, time.monotonic() - begun


def standing_of(rows: list[CaseRow]) -> Mapping[str, int]:
    return dict(sorted(Counter(row.outcome or row.status for row in rows).items()))


def labelled(rows: list[CaseRow], parts: Parts) -> dict[str, Any]:
    """How the labelled e-invoices fared: fields right, and straight-through cases with a wrong field."""
    by_name = {row.source_name: row for row in rows}
    right, count, wrong, straight = Counter[str](), 0, 0, 0
    for line in (DATA / "evaluate" / "einvoices.jsonl").read_text().splitlines():
        one = json.loads(line)
        row = by_name[Path(one["source"]).name]
        proposal = parts.cases.view(row).proposal
        fields: Mapping[str, Field] = proposal.fields if proposal else {}
        hits = {name: same(value, fields.get(name, Field()).value) for name, value in one["expected"].items()}
        count += 1
        right.update(name for name, hit in hits.items() if hit)
        straight += (applied := row.outcome == "applied" and not row.decided_by)
        wrong += applied and not all(hits.values())
    return {
        "n": count,
        "fields": {name: round(hits / count, 3) for name, hits in sorted(right.items())},
        "straight_through": straight,
        "straight_through_wrong": wrong,
    }


def text_only(parts: Parts) -> dict[str, Any]:
    """The embedded reader on text layers alone."""
    right, count = Counter[str](), 0
    for line in (DATA / "evaluate" / "einvoices-text-only.jsonl").read_text().splitlines():
        one = json.loads(line)
        fields = parts.parsers.read_text(one["text"].split("\f")).fields
        count += 1
        right.update(n for n, value in one["expected"].items() if same(value, fields.get(n, Field()).value))
    return {"n": count, "fields": {name: round(hits / count, 3) for name, hits in sorted(right.items())}}


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for corpus in ("einvoices", "invoices"):
        with tempfile.TemporaryDirectory() as home:
            rows, parts, seconds = asyncio.run(main_job(DATA / corpus, Path(home)))
            figures[corpus] = {"cases": len(rows), "standing": standing_of(rows), "seconds": round(seconds, 1)}
            if corpus == "einvoices":
                figures["labelled e-invoices"] = labelled(rows, parts)
    with tempfile.TemporaryDirectory() as home, built(Settings(home=Path(home))) as parts:
        figures["embedded reader, text layer alone"] = text_only(parts)
    return figures


def table(figures: Mapping[str, Any], commit: str) -> str:
    rows = [f"Measured on commit `{commit}`, with `make figures`.", "", "| what | figure |", "|---|---|"]
    for name, values in figures.items():
        for figure, value in values.items():
            shown = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else value
            rows.append(f"| {name}: {figure.replace('_', ' ')} | {shown} |")
    return "\n".join(rows)


def write() -> None:
    if not DATA.exists():
        raise SystemExit(f"the corpora are not here ({DATA}): figures are measured where they are")
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    figures = measure()
    (ROOT / "deploy" / "figures.json").write_text(json.dumps({"commit": commit, **figures}, indent=2) + "\n")
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}\n{table(figures, commit)}\n{END}{after}")
    print(json.dumps(figures, indent=2))  # noqa: T201


if __name__ == "__main__":
    write()
