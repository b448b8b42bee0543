"""The table of cases: entered once, and found by what people type."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import Engine

from activities.audit import Audit
from activities.cases import Cases
from activities.store import Blobs
from schemas.source import Source
from tests.databases import both_databases

pytestmark = both_databases


@pytest.fixture
def cases(engine: Engine, blobs: Blobs) -> Cases:
    return Cases(engine, blobs)


def test_case_entered_by_several_at_once_is_entered_by_one(cases: Cases, source: Source) -> None:
    start = Barrier(4)

    def enter(name: str) -> bool:
        start.wait(10)
        return cases.open("invoice-intake/1", source, name)

    with ThreadPoolExecutor(4) as pool:
        entered = list(pool.map(enter, "abcd"))

    assert sorted(entered) == [False, False, False, True]
    assert Audit(cases.engine).verify("invoice-intake/1") == []


@pytest.mark.parametrize("typed", ["invoice-intake/ab", "INVOICE-INTAKE/AB", "ab", "AB"])
def test_case_is_found_by_the_beginning_of_its_id_or_key_in_either_case(
    cases: Cases, source: Source, typed: str
) -> None:
    for key in ("ab12", "cd34"):
        cases.open(f"invoice-intake/{key}", source, "tester")

    assert [row.id for row in cases.matching(typed)] == ["invoice-intake/ab12"]


@pytest.mark.parametrize("typed", ["%", "a_1", "\\", "b12", "/", "intake/ab"])
def test_what_is_no_beginning_finds_nothing(cases: Cases, source: Source, typed: str) -> None:
    cases.open("invoice-intake/ab12", source, "tester")

    assert cases.matching(typed) == []


def test_name_with_a_nul_is_no_trouble(cases: Cases, source: Source) -> None:
    cases.open("invoice-intake/1", source.model_copy(update={"name": "invoice\0.pdf"}), "tester")

    row = cases.get("invoice-intake/1")
    assert row
    assert row.source_name.startswith("invoice")


def test_instants_come_back_in_utc(cases: Cases, source: Source) -> None:
    before = datetime.now(UTC)
    cases.open("invoice-intake/1", source, "tester")

    row = cases.get("invoice-intake/1")
    assert row
    assert row.started_at.tzinfo is UTC
    assert before <= row.started_at <= datetime.now(UTC)
