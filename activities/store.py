"""Transactions on the database and bytes in the blob store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import Connection, Engine, func, select
from sqlmodel import Session

from schemas.message import Digest, digest_of


@contextmanager
def writing(engine: Engine, *names: str) -> Iterator[Session]:
    """One transaction that holds these names from its start, so that what it reads under them cannot change."""
    with Session(engine.execution_options(writes=True), expire_on_commit=False) as session, session.begin():
        hold(session.connection(), *names)
        yield session


def hold(connection: Connection, *names: str) -> None:
    """Keep out whoever asks for the same name until the transaction ends. SQLite has one writer at a time anyway.

    A case comes before anything that cases share: with one order for all, nobody waits in a circle.
    """
    if connection.dialect.name == "postgresql":
        for name in names:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


class Altered(Exception):
    """A blob's bytes are not what its name says."""


@dataclass(frozen=True)
class Blobs:
    """Bytes under the sha256 of their content: storing twice is storing once, and an altered blob is noticed."""

    files: AbstractFileSystem
    root: str

    def put(self, data: bytes) -> Digest:
        digest = digest_of(data)
        path = self._path(digest)
        if self.files.exists(path) and digest_of(self.files.cat_file(path)) == digest:
            return digest
        # Written aside and moved, so that a crash or a full disk never leaves half a blob under a good name.
        self.files.makedirs(self.files._parent(path), exist_ok=True)  # noqa: SLF001  (fsspec has no public one)
        aside = f"{path}.{uuid4().hex}"
        try:
            self._write(aside, data)
        except BaseException:
            with suppress(OSError):
                self.files.rm_file(aside)
            raise
        self.files.mv(aside, path)
        return digest

    def _write(self, path: str, data: bytes) -> None:
        with self.files.open(path, "wb") as file:
            file.write(data)
            if isinstance(self.files, LocalFileSystem):
                # Else a power loss after the move leaves the name without the bytes.
                file.flush()
                os.fsync(file.fileno())

    def get(self, digest: Digest) -> bytes:
        data: bytes = self.files.cat_file(self._path(digest))
        if digest_of(data) != digest:
            raise Altered(f"blob {digest} was altered: its bytes have another digest")
        return data

    def remove(self, digest: Digest) -> bool:
        """Whether it was there."""
        try:
            self.files.rm_file(self._path(digest))
        except FileNotFoundError:
            return False
        return True

    def _path(self, digest: Digest) -> str:
        return f"{self.root}/{digest[:2]}/{digest}"
