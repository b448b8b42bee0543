"""The database: the engine, and the schema brought up to date before anybody uses it."""

from pathlib import Path
from sqlite3 import OperationalError
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from activities.store import hold
from workers.settings import BadSettings

VERSIONS = Path(__file__).parent / "migrations" / "versions"
CONNECTIONS = 16
"""As many as a worker has threads; they are opened when they are needed."""
# What the address itself says goes before these. A worker that is frozen must not keep the others out for ever.
PATIENCE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "options": "-c lock_timeout=30s -c idle_in_transaction_session_timeout=60s",
}


class NoDatabase(Exception):
    """Why the database cannot be used, in words for whoever set it up."""


def connect_database(url: str) -> Engine:
    """Open the database, its schema as this release has it. Values stay out of error texts: they may be personal."""
    engine = _open(_parsed(url))
    try:
        _bring_up_to_date(engine)
    except DBAPIError as error:
        said = " ".join(str(error.orig).split())
        raise NoDatabase(f"the {engine.dialect.name} database of CASEWORK_DATABASE_URL said: {said}") from None
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise BadSettings("CASEWORK_DATABASE_URL: not an address like postgresql+psycopg://user@host/name") from None
    if "@" in (parsed.host or ""):
        raise BadSettings("CASEWORK_DATABASE_URL: write an @ in the password as %40, a % as %25")
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("postgresql+psycopg", "sqlite"):
        raise BadSettings("CASEWORK_DATABASE_URL: begins with neither postgresql+psycopg:// nor sqlite:///")
    return parsed


def _open(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, hide_parameters=True, pool_size=CONNECTIONS)
        event.listen(engine, "connect", _tune)
        event.listen(engine, "begin", _begin)
        return engine
    engine = create_engine(
        url.set(query={**PATIENCE, **url.query}),
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=CONNECTIONS,
        pool_pre_ping=True,
    )
    event.listen(engine, "connect", _without_nul)
    event.listen(engine, "begin", _freeze)
    event.listen(engine, "handle_error", _without_values)
    return engine


def _tune(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own transactions would begin late and unlocked; _begin says when and how.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=30000")
    _write_ahead(cursor)
    # FULL: with NORMAL, a power loss takes back what was committed last, and the CRM's answer with it.
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    """While a new file goes over to write-ahead logging, others are told it is locked whatever their busy timeout."""
    until = monotonic() + 30
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except OperationalError:
            if monotonic() > until:
                raise
            sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    """Take the write lock at once when something will be written: upgrading a read lock can fail without waiting."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _freeze(connection: Connection) -> None:
    """What is only read is read as of one moment, as on SQLite; who writes sees what others wrote before the lock."""
    if not connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _without_nul(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    """PostgreSQL's text cannot hold NUL, which documents do: it becomes the sign for what cannot be shown."""
    from psycopg.types.string import StrDumper

    class Dumper(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    connection.adapters.register_dumper(str, Dumper)


def _without_values(context: ExceptionContext) -> None:
    """PostgreSQL's details quote the row at fault; its first words name the constraint, which is enough."""
    original: Any = context.original_exception
    if context.sqlalchemy_exception and (words := original.diag.message_primary):
        original.args = (words,)
        context.sqlalchemy_exception.args = (f"({type(original).__name__}) {words}",)


def _bring_up_to_date(engine: Engine) -> None:
    known = sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))
    with engine.connect() as connection:
        if _revision(connection) == known[-1]:
            return
    with engine.execution_options(writes=True).begin() as connection:
        hold(connection, "schema")
        revision = _revision(connection)
        if revision and revision not in known:
            raise NoDatabase(
                f"the database has schema {revision} and this release of casework knows {known[-1]} at most: "
                "install the release that made it, or a newer one; nothing was changed"
            )
        _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _upgrade(connection: Connection) -> None:
    # A third of a second that only a database behind the code has to wait for.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "workers:migrations")
    command.upgrade(config, "head")
