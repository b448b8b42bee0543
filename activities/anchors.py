"""Anchors: the heads of all chains, signed and kept elsewhere, so that rewriting the database does not rewrite them."""

import base64
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path as File
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fsspec import AbstractFileSystem
from pydantic import Field, ValidationError
from sqlmodel import select

from activities import bundle
from activities.audit import Audit
from activities.bundle import leaf_of, node_of, signed_by, statement_of
from activities.erasure import digests_in
from activities.store import reading
from schemas.audit import Head
from schemas.message import Digest, Message, digest_of
from schemas.tables import AuditHead, CaseKey


class Anchor(Message):
    """Where all chains stood that had grown since the anchor before it. Signed: all but the heads, whose root is."""

    number: int
    at: str
    previous: Digest
    """The sha256 of what was signed before; of the first, zeros."""
    count: int
    root: Digest
    signature: str = ""
    heads: dict[str, Head] = Field(repr=False)

    @property
    def digest(self) -> Digest:
        return digest_of(statement_of(self.model_dump()))

    @property
    def leaves(self) -> list[Digest]:
        return [leaf_of(chain, head.seq, head.digest) for chain, head in sorted(self.heads.items())]


class NoAnchor(Exception):
    """No anchor knows the case."""


@dataclass(frozen=True)
class Anchors:
    audit: Audit
    files: AbstractFileSystem
    root: str

    def all(self) -> list[Anchor | None]:
        """Oldest first; None where a file is none."""
        names = sorted(self.files.glob(f"{self.root}/anchor-*.json"))
        return [_parsed(self.files.cat_file(name)) for name in names]

    def add(self, key: Ed25519PrivateKey) -> Anchor:
        """Sign where the chains stand, and keep it; for one process at a time."""
        before = [anchor for anchor in self.all() if anchor]
        known = {chain: head for anchor in before for chain, head in anchor.heads.items()}
        with reading(self.audit.engine) as session:
            rows = session.exec(select(AuditHead)).all()
        heads = {row.case_id: Head(seq=row.seq, digest=row.digest) for row in rows}
        grown = {chain: head for chain, head in heads.items() if known.get(chain) != head}
        bare = Anchor(
            number=len(before) + 1,
            at=datetime.now(UTC).isoformat(),
            previous=before[-1].digest if before else bundle.GENESIS,
            count=len(grown),
            root=bundle.GENESIS,
            heads=grown,
        )
        rooted = bare.model_copy(update={"root": layers_of(bare.leaves)[-1][0]})
        anchor = rooted.model_copy(update={"signature": key.sign(statement_of(rooted.model_dump())).hex()})
        self.files.makedirs(self.root, exist_ok=True)
        with self.files.open(f"{self.root}/anchor-{anchor.number:08}.json", "xb") as file:
            file.write(anchor.model_dump_json().encode())
        return anchor

    def heads(self, public_key: str) -> tuple[dict[str, list[Head]], list[str]]:
        """The heads that anchors tell of each chain, and what is wrong with the anchors themselves."""
        told: dict[str, list[Head]] = {}
        faults, previous = [], bundle.GENESIS
        for number, anchor in enumerate(self.all(), 1):
            if anchor is None or not signed_by(public_key, anchor.model_dump()):
                faults.append(f"anchor {number} was not signed with this key")
            elif (anchor.number, anchor.previous) != (number, previous):
                faults.append(f"anchor {number} is missing, or does not follow from the one before it")
            elif layers_of(anchor.leaves)[-1][0] != anchor.root:
                faults.append(f"anchor {number} was edited: its heads are not those that were signed")
            previous = anchor.digest if anchor else previous
            for chain, head in anchor.heads.items() if anchor else ():
                told.setdefault(chain, []).append(head)
        return told, faults

    def export(self, case: str) -> bytes:
        """A case's audit as a file that proves itself: its entries and their key, an anchor's proof, the check."""
        anchor = next((it for it in reversed(self.all()) if it and case in it.heads), None)
        if anchor is None:
            raise NoAnchor(f"no anchor knows {case}: 'casework audit anchor' makes one")
        with reading(self.audit.engine) as session:
            key = session.get_one(CaseKey, case).key or b""
        entries = self.audit.entries(case)
        at = sorted(anchor.heads).index(case)
        head = anchor.heads[case]
        told = {
            "case": case,
            "exported_at": datetime.now(UTC).isoformat(),
            "key": base64.b64encode(key).decode(),
            "entries": [
                {
                    **link.model_dump(exclude={"case", "sealed"}),
                    "sealed": base64.b64encode(link.sealed).decode(),
                    "body": body,
                }
                for link, body in entries
            ],
            "evidence": sorted({digest for _, body in entries for digest in digests_in(body)}),
            "anchor": {
                **anchor.model_dump(exclude={"heads"}),
                **head.model_dump(),
                "path": path_of(anchor.leaves, at),
            },
        }
        return _zipped({bundle.NAME: json.dumps(told, indent=1), "check.py": File(bundle.__file__).read_text()})


def layers_of(leaves: Sequence[Digest]) -> list[list[Digest]]:
    """The tree from its leaves to its root; whoever has no neighbour stands one higher as they are."""
    layers = [list(leaves) or [bundle.GENESIS]]
    while len(layers[-1]) > 1:
        below = layers[-1]
        pairs = [node_of(*below[place : place + 2]) for place in range(0, len(below) - 1, 2)]
        layers.append(pairs + (below[-1:] if len(below) % 2 else []))
    return layers


def path_of(leaves: Sequence[Digest], place: int) -> list[tuple[str, Digest]]:
    return list(_path(leaves, place))


def _path(leaves: Sequence[Digest], place: int) -> Iterator[tuple[str, Digest]]:
    for layer in layers_of(leaves)[:-1]:
        if (other := place ^ 1) < len(layer):
            yield "left" if other < place else "right", layer[other]
        place //= 2


def _parsed(data: bytes) -> Anchor | None:
    try:
        return Anchor.model_validate_json(data)
    except ValidationError:
        return None


def _zipped(files: dict[str, Any]) -> bytes:
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return whole.getvalue()
