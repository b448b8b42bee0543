"""Gauges: what a worker tells of all cases, look by look."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import text
from temporalio.common import MetricMeter

from schemas.source import Source
from workers.gauges import SOON, VERIFIED, Gauges
from workers.records import Records, opened
from workers.settings import Settings

CASES = [f"invoice-intake/{number}" for number in range(VERIFIED + 2)]
LAST = CASES[-1]
ROUNDS = 5
"""Looks after which every chain was verified in one round, wherever a worker begins."""


@dataclass
class Meter:
    """Where the SDK takes metrics: keeps what every series was set to last."""

    told: dict[str, float] = field(default_factory=dict)
    name: str = ""

    def create_gauge_float(self, name: str, description: str) -> "Meter":
        return Meter(self.told, name)

    def set(self, value: float, labels: Mapping[str, str]) -> None:
        self.told[" ".join([self.name, *labels.values()])] = value


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with opened(Settings(home=tmp_path)) as records:
        for case in CASES:
            records.cases.open(case, Source(digest="0" * 64, name="one.pdf", size=1), "tester")
        yield records


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def gauges(records: Records, meter: Meter) -> Gauges:
    return Gauges(records, cast("MetricMeter", meter), {}, ())


def write(records: Records, *statements: str) -> None:
    with records.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def looks(gauges: Gauges, times: int) -> None:
    for _ in range(times):
        gauges.look()


def test_altered_chain_is_found_wherever_it_is_and_forgotten_once_it_is_as_it_was(
    gauges: Gauges, meter: Meter, records: Records
) -> None:
    ((at,),) = _rows(records, f"SELECT at FROM audit_entries WHERE case_id = '{LAST}'")
    write(records, "DROP TRIGGER audit_entries_no_update")
    write(records, f"UPDATE audit_entries SET at = '2020-01-01T00:00:00+00:00' WHERE case_id = '{LAST}'")
    looks(gauges, ROUNDS)
    found = meter.told["casework_audit_faulty_chains"]
    write(records, f"UPDATE audit_entries SET at = '{at}' WHERE case_id = '{LAST}'")
    looks(gauges, ROUNDS)

    assert (found, meter.told["casework_audit_faulty_chains"]) == (1, 0)


def test_chain_of_no_case_is_verified_too_and_one_that_is_gone_is_missed(
    gauges: Gauges, meter: Meter, records: Records
) -> None:
    records.audit.record("review/invoice-intake", "review.written", {})
    for trigger in ("audit_entries_no_update", "audit_entries_no_delete"):
        write(records, f"DROP TRIGGER {trigger}")
    write(records, "UPDATE audit_entries SET at = '2020' WHERE case_id = 'review/invoice-intake'")
    for table in ("audit_entries", "audit_heads"):
        write(records, f"DELETE FROM {table} WHERE case_id = '{LAST}'")
    looks(gauges, ROUNDS)

    assert meter.told["casework_audit_faulty_chains"] == 2


def test_case_that_cannot_even_be_read_is_faulty_and_keeps_nothing_else_from_being_told(
    gauges: Gauges, meter: Meter, records: Records
) -> None:
    write(records, f"UPDATE cases SET reasons = 'oops' WHERE id = '{CASES[0]}'")
    looks(gauges, ROUNDS)

    assert meter.told["casework_audit_faulty_chains"] == 1
    assert meter.told["casework_open_cases invoice-intake under way"] == len(CASES)


def test_all_chains_count_as_verified_once_all_were(gauges: Gauges, meter: Meter) -> None:
    looks(gauges, 1)
    first = meter.told["casework_audit_verified_timestamp_seconds"]
    looks(gauges, ROUNDS)

    assert first == 0
    assert meter.told["casework_audit_verified_timestamp_seconds"] > 0


def test_what_is_no_longer_there_is_told_to_be_nothing(gauges: Gauges, meter: Meter, records: Records) -> None:
    looks(gauges, 1)
    before = meter.told["casework_open_cases invoice-intake under way"]
    write(records, "UPDATE cases SET process = 'renamed'")
    looks(gauges, 1)

    assert (before, meter.told["casework_open_cases invoice-intake under way"]) == (len(CASES), 0)


def test_deadline_within_hours_is_near_and_a_later_one_is_not(gauges: Gauges, meter: Meter, records: Records) -> None:
    now = datetime.now(UTC)
    for case, due in ((CASES[0], now + SOON / 2), (CASES[1], now + SOON + timedelta(minutes=5))):
        write(records, f"UPDATE cases SET status = 'waiting', due = '{due:%Y-%m-%d %H:%M:%S}' WHERE id = '{case}'")
    looks(gauges, 1)

    assert timedelta(hours=4) == SOON
    assert meter.told["casework_due_soon_cases invoice-intake"] == 1
    assert meter.told["casework_overdue_cases invoice-intake"] == 0


def _rows(records: Records, query: str) -> list[tuple[object, ...]]:
    with records.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
