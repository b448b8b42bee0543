"""Real Tryton servers for tests, each on a database of its own: copies of one that `make tryton` prepared."""

import os
import shutil
import socket
import sqlite3
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from activities.crms.tryton import TrytonCrm
from schemas.crm_mapping import CrmMapping
from tests.servers import free_port
from workers.settings import REPOSITORY

VENV = REPOSITORY / ".tryton"
PREPARED = VENV / "database"
MAPPING = REPOSITORY / "deploy" / "crm" / "tryton.yaml"
PATIENCE = 30


def mapping() -> CrmMapping:
    return CrmMapping.model_validate(yaml.safe_load(MAPPING.read_text()))


@dataclass(frozen=True)
class Tryton:
    url: str
    key: str
    database: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the other side itself, without HTTP: read-only, so that its writers are not held up."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()

    def write(self, statement: str) -> None:
        """What somebody does there, by hand."""
        with closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute(statement)

    def clear(self) -> None:
        """Take away what tests wrote; the company's own party stays."""
        for table in ("activity", "contract", "ticket"):
            self.write(f"DELETE FROM casework_{table}")
        for table in ("account_invoice_tax", "account_invoice_line"):
            self.write(f"DELETE FROM {table}")
        self.write("DELETE FROM account_invoice")
        self.write("DELETE FROM party_address WHERE party IN (SELECT id FROM party_party WHERE external_ref NOT NULL)")
        self.write("DELETE FROM party_party WHERE external_ref NOT NULL")

    def sums(self, ref: str) -> tuple[str, ...]:
        """Net, tax and gross of an invoice as Tryton works them out."""
        asked = urlsafe_b64encode(f'[["external_ref", "=", "{ref}"]]'.encode()).decode()
        names = ("untaxed_amount", "tax_amount", "total_amount")
        params = (("d", asked), *(("f", name) for name in names))
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx2.get(f"{self.url}/rest/model/account.invoice", params=params, headers=headers, trust_env=False)
        (row,) = answer.json()
        return tuple(row[name]["decimal"] for name in names)

    def count(self, kind: str) -> int:
        table = mapping().kinds[kind].model.replace(".", "_")
        (count,) = self.rows(f"SELECT count(*) FROM {table} WHERE external_ref IS NOT NULL")[0]
        return int(count)

    @contextmanager
    def port(self, url: str = "", **options: Any) -> Iterator[TrytonCrm]:
        address = f"{(url or self.url).rstrip('/')}/rest/model/"
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx2.Client(base_url=address, headers=headers, timeout=30, trust_env=False, **options) as client:
            yield TrytonCrm(client, mapping())


@contextmanager
def running(folder: Path) -> Iterator[Tryton]:
    if not (PREPARED / "key").exists():
        pytest.skip("no Tryton: 'make tryton' installs it")
    shutil.copy(PREPARED / "crm.sqlite", folder)
    port = free_port()
    (folder / "trytond.conf").write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n[web]\nlisten = 127.0.0.1:{port}\n"
    )
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [VENV / "bin" / "trytond", "-c", folder / "trytond.conf", "-d", "crm"],
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as server,
    ):
        try:
            _await(port)
            yield Tryton(f"http://127.0.0.1:{port}/crm", (PREPARED / "key").read_text(), folder / "crm.sqlite")
        finally:
            server.terminate()


def _await(port: int) -> None:
    last = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < last, "Tryton does not come up"
            time.sleep(0.05)
        else:
            return
