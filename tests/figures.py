"""Measure reading, checking and the main job on real documents, and write the README's table: `make figures`."""

import asyncio
import json
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from activities.parsers import Parsers
from schemas.invoice import FIELDS
from schemas.scoring import score
from schemas.source import IntakeLimits
from schemas.tables import CaseRow
from schemas.triage import CATEGORY
from schemas.triage_scoring import request_score
from starters.command import settled
from starters.commands.evaluate import judge_all, labelled_in
from starters.files import files_in
from starters.invoice_intake import INVOICE_INTAKE, judging
from starters.judging_requests import judging_requests
from starters.launch import Launcher, Measure
from starters.learning import learn
from starters.life import running
from starters.request_triage import REQUEST_TRIAGE
from tests.activities.test_official import codes, official_cases
from tests.end_to_end.conftest import free_ports
from tests.load.bench import bench
from tests.load.rate import rate
from workers.build import built
from workers.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
LABELLED = {
    "e-invoices": "einvoices",
    "e-invoices, text alone": "einvoices-text-only",
    "receipts, text given": "receipts-text",
    "receipts, photos (OCR)": "receipts-images",
}
AWKWARD = ("malformed", "injection")
INTENTS = ("banking77.train", "clinc150.train", "clinc150.val")


def evaluated(name: str) -> dict[str, Any]:
    """What `casework evaluate invoice-intake` prints of this file."""
    file = DATA / "evaluate" / f"{name}.jsonl"
    settings, started = Settings(), time.monotonic()
    policy = INVOICE_INTAKE.load_charter(settings).policy
    labelled = labelled_in(file, FIELDS)
    with judging(Measure(settings, policy, file.parent)) as judge:
        judged = judge_all(labelled, judge)
    return score(labelled, judged, time.monotonic() - started).model_dump()


def requests(train: Sequence[str], test: Sequence[str]) -> dict[str, Any]:
    """What `casework evaluate request-triage` prints, once `casework calibrate` has learned from other messages."""
    with tempfile.TemporaryDirectory() as home:
        settings, began = Settings(home=Path(home)), time.monotonic()
        taught, asked = Path(home) / "train.jsonl", Path(home) / "test.jsonl"
        taught.write_text("\n".join(train))
        asked.write_text("\n".join(test))
        learn(settings, REQUEST_TRIAGE.name, taught)
        labelled = labelled_in(asked, (CATEGORY,))
        measure = Measure(settings, REQUEST_TRIAGE.load_charter(settings).policy, asked.parent)
        with judging_requests(measure, REQUEST_TRIAGE.name) as judge:
            judged = judge_all(labelled, judge)
    found = score(labelled, judged, time.monotonic() - began)
    covered = {"coverage_at_1": found.coverage_at_1, "coverage_at_5": found.coverage_at_5}
    return {**request_score(labelled, judged).model_dump(), **covered, "seconds": round(found.seconds, 1)}


def intents() -> dict[str, Any]:
    """Requests of two corpora: one without any that none of its categories wants, four fifths teaching one fifth."""
    lines = {name: (DATA / "evaluate" / f"{name}.jsonl").read_text().splitlines() for name in INTENTS}
    bank = lines["banking77.train"]
    random.Random(1).shuffle(bank)
    apart = len(bank) * 4 // 5
    return {
        "requests, banking77, 80/20": requests(bank[:apart], bank[apart:]),
        "requests, clinc150, train/val": requests(lines["clinc150.train"], lines["clinc150.val"]),
    }


def official() -> dict[str, Any]:
    """How many official test cases are judged as their authors say."""
    cases = list(official_cases())
    return {
        "n": len(cases),
        "as expected": sum((rule in codes(invoice)) != holds for _, invoice, rule, holds in cases),
    }


def awkward() -> dict[str, Any]:
    """The verdict on every awkward file, and how long the slowest took."""
    files = [path for folder in AWKWARD for path in files_in([DATA / folder])]
    files += [path for path in files_in([DATA / "einvoices"]) if "fail" in path.parts]
    verdicts, slowest = Counter[str](), 0.0
    with Parsers(ocr=True) as parsers:
        for path in files:
            begun = time.monotonic()
            verdicts[parsers.ingest(path.read_bytes(), IntakeLimits()).verdict.status] += 1
            slowest = max(slowest, time.monotonic() - begun)
    return {"n": len(files), "verdicts": dict(sorted(verdicts.items())), "slowest, seconds": round(slowest, 1)}


async def main_job(folder: Path, home: Path) -> tuple[list[CaseRow], float]:
    """The cases of a folder, once each has ended or waits, and the seconds that took."""
    port, ui_port = free_ports()
    settings = Settings(home=home, port=port, ui_port=ui_port, ocr=False)
    with built(settings) as parts:
        async with running(settings, parts) as client:
            begun = time.monotonic()
            launcher = Launcher(client, parts, settings, INVOICE_INTAKE)
            cases = {one.case async for one in launcher.start_all(files_in([folder])) if one.case}
            await settled(parts, cases)
            return [row for case in cases if (row := parts.cases.get(case))], time.monotonic() - begun


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {title: evaluated(name) for title, name in LABELLED.items()}
    figures |= intents()
    figures["EN 16931, official cases"] = official()
    figures["awkward files"] = awkward()
    for corpus in ("einvoices", "invoices"):
        with tempfile.TemporaryDirectory() as home:
            rows, seconds = asyncio.run(main_job(DATA / corpus, Path(home)))
        standing = dict(sorted(Counter(row.outcome or row.status for row in rows).items()))
        figures[f"cases of the folder {corpus}"] = {
            "n": len(rows),
            "standing": standing,
            "seconds": round(seconds, 1),
        }
    return {**figures, "rate of an endpoint": rate(), **{f"cost, {name}": told for name, told in bench().items()}}


def table(figures: Mapping[str, Any], commit: str, how: str = "with `make figures`") -> str:
    """One row for each subject, its figures in one cell."""
    rows = [f"Measured on commit `{commit}`, {how}.", "", "| what | figures |", "|---|---|"]
    for name, told in figures.items():
        cell = "; ".join(_shown(key, value) for key, value in told.items()) if isinstance(told, dict) else told
        rows.append(f"| {name.replace('_', ' ')} | {cell} |")
    return "\n".join(rows)


def _shown(key: str, value: object) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{name} {item}" for name, item in value.items())
    return f"{key.replace('_', ' ')} {'-' if value is None else value}"


def commit() -> str:
    described = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def put(name: str, told: str) -> None:
    """Put a table between its marks in the README."""
    readme, begin, end = ROOT / "README.md", f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = readme.read_text().partition(begin)
    readme.write_text(f"{before}{begin}\n{told}\n{end}{rest.partition(end)[2]}")


def write() -> None:
    if not DATA.exists():
        raise SystemExit(f"the corpora are not here ({DATA}): figures are measured where they are")
    figures = measure()
    (ROOT / "deploy" / "figures.json").write_text(json.dumps({"commit": commit(), **figures}, indent=2) + "\n")
    put("figures", table(figures, commit()))
    print(json.dumps(figures, indent=2))  # noqa: T201


if __name__ == "__main__":
    write()
