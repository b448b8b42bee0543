"""Databases to test on: SQLite in a file, and a PostgreSQL server of our own."""

from dataclasses import dataclass
from functools import cached_property
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
