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

from activities.learning.fitting import Example, Known, examples, fitted
from activities.questions import INVOICE
from activities.rules import invoice_findings
from schemas.calibration import Scored, reliability
from schemas.confidence import WHOLE, likely
from schemas.invoice import FIELDS
from schemas.scoring import Labelled, auroc, field_confidences, misses, score
from starters.commands.evaluate import Judge, as_if_autonomous, judge_all, labelled_in
from starters.invoice_intake import INVOICE_INTAKE
from tests.figures import DATA, commit, put, table
from workers.build import readers
from workers.settings import Settings

SHARE = float(os.environ.get("SHARE", "1"))
"""Of the samples, where a model is slow: their first so many."""
SAMPLES = {"receipts, text given": ("receipts-text", 100), "e-invoices, text alone": ("einvoices-text-only", 26)}
SEED = 100
FOLDS = 5
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
    known = [field for one in examples(labelled, judged) for field in one.known]
    sure = reliability(field_confidences(labelled, judged, misses(labelled, judged)))
    return {
        "n": told.n,
        "fields": told.fields,
        "ece": round(sure.ece, 3),
        "populated bins": sure.populated,
        "auroc": told.auroc,
        "auroc of likelihood": auroc([(field.signals.get("likelihood", 0), field.wrong) for field in known]),
        "auroc of agreement": auroc([(agreement(field), field.wrong) for field in known]),
        "auroc calibrated": auroc(calibrated := crossed(examples(labelled, judged))),
        "ece calibrated": round(reliability(calibrated).ece, 3) if calibrated else None,
        "coverage_at_1": told.coverage_at_1,
        "coverage_at_5": told.coverage_at_5,
        "seconds each": round(seconds / len(labelled), 2),
        "tokens each": round(sum(one.tokens for one in judged) / len(labelled)),
        "failed": judge.failures.total(),
    }


def agreement(field: Known) -> float:
    return field.signals.get("seconded", 0) - field.signals.get("contradicted", 0)


def crossed(documents: Sequence[Example]) -> Scored:
    """Each field as likely to be right as the documents of the other folds teach; none where they teach nothing."""
    scored: list[tuple[float, bool]] = []
    for fold in range(FOLDS):
        segments = fitted([field for one in _all_but(documents, fold) for field in one.known])
        if WHOLE not in segments:
            return []
        asked = [field for one in documents[fold::FOLDS] for field in one.known]
        scored += [(likely(segments, {field.name: field.signals})[field.name], field.wrong) for field in asked]
    return scored


def _all_but(documents: Sequence[Example], fold: int) -> list[Example]:
    return [one for place, one in enumerate(documents) if place % FOLDS != fold]


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
