"""The words of a web page, without its scripts, styles and markup."""

import re
from html.parser import HTMLParser

_MAX_MARKUP = 20_000
"""Characters that are read: on markup made for it, the parser takes time that grows with their square."""
_UNSEEN = (("<!--", "-->"), *((f"<{name}\\b", f"</{name}[^<>]*>") for name in ("style", "script", "title", "template")))
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "blockquote", "hr"})


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.found.append("\n" if tag in _BREAKS else "")

    def handle_endtag(self, tag: str) -> None:
        self.found.append("\n" if tag in _BREAKS else "")

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def words_of(page: str) -> str:
    """Line by line; what stands before a place that the parser cannot bear, when there is one."""
    for begin, end in _UNSEEN:
        first, *others = re.split(begin, page, flags=re.IGNORECASE)
        page = first + "".join(re.split(end, other, maxsplit=1, flags=re.IGNORECASE)[-1] for other in others)
    words = _Words()
    try:
        words.feed(page[:_MAX_MARKUP])
        words.close()
    except (AssertionError, ValueError):
        words.found.append("\n[the rest of the page is broken]")
    lines = (" ".join(line.split()) for line in "".join(words.found).splitlines())
    return "\n".join(line for line in lines if line)
