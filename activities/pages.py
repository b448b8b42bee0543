"""Pages of text, tables and pictures, as Markdown or as one HTML file; whatever is said is escaped in either."""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.3em .6em;text-align:left;"
    "vertical-align:top}th{background:#f2f2f2}svg,img{max-width:100%}"
)
MARKS = re.compile(r"([\\`*_{}\[\]()<>#+!|~&])")


class Section(NamedTuple):
    """A heading, and what stands under it; rows are a table when there are columns, else a list."""

    title: str
    text: str = ""
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    picture: str = ""
    """SVG of our own making, for HTML alone."""


def markdown(title: str, sections: Sequence[Section]) -> str:
    lines = [f"# {_plain(title)}", ""]
    for section in sections:
        lines += [f"## {_plain(section.title)}", ""]
        lines += [_plain(section.text), ""] if section.text else []
        if section.columns:
            lines += [_row(section.columns), _row(["---"] * len(section.columns), raw=True), *map(_row, section.rows)]
        else:
            lines += [f"- {_plain(' '.join(row))}" for row in section.rows]
        lines += [""] if section.rows or section.columns else []
    return "\n".join(lines)


def html(title: str, sections: Sequence[Section]) -> str:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><style>{STYLE}</style>"
    return "\n".join([head, f"<h1>{escape(title)}</h1>", *map(_html, sections), "</html>", ""])


def _html(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>", section.picture]
    parts += [f"<p>{escape(section.text)}</p>"] if section.text else []
    if section.columns:
        head = "".join(f"<th>{escape(name)}</th>" for name in section.columns)
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in section.rows)
        parts.append(f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
    elif section.rows:
        items = "".join(f"<li>{escape(' '.join(row))}</li>" for row in section.rows)
        parts.append(f"<ul>{items}</ul>")
    return "\n".join(part for part in parts if part)


def _plain(text: str) -> str:
    return MARKS.sub(r"\\\1", " ".join(text.split()))


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else _plain(cell) for cell in cells)} |"
