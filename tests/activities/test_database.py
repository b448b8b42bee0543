"""The database: a schema that is the code's, however the database began, and troubles told in words."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

from activities.audit import Audit
from activities.store import writing
from schemas.tables import BrakeRow, InvoiceClaim
from tests.databases import Postgres, both_databases, only_postgresql
from workers.database import NoDatabase, connect_database
from workers.settings import BadSettings

SECRET = "Morgentau-Glaserei"
OLD_CASE = f"invoice-intake/{64 * '0'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing was ever made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.empty()


@pytest.fixture
def before_migrations(tmp_path: Path) -> str:
    """A file as casework made it before there were migrations, with a case in it."""
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript(Path(__file__).with_name("before_migrations.sql").read_text())
    return f"sqlite:///{tmp_path / 'old.db'}"


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), SQLModel.metadata))


@both_databases
def test_migrations_make_what_the_tables_say(engine: Engine) -> None:
    assert differences(engine) == []


@pytest.mark.parametrize("missing", [(), ("invoice_claims", "receipts")], ids=["whole", "older"])
def test_file_older_than_the_migrations_is_taken_over_with_its_data(
    before_migrations: str, tmp_path: Path, missing: tuple[str, ...]
) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        for table in missing:
            connection.execute(f"DROP TABLE {table}")

    engine = connect_database(before_migrations)

    audit = Audit(engine)
    audit.record(OLD_CASE, "case.rerun", {})
    assert [body for _, body in audit.entries(OLD_CASE)][1:] == [{"supplier": "Northwind"}, {}]
    assert audit.verify(OLD_CASE) == []
    assert differences(engine) == []
    engine.dispose()


def test_workers_that_start_at_once_on_an_empty_database_all_come_up(empty_url: str) -> None:
    start = Barrier(4)

    def open_with_others(_: int) -> list[Any]:
        start.wait(10)
        engine = connect_database(empty_url)
        found = differences(engine)
        engine.dispose()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_with_others, range(4))) == [[]] * 4


@both_databases
def test_database_up_to_date_is_opened_without_waiting_for_alembic(engine: Engine, database_url: str) -> None:
    code = (
        "import sys; from workers.database import *; connect_database(sys.argv[1]); sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code, database_url], check=False).returncode == 0


@both_databases
def test_database_of_a_newer_release_is_left_alone_and_says_what_to_do(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NoDatabase, match=r"schema 9999 .* install the release that made it"):
        connect_database(database_url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sesame", "not an address"),
        ("postgresql://u:sesame@db:port/name", "not an address"),
        ("mysql://u:sesame@db/name", "neither postgresql"),
        ("postgresql+psycopg2://u:sesame@db/name", "neither postgresql"),
        ("postgresql://u:open@sesame@db/name", "write an @"),
    ],
)
def test_address_that_is_none_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(BadSettings, match=words) as told:
        connect_database(url)

    assert "sesame" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": "127.0.0.1", "port": 1}, "refused"),
        ({"database": "none_such"}, "does not exist"),
        ({"username": "guarded"}, "password authentication failed"),
        ({"username": "visitor"}, "permission denied"),
    ],
)
def test_postgresql_out_of_reach_is_told_without_the_password(
    postgres: Postgres, change: dict[str, Any], words: str
) -> None:
    url = make_url(postgres.empty()).set(password="sesame", **change)
    url = url.difference_update_query(["host"]) if "host" in change else url

    with pytest.raises(NoDatabase, match=words) as told:
        connect_database(url.render_as_string(hide_password=False))

    assert "sesame" not in str(told.value)
    assert "\n" not in str(told.value)


def test_file_that_cannot_be_made_is_told() -> None:
    with pytest.raises(NoDatabase, match="unable to open database file"):
        connect_database("sqlite:////proc/none/casework.db")


@both_databases
def test_error_names_no_values(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as told:  # noqa: PT012
        for _ in range(2):
            with writing(engine) as session:
                session.add(InvoiceClaim(party=SECRET, number="1", ref="r"))

    assert "invoice_claims" in str(told.value)
    assert SECRET not in f"{told.value} {told.value.orig} {told.value.__cause__}"


@only_postgresql
def test_restart_of_the_database_between_two_writes_is_not_noticed(engine: Engine, postgres: Postgres) -> None:
    audit = Audit(engine)
    audit.record("invoice-intake/1", "model.read", {})

    postgres.restart()

    assert audit.record("invoice-intake/1", "model.read", {}).seq == 2


@only_postgresql
def test_restart_of_the_database_within_a_write_leaves_nothing_of_it_and_the_next_attempt_succeeds(
    engine: Engine, postgres: Postgres
) -> None:
    with pytest.raises(Exception, match=r"terminat|closed"):  # noqa: PT012, SIM117
        with writing(engine) as session:
            session.add(BrakeRow(process="invoice-intake", reason="lost"))
            session.flush()
            postgres.restart()

    with writing(engine) as session:
        assert session.get(BrakeRow, "invoice-intake") is None


def test_bodies_cannot_be_read_in_the_bytes_of_the_database(audit: Audit, case: str, tmp_path: Path) -> None:
    audit.record(case, "model.read", {"supplier": SECRET})

    files = [path.read_bytes() for path in tmp_path.glob("casework.db*")]

    assert any(b"model.read" in data for data in files)
    assert not any(SECRET.encode() in data for data in files)
