"""The inbox: what people type all day answers at once, however much waits."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from schemas.tables import CaseRow
from tests.end_to_end.conftest import House
from workers.records import opened
from workers.settings import Settings

MANY = 1000
HEAVY = (
    "openai",
    "temporalio.client",
    "temporalio.worker",
    "alembic",
    "schwifty",
    "apprise",
    "workers.build",
    "opentelemetry",
)
LIBRARIES = (
    "import pydantic, sqlmodel, typer, rich.table, temporalio.activity, cryptography.hazmat.primitives.ciphers.aead"
)


def waiting(number: int, now: datetime) -> CaseRow:
    """One that waits for one of two people, every tenth of them late."""
    return CaseRow(
        id=f"invoice-intake/{number:064x}",
        process="invoice-intake",
        source_name=f"invoice-{number}.pdf",
        status="waiting",
        phase="open",
        step="accounts-payable",
        approvers=["ap-clerk" if number % 2 else "ap-deputy"],
        reasons=["amount.over_limit: 21896.00 EUR is over the limit of 5000"],
        due=now + timedelta(hours=number - MANY // 10),
        started_at=now,
        asked_at=now,
    )


def seconds(run: Callable[[], object]) -> float:
    """The best of three."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return min(times)


def test_thousand_waiting_cases_are_listed_in_little_more_than_it_takes_to_load_the_libraries(house: House) -> None:
    now = datetime.now(UTC)
    with opened(Settings(home=house.home)) as records, Session(records.engine) as session, session.begin():
        session.add_all(waiting(number, now) for number in range(MANY))

    mine = house.json("inbox", "--as", "ap-clerk")
    libraries = seconds(lambda: subprocess.run([sys.executable, "-c", LIBRARIES], check=True))
    inbox = seconds(lambda: house.run("inbox", "--as", "ap-clerk"))

    assert [row["approvers"] for row in mine] == [["ap-clerk"]] * (MANY // 2)
    assert [row["due"] for row in mine] == sorted(row["due"] for row in mine)
    assert inbox < 2.5 * libraries


@pytest.mark.parametrize(
    ("loads", "heavy"),
    [("starters.commands.people", HEAVY), ("starters.command", ("openai", "sklearn", "matplotlib", "apprise"))],
    ids=["looking", "working without a model"],
)
def test_command_loads_nothing_of_what_only_other_work_needs(loads: str, heavy: tuple[str, ...]) -> None:
    loaded = f"import sys, {loads}; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
