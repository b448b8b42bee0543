"""`casework calibrate`: learn how likely fields are right, and which threshold keeps a stated risk."""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer
from rich.table import Table

from activities.learning.decided import Decided
from activities.learning.fitting import Example, Learnt, examples, figures, learnt, proved
from schemas.calibration import Choice
from schemas.confidence import Calibration
from schemas.invoice import FIELDS
from schemas.message import Digest
from schemas.policy import InvoicePolicy
from starters import screen
from starters.commands.evaluate import judge_all, labelled_in
from starters.invoice_intake import INVOICE_INTAKE, judging
from starters.launch import Measure
from starters.learning import learn
from starters.plots import drawn
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.request_triage import REQUEST_TRIAGE
from starters.shell import Json, Shell, app, looking
from workers.records import Records
from workers.settings import Settings


class Wanted(NamedTuple):
    process: str
    file: Path | None
    """Labelled documents; none means the cases that were decided here."""
    risk: float
    confidence: float


class Made(NamedTuple):
    """A calibration as it is kept: by its digest in the blob store, where cases find it, and in a folder for people."""

    digest: Digest
    calibration: Calibration
    folder: Path


@app.command()
def calibrate(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    *,
    labelled: Annotated[
        Path | None,
        typer.Option("--labelled", metavar="FILE.jsonl", help="Labelled documents, else the cases decided here."),
    ] = None,
    risk: Annotated[float, typer.Option("--risk", min=0.0001, max=0.5, help="The straight-through error.")] = 0.01,
    confidence: Annotated[float, typer.Option("--confidence", min=0.5, max=0.9999, help="How surely.")] = 0.95,
    as_json: Json = False,
) -> None:
    """Learn confidence from labelled or decided cases, and prove a threshold for a stated risk or say what it takes.

    Exit status 1: no threshold could be proved.
    """
    calibrated = LEARNT_BY.get(process_named(process).name)
    if calibrated is None:
        raise Refused(f"only {', '.join(LEARNT_BY)} can be calibrated as yet")
    proved = calibrated(Wanted(process, labelled, risk, confidence), as_json)
    if not proved:
        sys.exit(1)


def calibrate_invoices(wanted: Wanted, as_json: bool) -> bool:
    """Keep and tell what was learnt; False when no threshold is proved."""
    with looking() as it:
        policy: InvoicePolicy = process_named(wanted.process).load_charter(it.settings).policy
        known = _labelled(it, wanted.file, policy) if wanted.file else _decided(it, wanted.process, policy)
        found = learnt(known, policy.min_confidence, wanted.risk, wanted.confidence)
        made = _kept(it, wanted, found)
    if as_json:
        screen.print_json(told(made))
    else:
        print_made(made)
    return made.calibration.choice.threshold is not None


def calibrate_requests(wanted: Wanted, as_json: bool) -> bool:
    """Learn the categories too, and keep the classifier."""
    if wanted.file is None:
        raise Refused(f"{wanted.process} learns from labelled messages: name a file with --labelled")
    taught, classifier, answers = learn(Settings.from_env(), wanted.process, wanted.file)
    with looking() as it:
        threshold = process_named(wanted.process).load_charter(it.settings).policy.min_confidence
        found = proved(answers, threshold, wanted.risk, wanted.confidence)
        made = _kept(it, wanted, found, classifier)
    if as_json:
        screen.print_json({**taught.model_dump(), **told(made)})
    else:
        screen.out.print(
            f"learned {len(taught.categories)} categories from {taught.examples} messages, {taught.none} of them none "
            f"of these; below {taught.least:.2f} a message is none\nkept in {screen.plain(taught.artefact, 400)}\n"
            "the charter must name these categories, or a person is asked about each of their cases\n"
        )
        print_made(made)
    return made.calibration.choice.threshold is not None


LEARNT_BY: Mapping[str, Callable[[Wanted, bool], bool]] = {
    INVOICE_INTAKE.name: calibrate_invoices,
    REQUEST_TRIAGE.name: calibrate_requests,
}


def _labelled(it: Shell[Records], file: Path, policy: InvoicePolicy) -> list[Example]:
    labels = labelled_in(file, FIELDS)
    as_read = policy.model_copy(update={"calibration": None})
    with judging(Measure(it.settings, as_read, file.parent)) as judge:
        return examples(labels, judge_all(labels, judge))


def _decided(it: Shell[Records], process: str, policy: InvoicePolicy) -> list[Example]:
    decisions = list(Decided(it.parts.cases, it.parts.audit).of(process, policy))
    if not decisions:
        raise Refused(f"no case of {process} was read, approved by a person and written: name a file with --labelled")
    return examples([one.label for one in decisions], [one.judged for one in decisions])


def told(made: Made) -> dict[str, object]:
    return {**made.calibration.model_dump(mode="json"), "digest": made.digest, "folder": str(made.folder)}


def _kept(it: Shell[Records], wanted: Wanted, found: Learnt, classifier: str = "") -> Made:
    labels: Literal["labelled", "decided"] = "labelled" if wanted.file else "decided"
    calibration = Calibration(
        process=wanted.process,
        made_at=datetime.now(UTC),
        labels=labels,
        fitted_on=found.fitted_on,
        tested_on=found.tested_on,
        segments=found.segments,
        read=figures(found.read),
        calibrated=figures(found.calibrated),
        choice=found.choice,
        classifier=classifier,
    )
    data = calibration.model_dump_json(indent=1).encode()
    digest = it.parts.blobs.put(data)
    folder = it.settings.home / "models" / wanted.process / digest[:12]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calibration.json").write_bytes(data)
    drawn(found, folder)
    return Made(digest, calibration, folder)


def print_made(made: Made) -> None:
    it, choice = made.calibration, made.calibration.choice
    source = "labelled documents" if it.labels == "labelled" else "cases decided here"
    how = "chose the threshold" if it.classifier else "taught"
    screen.out.print(f"{it.process}, {source}: {it.fitted_on} {how}, {it.tested_on} others tested")
    if not it.segments and not it.classifier:
        screen.out.print("too little to learn from: confidences stay as the reader gives them")
    table = Table(box=None, pad_edge=False)
    for name in ("confidence", "fields", "ECE", "populated bins", "AUROC", "Brier"):
        table.add_column(name)
    for name, told in (("as read", it.read), ("calibrated", it.calibrated))[: 2 if it.segments else 1]:
        area = "cannot be told" if told.auroc is None else f"{told.auroc:.3f}"
        table.add_row(name, str(told.n), f"{told.ece:.4f}", str(told.populated), area, f"{told.brier:.4f}")
    screen.out.print(table)
    for line in (*_verdict(choice), f"reliability.svg, risk-coverage.svg and calibration.json are in {made.folder}"):
        screen.out.print(line)
    if choice.threshold is not None:
        screen.out.print(f"to use it, say in the charter's policy  calibration: {made.digest}")
    else:
        screen.out.print(f"kept as {made.digest}: under a policy that names it a person sees every case")


def _verdict(choice: Choice) -> Sequence[str]:
    """What was proved; or what was seen at the best candidate, and what it would take."""
    stated = f"an error of at most {choice.risk:.2%} with {choice.confidence:.0%} confidence"
    seen = (
        f"{choice.errors} of the {choice.taken} cases at or above {choice.threshold or choice.candidate:.4f} were wrong"
        f" (at most {choice.bound:.2%}), of {choice.of} that nothing but confidence could stop"
    )
    if choice.threshold is not None:
        return f"[green]threshold {choice.threshold:.4f}[/] proves {stated}", seen
    if choice.needed is None:
        return f"[red]refused[/]: nothing proves {stated}", seen, "that is too many wrong for any number of labels"
    how = "without an error" if choice.errors == 0 else "with no larger share of errors"
    more = f", about {choice.more_labels} labels more like these" if choice.more_labels else ""
    return f"[red]refused[/]: nothing proves {stated}", seen, f"it takes {choice.needed} such cases {how}{more}"
