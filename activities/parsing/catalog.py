"""Catalog: what a PDF carries beside its pages that acts, or is there to be read by machines."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

MAX_ANNOTATIONS = 2000
MAX_CHAIN = 20
MAX_TEXT = 200_000

_OPENS = re.compile(rb"/OpenAction\s{0,9}<<[^>]{0,300}/S\s{0,9}/(?:JavaScript|Launch)\b")
_LAUNCHES = re.compile(rb"/S\s{0,9}/Launch\b")
_HIDDEN = 0b100010
"""Flags of an annotation: hidden, or not to be shown on a screen."""
_SCRIPTS = ("/JavaScript", "/JS")

# It quotes the document, on and on when that is damaged.
logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)


@dataclass
class Catalog:
    runs_on_opening: bool = False
    launches: bool = False
    scripts: bool = False
    is_portfolio: bool = False
    has_layers: bool = False
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Where, and what it says: metadata and comments, which are on no page."""


def read(data: bytes) -> Catalog:
    """Never fails: of a damaged file it tells what plain bytes show."""
    found = Catalog(runs_on_opening=bool(_OPENS.search(data)), launches=bool(_LAUNCHES.search(data)))
    try:
        _read(PdfReader(BytesIO(data)), found)
    except Exception:  # noqa: BLE001 - pypdf raises whatever a damaged file leads it to
        found.scripts |= b"/JavaScript" in data
        found.has_layers = True  # cannot be ruled out
    return found


def _read(reader: PdfReader, found: Catalog) -> None:
    root = _dictionary(reader.trailer["/Root"])
    found.is_portfolio = "/Collection" in root
    found.has_layers = "/OCProperties" in root
    found.scripts = "/JavaScript" in _dictionary(root.get("/Names"))
    found.texts += [("metadata", str(value)[:MAX_TEXT]) for value in (reader.metadata or {}).values()]
    xmp = _resolved(root.get("/Metadata"))
    if isinstance(xmp, StreamObject):
        found.texts.append(("metadata", xmp.get_data()[:MAX_TEXT].decode("utf-8", "replace")))
    opening = [root.get("/OpenAction"), *_dictionary(root.get("/AA")).values()]
    later = []
    for page in reader.pages:
        opening += _dictionary(page.get("/AA")).values()
        for annotation in map(_dictionary, islice(_array(page.get("/Annots")), MAX_ANNOTATIONS)):
            later += [annotation.get("/A"), *_dictionary(annotation.get("/AA")).values()]
            found.texts += _unpainted(annotation)
    for kinds in map(_kinds, opening):
        found.runs_on_opening |= any(kind in kinds for kind in (*_SCRIPTS, "/Launch"))
    for kinds in map(_kinds, later):
        found.launches |= "/Launch" in kinds
        found.scripts |= any(kind in kinds for kind in _SCRIPTS)


def _unpainted(annotation: dict[str, Any]) -> list[tuple[str, str]]:
    """What it says off the page: remarks that open on a click, and the values of hidden fields."""
    where, keys = "a comment", ["/Contents", "/RC"]
    if annotation.get("/Subtype") == "/FreeText":
        keys = []
    elif annotation.get("/Subtype") == "/Widget":
        where, keys = "a hidden field", ["/V"] if _resolved(annotation.get("/F", 0)) & _HIDDEN else []
    words = (str(_resolved(annotation.get(key)) or "")[:MAX_TEXT] for key in keys)
    return [(where, text) for text in words if text]


def _kinds(action: Any) -> set[str]:
    """What an action does, and those chained to it."""
    kinds: set[str] = set()
    chain = [action]
    while chain and len(kinds) < MAX_CHAIN:
        one = _resolved(chain.pop())
        if isinstance(one, ArrayObject):
            chain += list(one)[:MAX_CHAIN]
        elif isinstance(one, DictionaryObject) and isinstance(kind := one.get("/S"), str) and kind not in kinds:
            kinds.add(kind)
            chain.append(one.get("/Next"))
    return kinds


def _resolved(value: Any) -> Any:
    return value.get_object() if hasattr(value, "get_object") else value


def _dictionary(value: Any) -> dict[str, Any]:
    resolved = _resolved(value)
    return resolved if isinstance(resolved, DictionaryObject) else {}


def _array(value: Any) -> Iterator[Any]:
    resolved = _resolved(value)
    return iter(resolved if isinstance(resolved, ArrayObject) else ())
