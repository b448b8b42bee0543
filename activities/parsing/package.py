"""Package: the parts of an Office file, a ZIP whose names and sizes are the sender's word only."""

import posixpath
import zlib
from collections.abc import Iterator
from io import BytesIO
from lzma import LZMAError
from typing import NamedTuple
from xml.etree.ElementTree import Element
from zipfile import BadZipFile, ZipFile

from activities.parsing import markup

MAX_PARTS = 5000
MAX_UNPACKED = 2 * markup.MAX_BYTES
"""Bytes of all parts that are read."""
DAMAGED = "the Office file is damaged and does not open"
BOMB = "the Office file unpacks to far more than it can hold"

_UNREADABLE = (BadZipFile, zlib.error, LZMAError, EOFError, OSError, NotImplementedError, ValueError, RuntimeError)


class Relation(NamedTuple):
    """What a part refers to, by the last word of the kind: header, footnotes, attachedTemplate."""

    id: str
    kind: str
    target: str
    is_outside: bool


class Package:
    """Raises `markup.Hostile` and `markup.Broken`. A part that is not asked for is never unpacked."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = ZipFile(BytesIO(data))
            names = [info.filename.lower() for info in self._zip.infolist()]
        except _UNREADABLE:
            raise markup.Broken(DAMAGED) from None
        if len(names) > MAX_PARTS:
            raise markup.Hostile(BOMB)
        if len(names) != len(set(names)):
            raise markup.Hostile("the Office file has two parts of one name: each program would show another")
        self.names = frozenset(names)
        self._left = MAX_UNPACKED

    def read(self, name: str) -> bytes:
        """Read at most what is left of the allowance: the sizes in the file's own directory may lie."""
        try:
            with self._zip.open(self._named(name)) as part:
                data = part.read(self._left + 1)
        except _UNREADABLE:
            raise markup.Broken(DAMAGED) from None
        self._left -= len(data)
        if self._left < 0:
            raise markup.Hostile(BOMB)
        return data

    def parse(self, name: str) -> Element:
        return markup.parse(self.read(name))

    def relations(self, part: str) -> Iterator[Relation]:
        """What this part refers to; the package itself is the empty part."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels.lower() not in self.names:
            return
        for it in self.parse(rels):
            target, is_outside = it.get("Target", ""), it.get("TargetMode") == "External"
            inside = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = it.get("Type", "").rpartition("/")[2]
            yield Relation(it.get("Id", ""), kind, target if is_outside else inside, is_outside)

    def all_relations(self) -> Iterator[Relation]:
        """What any part refers to, read here or not."""
        for name in sorted(self.names):
            folder, _, file = name.rpartition("/")
            if file.endswith(".rels") and folder.rpartition("/")[2] == "_rels":
                yield from self.relations(posixpath.join(folder.removesuffix("_rels"), file.removesuffix(".rels")))

    def _named(self, name: str) -> str:
        """Office finds parts whatever their capitals."""
        exact = next((found for found in self._zip.namelist() if found.lower() == name.lower()), None)
        if exact is None:
            raise markup.Broken(DAMAGED)
        return exact
