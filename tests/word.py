"""Word documents made of their parts, for tests and samples."""

from collections.abc import Mapping
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
SAVED = (2026, 1, 5, 9, 0, 0)


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(it if it.startswith('<') else run(it) for it in runs)}</w:p>"


def inserted(text: str) -> str:
    return f'<w:ins w:id="1" w:author="a">{run(text)}</w:ins>'


def deleted(text: str) -> str:
    return f'<w:del w:id="2" w:author="a"><w:r><w:delText xml:space="preserve">{escape(text)}</w:delText></w:r></w:del>'


def relation(kind: str, target: str, name: str = "r1", mode: str = "Internal") -> str:
    return f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}" TargetMode="{mode}"/>'


def part(root: str, content: str) -> bytes:
    return f'<w:{root} xmlns:w="{WORD}" xmlns:r="{OFFICE}">{content}</w:{root}>'.encode()


def docx(body: str, *relations: str, parts: Mapping[str, bytes] | None = None) -> bytes:
    """A document with this body, and beside it these parts by their names."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'.encode(),
        "_rels/.rels": _relations(relation("officeDocument", "word/document.xml")),
        "word/document.xml": part("document", f"<w:body>{body}</w:body>"),
        "word/_rels/document.xml.rels": _relations(*relations),
        **(parts or {}),
    }
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(ZipInfo(name, SAVED), content, ZIP_DEFLATED)
    return buffer.getvalue()


def _relations(*relations: str) -> bytes:
    return f'<Relationships xmlns="{RELS}">{"".join(relations)}</Relationships>'.encode()
