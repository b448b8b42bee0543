"""XML without entities, within bounds, addressed by local names."""

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

MAX_BYTES = 10_000_000
MAX_DEPTH = 60
MAX_ELEMENTS = 500_000
MAX_ATTRIBUTES = 100


class Hostile(Exception):
    """Built to attack whoever parses it."""


class Broken(Exception):
    """Not well-formed, or too large to say."""


class _Bounded(TreeBuilder):
    def __init__(self) -> None:
        super().__init__(insert_comments=True, insert_pis=True)
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attrs: dict[Any, Any], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS or len(attrs) > MAX_ATTRIBUTES:
            raise Hostile("the XML is nested too deep or has too many elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def looks_like_xml(data: bytes) -> bool:
    # Dropping NULs makes UTF-16 and UTF-32 look like ASCII, which is enough to see a tag.
    start = data[:400].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    return start.startswith(b"<") and not start.startswith((b"<!doctype html", b"<html"))


def parse(data: bytes) -> Element:
    if len(data) > MAX_BYTES:
        raise Broken(f"XML of more than {MAX_BYTES} bytes")
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException:
        raise Hostile("the XML declares a DTD or entities") from None
    except (ParseError, LookupError, ValueError):
        # Not chained: the message may quote the document. LookupError and ValueError: an unknown encoding.
        raise Broken("the XML is not well-formed") from None
    return root


def local(element: Element) -> str:
    """The name without its namespace; empty for comments and processing instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def find(element: Element, path: str) -> Iterator[tuple[str, Element]]:
    """Each descendant on the path, with the path in full; `*` stands for any one name, `|` between several."""
    step, _, rest = path.partition("/")
    for child in element:
        if step != "*" and local(child) not in step.split("|"):
            continue
        if not rest:
            yield local(child), child
            continue
        for below, found in find(child, rest):
            yield f"{local(child)}/{below}", found


def first(element: Element, *paths: str) -> tuple[str, str] | None:
    """The first path that leads to some text, in full, and the text."""
    return next(((path, words) for start in paths for path, words in texts(element, start)), None)


def texts(element: Element, path: str) -> Iterator[tuple[str, str]]:
    return ((full, words) for full, found in find(element, path) if (words := words_of(found)))


def words_of(element: Element) -> str:
    return (element.text or "").strip()


def words_within(element: Element) -> str:
    """All that the element says and those below it, attributes, comments and instructions included, a line each."""
    said = ((words_of(below), (below.tail or "").strip(), *below.attrib.values()) for below in element.iter())
    return "\n".join(words for line in said for words in line if words)
