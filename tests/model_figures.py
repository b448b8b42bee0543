"""A real model beside the embedded reader, on fixed samples: `make model-figures`, with CASEWORK_MODEL and its URL set.

It writes a table of the README, and takes as long as the model does.
"""

import json
import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from activities.questions import INVOICE
from activities.rules import invoice_findings
from schemas.calibration import reliability
from schemas.invoice import FIELDS
from schemas.scoring import Labelled, field_confidences, misses, score
from starters.commands.evaluate import Judge, as_if_autonomous, judge_all, labelled_in
from starters.invoice_intake import INVOICE_INTAKE
from tests.figures import DATA, commit, put, table
from workers.build import readers
from workers.settings import Settings

SHARE = float(os.environ.get("SHARE", "1"))
"""Of the samples, where a model is slow: their first so many."""
SAMPLES = {"receipts, text given": ("receipts-text", 100), "e-invoices, text alone": ("einvoices-text-only", 26)}
SEED = 100
READERS = ("embedded-reader", "endpoint")


def sample(file: str, size: int) -> list[Labelled]:
    """The same documents each time."""
    labelled = labelled_in(DATA / "evaluate" / f"{file}.jsonl", FIELDS)
    return random.Random(SEED).sample(labelled, min(size, len(labelled)))[: round(SHARE * size)]


def measured(labelled: Sequence[Labelled], reader: str, settings: Settings) -> dict[str, Any]:
    policy = as_if_autonomous(INVOICE_INTAKE.load_charter(settings).policy, reader)
    begun = time.monotonic()
    with readers(settings) as rungs:
        today = datetime.now(UTC).date()
        findings = partial(invoice_findings, today=today)
        judge = Judge(rungs, policy, DATA / "evaluate", INVOICE, findings)
        judged = judge_all(labelled, judge.judge)
    seconds = time.monotonic() - begun
    told = score(labelled, judged, seconds)
    sure = reliability(field_confidences(labelled, judged, misses(labelled, judged)))
    return {
        "n": told.n,
        "fields": told.fields,
        "ece": round(sure.ece, 3),
        "populated bins": sure.populated,
        "auroc": told.auroc,
        "coverage_at_1": told.coverage_at_1,
        "coverage_at_5": told.coverage_at_5,
        "seconds each": round(seconds / len(labelled), 2),
        "tokens each": round(sum(one.tokens for one in judged) / len(labelled)),
        "failed": judge.failures.total(),
    }


def main() -> None:
    settings = Settings.from_env()
    if not settings.model and not settings.models:
        raise SystemExit("no endpoint is set: CASEWORK_MODEL and CASEWORK_MODEL_URL name the model to measure")
    figures = {
        f"{title}, {reader}": measured(sample(*SAMPLES[title]), reader, settings)
        for title in SAMPLES
        for reader in READERS
    }
    put("model", table(figures, commit(), f"with `make model-figures` and the model {settings.model}"))
    print(json.dumps(figures, indent=2))  # noqa: T201


if __name__ == "__main__":
    main()
