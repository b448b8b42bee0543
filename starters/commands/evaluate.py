"""`casework evaluate`: labelled documents taken in, read, checked and routed as cases are, with nothing written."""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.progress import Progress
from temporalio.exceptions import ApplicationError

from activities.documents import said_by
from activities.learning.calibration import brake_of, named
from activities.model import Readers
from activities.parsing.mail import looks_like_mail
from activities.pool import ParserStopped
from activities.questions import Question
from schemas.confidence import EXPOSURE, Calibration, quality_of, signals_of
from schemas.finding import Finding
from schemas.policy import Policy
from schemas.proposal import Proposal, endpoint_of
from schemas.routing import Brake, refusal, route
from schemas.scoring import Judged, Labelled, misses, score
from schemas.source import Ingested, Verdict
from starters import screen
from starters.launch import Measure
from starters.mail import Split, split
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.shell import Json, app
from workers.build import readers
from workers.records import blobs_of
from workers.settings import Settings

P = TypeVar("P", bound=Policy)
A = TypeVar("A", bound=BaseModel)

AT_ONCE = 2


@app.command()
def evaluate(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="One labelled document a line.")],
    *,
    reader: Annotated[str, typer.Option("--reader", metavar="RUNG", help="Read with this rung alone.")] = "",
    model: Annotated[
        Path | None, typer.Option("--model", metavar="FILE", help="Classify with this artefact, not the newest.")
    ] = None,
    show_misses: Annotated[bool, typer.Option("--misses", help="List every field that was not as expected.")] = False,
    as_json: Json = False,
) -> None:
    """Measure reading and checking on labelled documents, as if autonomous, against an empty CRM.

    A line is {"source": "path, relative to the file", "expected": {field: value}}, or has "text" and a null source.
    """
    known, settings, started = process_named(process), Settings.from_env(), monotonic()
    if known.judging is None:
        raise Refused(f"{process} cannot be measured as yet")
    policy = known.load_charter(settings).policy
    labelled = labelled_in(file, known.fields)
    with known.judging(Measure(settings, policy, file.parent, reader, model)) as judge:
        judged = judge_all(labelled, judge)
    figures, missed = score(labelled, judged, monotonic() - started), misses(labelled, judged)
    more = known.figures(labelled, judged).model_dump() if known.figures else {}
    if as_json:
        told: dict[str, Any] = {**figures.model_dump(), **more}
        screen.print_json({**told, "misses": [miss._asdict() for miss in missed]} if show_misses else told)
    else:
        screen.print_score({**figures.model_dump(), **more}, missed if show_misses else ())


@contextmanager
def judging(
    question: Question[A], findings: Callable[[Proposal, Any], Iterable[Finding]], measure: Measure
) -> Iterator[Callable[[Labelled], Judged]]:
    """Judge as cases of a process that reads documents do."""
    with readers(measure.settings) as rungs:
        if (name := endpoint_of(measure.reader)) and name not in rungs.endpoints:
            raise Refused(f"no endpoint is called {name}: CASEWORK_MODEL or CASEWORK_MODELS names the model to ask")
        policy = as_if_autonomous(measure.policy, measure.reader)
        found = named(blobs_of(measure.settings), policy.calibration) if policy.calibration else None
        brake = brake_of(found, policy.calibration) if policy.calibration else Brake()
        judge = Judge(rungs, policy, measure.folder, question, findings, found, brake)
        yield judge.judge
    for problem, count in judge.failures.items():
        screen.err.print(f"{count} documents: {screen.plain(problem)}")


def as_if_autonomous(policy: P, reader: str) -> P:
    """Every rung trusted; the thresholds stay."""
    if reader and reader not in policy.rungs:
        raise typer.BadParameter(f"{reader!r} is none of {', '.join(policy.rungs)}", param_hint="--reader")
    rungs = tuple(rung for rung in policy.rungs if rung == reader or not reader)
    return policy.model_copy(update={"stage": "autonomous", "rungs": rungs, "autonomous_rungs": rungs})


def labelled_in(file: Path, fields: Collection[str]) -> list[Labelled]:
    """Every line, or the first problem with its number: half an evaluation is none."""
    try:
        # Not splitlines(): it also ends lines at characters that a JSON string may hold.
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise Refused(f"{file} is not a text file in UTF-8") from None
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_labelled(line, file.parent, fields))
        except Refused as refused:
            raise Refused(f"{file}, line {number}: {refused}") from None
    if not found:
        raise Refused(f"{file} holds no labelled document")
    return found


def _labelled(line: str, folder: Path, fields: Collection[str]) -> Labelled:
    try:
        label = Labelled.model_validate_json(line, extra="forbid")
    except ValidationError as error:
        problem = error.errors()[0]
        raise Refused(f"{'.'.join(map(str, problem['loc'])) or 'the line'}: {problem['msg']}") from None
    if unknown := set(label.expected) - set(fields):
        raise Refused(f"no field is called {', '.join(sorted(unknown))}; there are {', '.join(fields)}")
    if label.source is None:
        if not label.text.strip():
            raise Refused("name a source, or give a text and null as its source")
    elif not (folder / label.source).is_file():
        raise Refused(f"{folder / label.source} is no file")
    return label


def judge_all(labelled: Sequence[Labelled], judge: Callable[[Labelled], Judged]) -> list[Judged]:
    with (
        Progress(console=screen.err, transient=True) as progress,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        return list(progress.track(pool.map(judge, labelled), total=len(labelled), description="reading"))


@dataclass(frozen=True)
class Judge:
    readers: Readers
    policy: Policy
    folder: Path
    question: Question[Any]
    findings: Callable[[Proposal, Any], Iterable[Finding]]
    calibration: Calibration | None = None
    brake: Brake = field(default_factory=Brake)
    """How far the calibration lets cases go."""
    failures: Counter[str] = field(default_factory=Counter)
    """Of rungs, by what they said: figures without them would flatter or blame the wrong one."""

    def judge(self, label: Labelled) -> Judged:
        """What would become of this document, all by itself: no other case has ever been booked."""
        document = self._ingest(label)
        if refused := refusal(document.verdict):
            return Judged(verdict=document.verdict.status, rung="none", reasons=refused.reasons)
        xml = b64decode(document.xml) if document.xml else None
        proposal = self._read(document, xml)
        found = (
            *(self.readers.parsers.check_einvoice(xml) if xml else ()),
            *self.findings(proposal, self.policy),
        )
        findings = [finding for finding in found if finding.code not in EXPOSURE]
        signals = signals_of(proposal.fields, proposal.rung, quality_of(proposal.rung, document.pages), findings)
        if self.calibration:
            proposal = proposal.as_sure_as(self.calibration.confidences(signals))
        unsure = self.policy.model_copy(update={"min_confidence": 0})
        chosen = route(document.verdict, proposal, findings, self.policy, self.brake)
        return Judged(
            verdict=document.verdict.status,
            rung=proposal.rung,
            fields=proposal.fields,
            tokens=proposal.tokens,
            confidence=min((field.confidence for field in proposal.fields.values() if field.value), default=0),
            clean=route(document.verdict, proposal, findings, unsure, Brake()).kind == "auto",
            straight=chosen.kind == "auto",
            reasons=chosen.reasons,
            signals=signals,
        )

    def _ingest(self, label: Labelled) -> Ingested:
        if label.source is None:
            return self.readers.parsers.ingest_text(label.text)
        data = (self.folder / label.source).read_bytes()
        if looks_like_mail(data):
            return self._ingest_mail(split(data))
        return self.readers.parsers.ingest(data, self.policy.limits)

    def _ingest_mail(self, found: Split) -> Ingested:
        """The document of a mail that has one: of more, each would be a case, and of none, none."""
        parsers, count = self.readers.parsers, len(found.documents)
        if count == 1:
            document = parsers.ingest(found.documents[0].data, self.policy.limits)
        else:
            reason = f"a mail with {count} documents: label each" if count else "a mail without a document"
            document = Ingested(verdict=Verdict(status="ambiguous" if count else "missing", reasons=(reason,)))
        return document.model_copy(update={"verdict": document.verdict.joined(said_by(parsers, found.mail))})

    def _read(self, document: Ingested, xml: bytes | None) -> Proposal:
        """The first rung that answers, asked once: a case would ask an endpoint that is busy or silent again."""
        pages = document.pages if any(page.lines for page in document.pages) else ()
        for rung in self.policy.rungs:
            try:
                answer = self.readers.read(self.question, rung, pages, xml)
            except (ParserStopped, ApplicationError) as error:
                self.failures[f"{rung}: {error}"] += 1
                continue
            if answer:
                return Proposal(rung=rung, fields=answer.reading.fields, tokens=answer.tokens)
        return Proposal(rung="person")
