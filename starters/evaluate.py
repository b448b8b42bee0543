"""`casework evaluate`: labelled documents taken in, read, checked and routed as cases are, with nothing written."""

from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.progress import Progress
from temporalio.exceptions import ApplicationError

from activities.documents import said_by
from activities.model import Readers
from activities.parsing.mail import looks_like_mail
from activities.pool import ParserStopped
from activities.questions import INVOICE
from activities.rules import invoice_findings
from schemas.confidence import EXPOSURE, quality_of, signals_of
from schemas.invoice import FIELDS
from schemas.policy import InvoicePolicy
from schemas.proposal import Proposal, endpoint_of
from schemas.routing import Brake, refusal, route
from schemas.scoring import Judged, Labelled, misses, score
from schemas.source import Ingested, Verdict
from starters import screen
from starters.mail import Split, split
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.shell import Json, app
from workers.build import readers
from workers.settings import Settings
from workflows.invoice_intake import NAME

AT_ONCE = 2


@app.command()
def evaluate(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="One labelled document a line.")],
    *,
    reader: Annotated[str, typer.Option("--reader", metavar="RUNG", help="Read with this rung alone.")] = "",
    show_misses: Annotated[bool, typer.Option("--misses", help="List every field that was not as expected.")] = False,
    as_json: Json = False,
) -> None:
    """Measure reading and checking on labelled documents, as if autonomous, against an empty CRM.

    A line is {"source": "path, relative to the file", "expected": {field: value}}, or has "text" and a null source.
    """
    if process != NAME:
        raise Refused(f"only {NAME} can be measured as yet")
    settings, started = Settings.from_env(), monotonic()
    policy = as_if_autonomous(process_named(process).load_charter(settings).policy, reader)
    labelled = labelled_in(file)
    with readers(settings) as rungs:
        if (name := endpoint_of(reader)) and name not in rungs.endpoints:
            raise Refused(f"no endpoint is called {name}: CASEWORK_MODEL or CASEWORK_MODELS names the model to ask")
        judge = Judge(rungs, policy, file.parent)
        judged = judge_all(labelled, judge)
    for problem, count in judge.failures.items():
        screen.err.print(f"{count} of {len(labelled)} documents: {screen.plain(problem)}")
    figures, missed = score(labelled, judged, monotonic() - started), misses(labelled, judged)
    if as_json:
        told: dict[str, Any] = figures.model_dump()
        screen.print_json({**told, "misses": [miss._asdict() for miss in missed]} if show_misses else told)
    else:
        screen.print_score(figures, missed if show_misses else ())


def as_if_autonomous(policy: InvoicePolicy, reader: str) -> InvoicePolicy:
    """Every rung trusted; the thresholds stay."""
    if reader and reader not in policy.rungs:
        raise typer.BadParameter(f"{reader!r} is none of {', '.join(policy.rungs)}", param_hint="--reader")
    rungs = tuple(rung for rung in policy.rungs if rung == reader or not reader)
    return policy.model_copy(update={"stage": "autonomous", "rungs": rungs, "autonomous_rungs": rungs})


def labelled_in(file: Path) -> list[Labelled]:
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
            found.append(_labelled(line, file.parent))
        except Refused as refused:
            raise Refused(f"{file}, line {number}: {refused}") from None
    if not found:
        raise Refused(f"{file} holds no labelled document")
    return found


def _labelled(line: str, folder: Path) -> Labelled:
    try:
        label = Labelled.model_validate_json(line, extra="forbid")
    except ValidationError as error:
        problem = error.errors()[0]
        raise Refused(f"{'.'.join(map(str, problem['loc'])) or 'the line'}: {problem['msg']}") from None
    if unknown := set(label.expected) - set(FIELDS):
        raise Refused(f"no field is called {', '.join(sorted(unknown))}; there are {', '.join(FIELDS)}")
    if label.source is None:
        if not label.text.strip():
            raise Refused("name a source, or give a text and null as its source")
    elif not (folder / label.source).is_file():
        raise Refused(f"{folder / label.source} is no file")
    return label


def judge_all(labelled: Sequence[Labelled], judge: "Judge") -> list[Judged]:
    with (
        Progress(console=screen.err, transient=True) as progress,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        return list(progress.track(pool.map(judge.judge, labelled), total=len(labelled), description="reading"))


@dataclass(frozen=True)
class Judge:
    readers: Readers
    policy: InvoicePolicy
    folder: Path
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
            *invoice_findings(proposal, self.policy, datetime.now(UTC).date()),
        )
        findings = [finding for finding in found if finding.code not in EXPOSURE]
        unsure = self.policy.model_copy(update={"min_confidence": 0})
        chosen = route(document.verdict, proposal, findings, self.policy, Brake())
        return Judged(
            verdict=document.verdict.status,
            rung=proposal.rung,
            fields=proposal.fields,
            tokens=proposal.tokens,
            confidence=min((field.confidence for field in proposal.fields.values() if field.value), default=0),
            clean=route(document.verdict, proposal, findings, unsure, Brake()).kind == "auto",
            straight=chosen.kind == "auto",
            reasons=chosen.reasons,
            signals=signals_of(proposal.fields, proposal.rung, quality_of(proposal.rung, document.pages), findings),
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
                answer = self.readers.read(INVOICE, rung, pages, xml)
            except (ParserStopped, ApplicationError) as error:
                self.failures[f"{rung}: {error}"] += 1
                continue
            if answer:
                return Proposal(rung=rung, fields=answer.reading.fields, tokens=answer.tokens)
        return Proposal(rung="person")
