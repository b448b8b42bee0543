"""What a user types and sees: answers, refusals and troubles, each with what to do."""

import json
import os
import shutil
import signal
import socket
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest

from starters.demo import SAMPLES
from tests.desk import CLEAN, DAMAGED, OVER_LIMIT
from tests.end_to_end.conftest import PATIENCE, House

ROOT = Path(__file__).parents[2]


def test_same_bytes_twice_join_the_first_case(house: House, tmp_path: Path) -> None:
    (tmp_path / "copy.pdf").write_bytes((SAMPLES / CLEAN).read_bytes())
    with house.running():
        (first,) = house.json("start", "invoice-intake", str(SAMPLES / CLEAN), "--wait")
        (second,) = house.json("start", "invoice-intake", str(tmp_path / "copy.pdf"), "--wait")

    assert (first["how"], second["how"]) == ("new", "ended")
    assert first["case"] == second["case"]


def test_mails_among_other_files_are_split_and_one_bad_mail_stops_nothing(house: House, tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "billing@example.com", "March [red]\x1b[31m\u202e"
    mail.set_content("Dear [bold]clerk\x07,\n\nplease pay.\n")
    for name in (CLEAN, OVER_LIMIT):
        mail.add_attachment((SAMPLES / name).read_bytes(), maintype="application", subtype="pdf", filename=name)
    mail.add_attachment(b"PK\3\4", maintype="application", subtype="zip", filename="offer.zip")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.eml").write_bytes(mail.as_bytes())
    (folder / "2.txt").write_bytes(b"From: a@example.com\nSubject: hello\n\nno invoice\n")
    (folder / "3.pdf").write_bytes((SAMPLES / DAMAGED).read_bytes())

    with house.running():
        done = house.run("start", "invoice-intake", str(folder), "--wait", "--json")
        told = house.run("start", "invoice-intake", str(folder))
        ((applied,),) = house.rows("SELECT id FROM cases WHERE outcome = 'applied'")
        again = house.run("rerun", applied, "--why", "the mail must not be lost")
        house.until(lambda done: done["applied"] == 1)
    one = {entry["part"] or Path(entry["source"]).name: entry for entry in json.loads(done.stdout)}
    shown = house.run("show", one[CLEAN]["case"])

    assert (done.returncode, told.returncode, again.returncode) == (1, 1, 0)
    assert {name: entry["how"] in ("new", "joined", "ended") for name, entry in one.items()} == {
        CLEAN: True,
        OVER_LIMIT: True,
        "offer.zip": False,
        "2.txt": False,
        "3.pdf": True,
    }
    assert one[CLEAN]["source"] == one["offer.zip"]["source"] == str(folder / "1.eml")
    assert "1.eml: offer.zip: an archive: unpack it" in told.stdout
    assert "2.txt: the mail holds no document (only text)" in told.stderr
    assert "March [red] [31m" in shown.stdout
    assert "| Dear [bold]clerk ,\n       | please pay.\n" in shown.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.stdout)


def test_case_is_corrected_and_approved_by_the_first_digits_of_its_key(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        key = case["case"].rpartition("/")[2][:8]
        seen = house.json("show", key)
        corrected = house.run("correct", key, "supplier=Brandt")
        house.until(lambda _: house.rows("SELECT draft FROM cases") != [(seen["draft"],)])
        stale = house.run("approve", key, "--draft", seen["draft"])
        approved = house.run("approve", key)
        house.until(lambda done: done["applied"] == 1)

    assert (corrected.returncode, stale.returncode, approved.returncode) == (0, 1, 0)
    assert "another draft" in stale.stdout
    assert house.rows("SELECT name FROM crm_parties") == [("Brandt",)]


def test_decision_that_no_worker_hears_is_not_taken_even_when_one_comes_later(house: House) -> None:
    with house.running() as up:
        house.run("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        (case,) = house.json("inbox")
        os.kill(up.pid, signal.SIGSTOP)  # the worker, not the server
        unheard = house.run("approve", case["id"])
        os.kill(up.pid, signal.SIGCONT)
        rejected = house.run("reject", case["id"])
        house.until(lambda done: done["rejected"] == 1)
        acts = [
            (act["kind"], act["body"]["reply"]["accepted"])
            for act in house.json("audit", "show", case["id"])
            if "person" in act["kind"]
        ]

    assert (unheard.returncode, rejected.returncode) == (1, 0)
    assert "NOT taken" in unheard.stdout
    assert ("person.withdrawal", True) in acts
    assert house.rows("SELECT count(*) FROM crm_invoices") == [(0,)]


def test_queued_decision_is_heard_when_a_worker_comes(house: House) -> None:
    with house.running() as up:
        house.run("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        (case,) = house.json("inbox")
        os.kill(up.pid, signal.SIGSTOP)
        queued = house.run("approve", case["id"], "--queue")
        os.kill(up.pid, signal.SIGCONT)
        house.until(lambda done: done["applied"] == 1)

    assert queued.returncode == 0


def test_decision_on_an_ended_case_is_refused_and_audited(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / CLEAN), "--wait")
        refused = house.run("approve", case["case"])

    acts = house.json("audit", "show", case["case"])
    assert refused.returncode == 1
    assert "the case has ended (applied)" in refused.stdout
    assert (acts[-1]["kind"], acts[-1]["body"]["reply"]["accepted"]) == ("person.decision", False)


def test_queued_decision_that_the_case_has_outrun_is_refused_and_audited(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / CLEAN), "--wait")
        house.write("UPDATE cases SET status = 'waiting'")  # as it stood when the command looked
        refused = house.run("approve", case["case"], "--queue")

    acts = house.json("audit", "show", case["case"])
    assert refused.returncode == 1
    assert "the case has ended (applied)" in refused.stdout
    assert (acts[-1]["kind"], acts[-1]["body"]["reply"]["accepted"]) == ("person.decision", False)


def test_odd_names_and_what_is_no_file_stop_no_other(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    odd = os.fsdecode(os.fsencode(folder) + b"/M\xfcller.xml")
    shutil.copy(SAMPLES / "reinwerk-XR-2026-0208.xml", odd)
    os.mkfifo(folder / "pipe.pdf")
    (folder / "gone.pdf").symlink_to("nowhere")

    with house.running():
        done = house.run("start", "invoice-intake", str(folder), "--wait")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("neither a file nor a folder") == 2
    assert "1 new" in done.stdout


def test_rerun_runs_an_ended_case_again_and_books_it_once(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / CLEAN), "--wait")
        nobody = house.run("rerun", case["case"], "--why", "the charter changed", CASEWORK_PERSON="")
        again = house.run("rerun", case["case"], "--why", "the charter changed")
        house.until(lambda done: done["applied"] == 1)
        verified = house.json("audit", "verify")

    assert (nobody.returncode, again.returncode) == (2, 0)
    assert "say who you are" in nobody.stderr
    assert house.rows("SELECT count(*) FROM crm_invoices") == [(1,)]
    assert verified["faults"] == []


def test_decision_that_is_too_long_is_a_clear_message(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        refused = house.run("correct", case["case"], f"supplier={'x' * 1000}")

    assert refused.returncode == 2
    assert "corrections.supplier" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_open_case_is_not_rerun(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")
        refused = house.run("rerun", case["case"], "--why", "impatience")

    assert refused.returncode == 1
    assert "still open" in refused.stderr


def test_live_case_replays(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / OVER_LIMIT), "--wait")

        assert house.run("replay", case["case"]).returncode == 0
        assert [one["history"] for one in house.json("replay", "--open")] == [case["case"]]


def test_altered_audit_is_named_by_the_command(house: House) -> None:
    with house.running():
        (case,) = house.json("start", "invoice-intake", str(SAMPLES / CLEAN), "--wait")
        house.write("DROP TRIGGER audit_entries_no_delete", "DELETE FROM audit_entries WHERE seq > 4")
        house.write("UPDATE audit_heads SET seq = 4, digest = (SELECT digest FROM audit_entries WHERE seq = 4)")
        verified = house.run("audit", "verify")

    assert verified.returncode == 1
    assert case["case"] in verified.stdout
    assert "was cut off: the chain ends at 4" in verified.stdout


@pytest.mark.parametrize("which", ["CASEWORK_PORT", "CASEWORK_UI_PORT"])
def test_taken_port_is_a_clear_message(house: House, which: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(house.env[which])))
        taken.listen()
        refused = house.run("up")

    assert refused.returncode == 1
    assert f"port {house.env[which]} is taken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_second_up_on_the_same_home_is_refused_and_harms_the_first_not(house: House) -> None:
    with house.running() as first:
        refused = house.run("up")
        still = house.run("start", "invoice-intake", str(SAMPLES / CLEAN), "--wait")
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=PATIENCE)

    assert (refused.returncode, still.returncode, first.returncode) == (1, 0, 0)
    assert "already running" in refused.stderr


@pytest.mark.parametrize(
    ("words", "env", "status", "message"),
    [
        (["cases", "--status", "lost"], {}, 2, "started, waiting, writing, closed"),
        (["show", "no-such-case"], {}, 1, "no case is called"),
        (["start", "invoice-intake", "no-such-file.pdf"], {}, 1, "no-such-file.pdf does not exist"),
        (["start", "invoice-intake", str(SAMPLES)], {}, 1, "no Temporal server answers"),
        (["start", "tea-making", str(SAMPLES)], {}, 2, "invoice-intake"),
        (["start", "invoice-intake", "/dev/null"], {}, 1, "neither a file nor a folder"),
        (["replay", str(SAMPLES / CLEAN)], {}, 1, "not a history"),
        (["cases"], {"CASEWORK_PORT": "high"}, 2, "CASEWORK_PORT"),
        (["cases"], {"CASEWORK_HOME": "/proc/nowhere"}, 1, "/proc/nowhere"),
        (["cases"], {"CASEWORK_DATABASE_URL": "mysql://db/name"}, 2, "CASEWORK_DATABASE_URL"),
        (["cases"], {"CASEWORK_DATABASE_URL": "postgresql://127.0.0.1:1/name"}, 1, "postgresql database"),
    ],
)
def test_trouble_is_one_clear_message(
    house: House, words: list[str], env: dict[str, str], status: int, message: str
) -> None:
    done = house.run(*words, **env)

    assert done.returncode == status
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_old_python_is_a_clear_message(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    done = subprocess.run(
        ["make", "install", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "casework needs Python 3.11 or newer" in done.stderr
