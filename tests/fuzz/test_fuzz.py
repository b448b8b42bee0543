"""Broken and hostile bytes. Before a release: `FUZZ=20000 .venv/bin/python -m pytest tests/fuzz`."""

import os
from base64 import b64decode
from pathlib import Path

from activities.parsing import contracts, einvoice, official, reader, sniff
from schemas.source import IntakeLimits
from starters.demo import CONTRACTS, MESSAGES, SAMPLES
from starters.mail import looks_like_mail, split, texted
from tests.fuzz.mutations import documents, mutated

FUZZ = int(os.environ.get("FUZZ", "200"))
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
LONGEST = 400_000
CORPORA = [folder for kind in ("mails", "malformed", "injection") for folder in sorted((SHARED / kind).glob("**/"))]


def test_whatever_bytes_come_each_parser_has_an_answer() -> None:
    """In this process, where an exception that nobody foresaw is one; a worker's would cost it a child."""
    whole = [path for path in documents(SAMPLES, CONTRACTS, MESSAGES, *CORPORA) if path.stat().st_size < LONGEST]
    verdicts = set()
    for seed in range(FUZZ):
        data = mutated(whole[seed % len(whole)].read_bytes(), seed)
        found = sniff.ingest(data, IntakeLimits())
        verdicts.add(found.verdict.status)
        if found.pages:
            pages = [page.text for page in found.pages]
            reader.read(pages)
            contracts.read(pages)
        if found.xml:
            einvoice.read(b64decode(found.xml))
            official.check(b64decode(found.xml))
        (split if looks_like_mail(data) else texted)(data)

    assert {"ok", "malformed"} <= verdicts
