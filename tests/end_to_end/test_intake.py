"""Sources, as processes: a folder, a real mailbox and a door for HTTP, and an intake that is killed."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.desk import charters
from tests.end_to_end.conftest import PATIENCE, House, free_ports, invoices, listen
from tests.mailserver import PASSWORD, USER, MailServer, mail_server

FILES, MAILS = 20, 10
TOKEN = "a-token-of-this-door"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        with server.open() as session:  # it comes with a few mails of its own
            session.select("INBOX")
            session.store("1:*", "+FLAGS", r"(\Deleted)")
            session.expunge()
        yield server


def sources(house: House, *known: dict[str, Any]) -> None:
    """The file of sources, each of invoice intake."""
    file = house.home.parent / "sources.yaml"
    each = [{"name": one["kind"], "process": "invoice-intake", "every": 0.2, **one} for one in known]
    file.write_text(yaml.safe_dump({"sources": each}))
    house.env["CASEWORK_SOURCES"] = str(file)


def mailbox(server: MailServer, **more: object) -> dict[str, Any]:
    there = {"host": "127.0.0.1", "port": server.port, "encrypted": False, "user": USER, "password": PASSWORD}
    return {"kind": "mailbox", **there, **more}


def mail(document: Path) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "billing@example.com", f"Invoice {document.stem}"
    message.set_content("Please find our invoice attached.")
    message.add_attachment(document.read_bytes(), maintype="application", subtype="xml", filename=document.name)
    return message.as_bytes()


def eventually(come: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE
    while not come():
        assert time.monotonic() < last
        time.sleep(0.1)


@pytest.mark.timeout(300)
def test_intake_that_is_killed_loses_and_doubles_nothing(house: House, mails: MailServer, tmp_path: Path) -> None:
    folder, made = tmp_path / "in", Path(invoices(tmp_path / "made", FILES + MAILS))
    folder.mkdir()
    for number in range(FILES):
        (made / f"{number}.xml").rename(folder / f"{number}.xml")
    mails.put(*(mail(path) for path in sorted(made.iterdir())))
    sources(house, {"kind": "folder", "folder": str(folder), "still_for": 0}, mailbox(mails))

    with house.running() as up:
        listen(up)
        for share in (1, 2, 3):
            with house.running("intake") as intake:
                listen(intake)
                house.until(lambda done: done.total() >= share * (FILES + MAILS) // 4)  # noqa: B023
                intake.kill()
        with house.running("intake") as intake:
            listen(intake)
            house.until(lambda done: done["applied"] == FILES + MAILS)
            eventually(lambda: mails.count("INBOX") == 0 and not list(folder.glob("*.xml")))

    assert house.rows("SELECT count(*), count(DISTINCT number) FROM crm_invoices") == [(FILES + MAILS,) * 2]
    assert len(list((folder / "done").iterdir())) == FILES
    assert mails.count("casework done") >= MAILS


def test_source_takes_no_more_while_too_many_cases_are_open(house: House, tmp_path: Path) -> None:
    house.env["CASEWORK_CHARTERS"] = str(charters(tmp_path / "charters", "stage: autonomous", "stage: supervised"))
    folder = invoices(tmp_path / "in", 6)
    sources(house, {"kind": "folder", "folder": folder, "still_for": 0, "max_open": 3})

    with house.running() as up, house.running("intake") as intake:
        listen(up)
        listen(intake)
        house.until(lambda standing: standing["waiting"] == 3)
        (case, *_) = house.json("inbox", "--as", "ap-clerk")
        house.run("approve", case["id"])
        house.until(lambda standing: standing == Counter({"waiting": 3, "applied": 1}))

    assert house.rows("SELECT count(*) FROM cases") == [(4,)]


def test_wrong_password_is_one_clear_error_without_it(house: House, mails: MailServer) -> None:
    sources(house, mailbox(mails, password="not-the-password"))

    with house.running() as up:
        listen(up)
        done = house.run("intake")

    assert done.returncode == 2
    assert "a setting is wrong: CASEWORK_SOURCES, source mailbox: " in " ".join(done.stderr.split())
    assert "not-the-password" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_door_answers_each_sender_with_what_to_do(house: House, tmp_path: Path) -> None:
    port, _ = free_ports()
    sources(house, {"kind": "http", "port": port, "token": TOKEN})
    document = (Path(invoices(tmp_path / "made", 1)) / "0.xml").read_bytes()

    def post(body: bytes, path: str = "/invoice-intake/one.xml", **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.putrequest("POST", path)
        for name, value in {"Authorization": f"Bearer {TOKEN}", "Content-Length": str(len(body)), **headers}.items():
            if value:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    with house.running() as up:
        listen(up)
        with house.running("intake") as intake:
            listen(intake)
            first, again = post(document), post(document)
            refused = {
                "wrong token": post(document, Authorization="Bearer wrong")[0],
                "no such process": post(document, "/payroll/one.xml")[0],
                "no length": post(b"", **{"Content-Length": ""})[0],
                "too long": post(b"", **{"Content-Length": "99999999999"})[0],
            }
            up.kill()
            up.wait()
            house.kill_server()
            (house.home / "server.pid").unlink()
            away = post(document + b"<!-- another -->")

    assert (first[0], again[0], again[1]["cases"][0]["case"]) == (201, 200, first[1]["cases"][0]["case"])
    assert refused == {"wrong token": 401, "no such process": 401, "no length": 411, "too long": 413}
    assert away[0] == 503
