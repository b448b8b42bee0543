"""The parser processes: what a nasty document can do to them, and what they can see of the worker."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import psutil
import pytest

from activities.parsers import Parsers, with_scan
from activities.parsing import wire
from activities.parsing.judgement import UNREAD_SCAN
from activities.pool import REQUESTS_PER_CHILD, ParserStopped
from schemas.source import Ingested, IntakeLimits, Verdict

LIMITS = IntakeLimits()
INVOICE = b"<Invoice><ID>R-1</ID><AccountingSupplierParty/></Invoice>"


def form_bomb(levels: int = 12) -> bytes:
    """A small PDF whose only page draws a form that draws ten forms that draw ten forms, and so on."""

    def stream(entries: bytes, content: bytes) -> bytes:
        return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)

    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"
    calls = b"/F Do " * 10
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>",
        stream(b"", calls),
        *(stream(form + b"/Resources<</XObject<</F %d 0 R>>>>" % number, calls) for number in range(6, 6 + levels)),
        stream(form, b"0 0 1 1 re f"),
    ]
    body = b"%PDF-1.7\n" + b"".join(b"%d 0 obj\n%s\nendobj\n" % pair for pair in enumerate(objects, 1))
    return body + b"trailer\n<</Root 1 0 R>>\n%%EOF"


@pytest.fixture
def parsers() -> Iterator[Parsers]:
    with Parsers(size=1) as parsers:
        yield parsers


def children() -> list[psutil.Process]:
    """Ours: those of the desks, which all tests share, are there before."""
    found = [it for it in psutil.Process().children() if it.pid not in OTHERS]
    return [child for child in found if "activities.parsing" in " ".join(child.cmdline())]


OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    OTHERS.update(child.pid for child in psutil.Process().children())


def test_a_child_that_hangs_is_killed_in_time_and_the_pool_goes_on() -> None:
    with Parsers(size=1, seconds=1, memory_mb=4000) as parsers:
        start = monotonic()

        stopped = parsers.ingest(form_bomb(), LIMITS)

        assert stopped.verdict.status == "missing"  # on a quiet machine it might be read: a person is asked
        assert stopped.verdict.reasons == ("the parser was stopped after 1 s",)
        assert monotonic() - start < 5
        # Its next child has as little time, most of which a busy machine takes for starting it.
        assert "ok" in (parsers.ingest(INVOICE, LIMITS).verdict.status for _ in range(10))


def test_a_child_that_eats_memory_is_stopped() -> None:
    with Parsers(size=1, memory_mb=150) as parsers:
        stopped = parsers.ingest(form_bomb(), LIMITS)

    assert stopped.verdict.reasons == ("the parser was stopped above 150 MB of memory",)


def test_secrets_of_the_worker_are_not_visible_in_a_child(parsers: Parsers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEWORK_TEST_SECRET", "hunter2")
    parsers.ingest(INVOICE, LIMITS)

    (child,) = children()

    assert b"hunter2" not in Path(f"/proc/{child.pid}/environ").read_bytes()
    assert not [name for name in child.environ() if name in os.environ and name != "LC_CTYPE"]


def test_a_child_killed_from_outside_costs_no_document(parsers: Parsers) -> None:
    parsers.ingest(INVOICE, LIMITS)
    (child,) = children()
    child.kill()
    child.wait()

    assert parsers.ingest(INVOICE, LIMITS).verdict.status == "ok"


def test_a_child_is_replaced_after_so_many_requests(parsers: Parsers) -> None:
    parsers.ingest(INVOICE, LIMITS)
    (first,) = children()

    for _ in range(REQUESTS_PER_CHILD):
        parsers.ingest(INVOICE, LIMITS)

    assert first not in children()


def test_a_reading_that_stops_its_child_raises_with_the_reason(parsers: Parsers) -> None:
    with pytest.raises(ParserStopped, match="the parser crashed"):
        parsers.read_einvoice(b"<not-well-formed")


def test_threads_share_the_children() -> None:
    with Parsers(size=2) as parsers:
        statuses: list[str] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(parsers.ingest(INVOICE, LIMITS).verdict.status))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)

        assert statuses == ["ok"] * 8
        assert len(children()) <= 2


def test_closing_kills_the_children_and_further_calls_are_refused(parsers: Parsers) -> None:
    parsers.ingest(INVOICE, LIMITS)
    (child,) = children()

    parsers.close()

    assert not child.is_running()
    with pytest.raises(RuntimeError, match="closed"):
        parsers.ingest(INVOICE, LIMITS)


def test_an_answer_that_announces_too_much_is_not_read(tmp_path: Path) -> None:
    frame = tmp_path / "frame"
    frame.write_bytes((100).to_bytes(4, "big") + b"x" * 100)

    with frame.open("rb") as pipe, pytest.raises(wire.BrokenFrame):
        wire.receive(pipe, limit=99)


def test_a_file_over_the_limit_is_refused_without_being_parsed(parsers: Parsers) -> None:
    refused = parsers.ingest(b"x" * 11, IntakeLimits(max_bytes=10))

    assert refused.verdict.reasons == ("11 bytes, more than the 10 accepted",)
    assert children() == []


def test_what_a_scan_says_and_what_its_file_does_are_both_told() -> None:
    file = Verdict(status="ambiguous", reasons=("1 of 2 pages cannot be opened", UNREAD_SCAN))
    pictures = Verdict(status="suspicious", reasons=("the scan addresses a machine",))

    both = with_scan(Ingested(verdict=file, is_scan=True), Ingested(verdict=pictures)).verdict

    assert both == Verdict(status="suspicious", reasons=(*pictures.reasons, "1 of 2 pages cannot be opened"))


def test_a_scan_that_was_read_lacks_nothing() -> None:
    unread = Ingested(verdict=Verdict(status="missing", reasons=(UNREAD_SCAN,)), is_scan=True)

    assert with_scan(unread, Ingested()).verdict == Verdict()
