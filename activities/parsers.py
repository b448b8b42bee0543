"""Parsers: child processes in which all untrusted bytes are parsed, so that no document can hurt the worker."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from activities.parsing.judgement import UNREAD_SCAN
from activities.pool import ParserExhausted, ParserStopped, Pool
from schemas.finding import Finding, Findings
from schemas.proposal import Reading
from schemas.source import Ingested, IntakeLimits, Verdict, VerdictStatus

OCR_MEMORY_MB = 2000


class Parsers:
    """What can be asked of them. Scans have a process of their own, for it needs more of everything."""

    def __init__(self, size: int = 2, seconds: float = 20.0, memory_mb: int = 512, *, ocr: bool = False) -> None:
        self._pool = Pool(size, seconds, memory_mb)
        installed = find_spec("rapidocr") and find_spec("onnxruntime")
        self._ocr = Pool(1, seconds, OCR_MEMORY_MB, first="prepare_scan") if ocr and installed else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ingest(self, data: bytes, limits: IntakeLimits) -> Ingested:
        """What the bytes are. A document that stops its parser is malformed, and the reason says so."""
        if len(data) > limits.max_bytes:
            return _refused("malformed", f"{len(data)} bytes, more than the {limits.max_bytes} accepted")
        found = self._ingested(self._pool, "ingest", data, limits=limits.model_dump_json())
        if not found.is_scan or self._ocr is None:
            return found
        return with_scan(found, self._ingested(self._ocr, "ingest_scan", data, limits=limits.model_dump_json()))

    def ingest_text(self, text: str) -> Ingested:
        """What a text is that was given as such; a form feed ends a page."""
        return self._ingested(self._pool, "ingest_text", text.encode())

    def read_einvoice(self, xml: bytes) -> Reading:
        return self._pool.ask("read_einvoice", xml, Reading)

    def check_einvoice(self, xml: bytes) -> tuple[Finding, ...]:
        """What the official rules say. When they cannot be run on it, that is what a person is told."""
        try:
            return self._pool.ask("check_einvoice", xml, Findings).findings
        except ParserStopped as stopped:
            message = f"the official rules could not be checked: {stopped}"
            return (Finding(code="official.unchecked", severity="review", message=message),)

    def read_text(self, pages: Sequence[str]) -> Reading:
        return self._pool.ask("read_text", json.dumps(list(pages)).encode(), Reading)

    def read_contract(self, pages: Sequence[str]) -> Reading:
        return self._pool.ask("read_contract", json.dumps(list(pages)).encode(), Reading)

    def close(self) -> None:
        """Kill all children; calls under way and further ones raise."""
        for pool in (self._pool, self._ocr):
            if pool:
                pool.close()

    def _ingested(self, pool: Pool, op: str, data: bytes, **options: str) -> Ingested:
        try:
            return pool.ask(op, data, Ingested, **options)
        except ParserExhausted as exhausted:
            # A busy machine is late too: what might be read tomorrow goes to a person rather than to nobody.
            return _refused("missing", exhausted.reason)
        except ParserStopped as stopped:
            return _refused("malformed", stopped.reason)


def with_scan(found: Ingested, scan: Ingested) -> Ingested:
    """The document with what its pictures say; that it had no text of its own is settled then, all else stays."""
    rest = tuple(reason for reason in found.verdict.reasons if reason != UNREAD_SCAN)
    had = Verdict(status=found.verdict.status, reasons=rest) if rest else Verdict()
    return found.model_copy(update={"pages": scan.pages, "verdict": had.joined(scan.verdict)})


def _refused(status: VerdictStatus, reason: str) -> Ingested:
    return Ingested(verdict=Verdict(status=status, reasons=(reason,)))
