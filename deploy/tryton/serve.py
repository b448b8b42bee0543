# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command beside a Tryton of its own: `.tryton/bin/python deploy/tryton/serve.py FOLDER COMMAND...`.

The database in FOLDER begins as a copy of the one that prepare.py made and is kept, and so is casework's own state.
"""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

VENV = Path(sys.prefix)
TABLES = {
    "parties": "party_party",
    "invoices": "account_invoice",
    "contracts": "casework_contract",
    "tickets": "casework_ticket",
}
PATIENCE = 30
"""Seconds until a Tryton that does not answer is a failure."""


def main(folder: Path, command: list[str]) -> int:
    database = folder / "tryton" / "crm.sqlite"
    if not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(VENV / "database" / "crm.sqlite", database)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = database.with_name("trytond.conf")
    settings.write_text(
        f"[database]\nuri = sqlite://\npath = {database.parent.resolve()}\n[web]\nlisten = 127.0.0.1:{port}\n"
    )
    program = [VENV / "bin" / "trytond", "-c", settings, "-d", "crm"]
    with (
        database.with_name("trytond.log").open("a") as log,
        # A session of its own: Ctrl-C is for the command, and Tryton stops after it.
        subprocess.Popen(program, stdout=log, stderr=log, start_new_session=True) as tryton,  # noqa: S603
    ):
        try:
            wait_for(port)
            status = run(command, folder, f"http://127.0.0.1:{port}/crm")
        finally:
            tryton.terminate()
    tell(database)
    return status


def run(command: list[str], folder: Path, url: str) -> int:
    crm = {"CASEWORK_CRM": "tryton", "CASEWORK_CRM_URL": url, "CASEWORK_CRM_KEY": (VENV / "database/key").read_text()}
    env = {"CASEWORK_HOME": str(folder), "NO_PROXY": "127.0.0.1", **os.environ, **crm}
    with subprocess.Popen(command, env=env) as process:  # noqa: S603
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the command heard it too, and ends when it has finished


def wait_for(port: int) -> None:
    last = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > last:
                raise SystemExit("Tryton does not come up: see tryton/trytond.log") from None
            time.sleep(0.1)
        else:
            return


def tell(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {table} WHERE external_ref NOT NULL").fetchone()[0]  # noqa: S608
            for name, table in TABLES.items()
        }
    held = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"\nTryton holds {held} from casework (kept in {database.parent}, which stopped with the command).")  # noqa: T201
    print(f"To go on, begin each command with: {sys.executable} {sys.argv[0]} {sys.argv[1]}")  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
