"""The words of a web page, without its scripts, styles and markup."""

from html.parser import HTMLParser

_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "table", "h1", "h2", "h3", "h4", "blockquote", "hr"})


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag in _BREAKS:
            self.found.append("\n")
        elif tag == "body":
            self._unseen.clear()  # a head that nobody closed

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            self._unseen.remove(tag)
        elif tag in _BREAKS:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)


def words_of(page: str) -> str:
    """Line by line; what stands before a place that the parser cannot bear, when there is one."""
    words = _Words()
    try:
        words.feed(page)
        words.close()
    except (AssertionError, ValueError):
        words.found.append("\n[the rest of the page is broken]")
    lines = (" ".join(line.split()) for line in "".join(words.found).splitlines())
    return "\n".join(line for line in lines if line)
