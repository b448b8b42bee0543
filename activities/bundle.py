"""The check of a case's audit bundle: it needs the standard library, cryptography and the public key, nothing of ours.

Alone: python bundle.py BUNDLE.zip PUBLIC_KEY, the key in hexadecimal. Exit status 1, and a line a fault, when the
bundle is not what the installation with that key anchored.
"""

import base64
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAME = "bundle.json"
NONCE = 12
GENESIS = "0" * 64
Path = Sequence[tuple[str, str]]
"""From a leaf of the tree to its root: on which side the other half stands, and its digest."""


def hashed(*parts: object) -> str:
    return sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def leaf_of(chain: str, seq: int, digest: str) -> str:
    return hashed("leaf", chain, seq, digest)


def node_of(left: str, right: str) -> str:
    return hashed("node", left, right)


def statement_of(anchor: Mapping[str, Any]) -> bytes:
    """What is signed of an anchor."""
    named = ("number", "at", "previous", "count", "root")
    return json.dumps(["casework anchor 1", *(anchor[name] for name in named)], separators=(",", ":")).encode()


def signed_by(public_key: str, anchor: Mapping[str, Any]) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(anchor["signature"]), statement_of(anchor))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return False
    return True


def root_over(leaf: str, path: Path) -> str:
    for side, other in path:
        leaf = node_of(other, leaf) if side == "left" else node_of(leaf, other)
    return leaf


def faults_of(bundle: Mapping[str, Any], public_key: str) -> list[str]:
    """What is wrong with a bundle: with its links, its opened entries, and the anchor of its head."""
    entries, anchor = bundle["entries"], bundle["anchor"]
    found = _unlinked(bundle["case"], entries)
    found += _unlike(entries, base64.b64decode(bundle["key"]))
    seq, digest = anchor["seq"], anchor["digest"]
    if not signed_by(public_key, anchor):
        found.append("the anchor was not signed with this key")
    if root_over(leaf_of(bundle["case"], seq, digest), anchor["path"]) != anchor["root"]:
        found.append("the anchor is not of this case")
    if digest not in [entry["digest"] for entry in entries if entry["seq"] == seq]:
        found.append(f"entry {seq} is not the one that was anchored")  # those after it are linked, and no more
    return found


def _unlinked(case: str, entries: Sequence[Mapping[str, Any]]) -> list[str]:
    found, previous = [], GENESIS
    for seq, entry in enumerate(entries, 1):
        sealed = sha256(base64.b64decode(entry["sealed"])).hexdigest()
        now = hashed(entry["previous"], entry["id"], case, entry["seq"], entry["at"], entry["kind"], sealed)
        # As the chain itself is hashed: a list in JSON.
        if entry["seq"] != seq or entry["previous"] != previous:
            found.append(f"entry {seq} does not follow from the one before it")
        if now != entry["digest"]:
            found.append(f"entry {seq} was edited")
        previous = entry["digest"]
    return found


def _unlike(entries: Sequence[Mapping[str, Any]], key: bytes) -> list[str]:
    """Entries whose readable body is not what was sealed; an erased case has neither key nor bodies."""
    if not key:
        return [
            f"entry {it['seq']} is readable, and nothing sealed says so" for it in entries if it["body"] is not None
        ]
    found, opener = [], AESGCM(key)
    for entry in entries:
        sealed = base64.b64decode(entry["sealed"])
        try:
            body = json.loads(opener.decrypt(sealed[:NONCE], sealed[NONCE:], entry["id"].encode()))
        except (InvalidTag, ValueError):
            body = None
        if body != entry["body"]:
            found.append(f"entry {entry['seq']} says something else than what was sealed")
    return found


def check(file: Any, public_key: str) -> tuple[list[str], dict[str, Any]]:
    """The faults of a bundle file, and what it holds; whatever cannot be read is a fault."""
    try:
        with zipfile.ZipFile(file) as opened:
            bundle: dict[str, Any] = json.loads(opened.read(NAME))
        return faults_of(bundle, public_key), bundle
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"is no bundle that can be read ({type(error).__name__})"], {}


def main() -> int:
    faults, bundle = check(sys.argv[1], sys.argv[2])
    said = faults or [f"{bundle['case']}: good, anchored to entry {bundle['anchor']['seq']}"]
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
