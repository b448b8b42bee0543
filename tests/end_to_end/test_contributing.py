"""The page on adding a process, followed to the letter in a copy of the tree, gives a process that works."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from starters.demo import SAMPLES
from tests.desk import ONLY_TEXT
from tests.end_to_end.conftest import House

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("schemas", "activities", "workflows", "workers", "starters", "deploy")
FILE = re.compile(r"`((?:schemas|activities|workflows|workers|starters|deploy)/[\w/.-]+\.(?:py|yaml))`")


def follow(page: str, tree: Path) -> None:
    """Do what the page says: write each file it shows, and make each change, in the file named last before it."""
    section = page[page.index("## To add a process") : page.index("## What to keep")]
    for block in re.finditer(r"```(python|yaml|diff)\n(.*?)```", section, re.DOTALL):
        named = FILE.findall(section[: block.start()])[-1]
        kind, text = block.groups()
        if kind != "diff":
            assert not (tree / named).exists(), f"{named} is there already"
            (tree / named).write_text(text)
            continue
        was, now = ("".join(f"{line[1:]}\n" for line in text.splitlines() if line[0] == sign) for sign in "-+")
        before = (tree / named).read_text()
        assert before.count(was.rstrip("\n")) == 1, f"{named} has not exactly one {was!r}"
        (tree / named).write_text(before.replace(was.rstrip("\n"), now.rstrip("\n")))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    for room in ROOMS:
        shutil.copytree(REPOSITORY / room, tree / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tree)
    follow((REPOSITORY / "CONTRIBUTING.md").read_text(), tree)
    return tree


def test_process_added_by_the_page_takes_a_document_from_start_to_the_crm(house: House, copy: Path) -> None:
    command = copy / "casework"
    command.write_text(f"#!/bin/sh\ncd '{copy}' && exec '{sys.executable}' -m starters.delivery_note \"$@\"\n")
    entry = copy / "run"
    entry.write_text(
        f"#!/bin/sh\ncd '{copy}' && exec '{sys.executable}' -c 'from starters.entry import main; main()' \"$@\"\n"
    )
    for script in (command, entry):
        script.chmod(0o755)
    del house.env["CASEWORK_CHARTERS"]  # the page adds one
    there = replace(house, command=entry)

    with there.running():
        (case,) = there.json("start", "delivery-note", str(SAMPLES / ONLY_TEXT), "--wait")
        joined = replace(house, command=command).run(str(SAMPLES / ONLY_TEXT))
        approved = there.run("approve", case["case"], "--as", "stock-clerk")
        there.until(lambda done: done["applied"] == 1)

    assert case["case"].startswith("delivery-note/")
    assert "1 joined" in joined.stdout
    assert approved.returncode == 0, approved.stdout
    assert there.rows("SELECT count(*) FROM crm_parties") == [(1,)]


def test_files_of_the_page_are_as_clean_as_ours(copy: Path) -> None:
    ruff = Path(sys.executable).parent / "ruff"

    for words in (("check", "."), ("format", "--check", "--quiet", ".")):
        done = subprocess.run([ruff, *words], cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
