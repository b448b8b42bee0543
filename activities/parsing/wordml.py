"""WordprocessingML: what a part of a Word document says line by line, what it hides, and what was changed in it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast
from xml.etree.ElementTree import Element

from activities.parsing import markup

WHITE = 240
"""Each channel from here on is white on white paper."""
TINY = 2
"""Half-points: type of this size is a hairline."""
MAX_STYLES = 30
"""A style is based on another, and so on; no honest chain is longer."""

_PROPERTIES = frozenset({"pPr", "rPr", "sectPr", "tblPr", "trPr", "tcPr", "sdtPr", "tblGrid"})
_SIGNS = {"tab": " ", "ptab": " ", "noBreakHyphen": "-", "br": "\n", "cr": "\n"}
_OFF = ("0", "false", "off")


class Look(NamedTuple):
    """What a run or style says of itself; None where it leaves it to what it is based on."""

    is_hidden: bool | None = None
    is_white: bool | None = None
    is_tiny: bool | None = None

    def over(self, below: "Look") -> "Look":
        return Look(*(below_ if own is None else own for own, below_ in zip(self, below, strict=True)))


def attribute(element: Element | None, name: str = "val") -> str | None:
    """By its local name: transitional and strict documents have different namespaces."""
    found = () if element is None else element.attrib.items()
    return next((value for key, value in found if key.rpartition("}")[2] == name), None)


def child(element: Element | None, *path: str) -> Element | None:
    for name in path:
        if element is None:
            return None
        element = next((below for below in element if markup.local(below) == name), None)
    return element


def is_on(element: Element) -> bool:
    return (attribute(element) or "1").lower() not in _OFF


def look_of(properties: Element | None) -> Look:
    vanish, colour, size = (child(properties, name) for name in ("vanish", "color", "sz"))
    points = attribute(size) or ""
    return Look(
        is_hidden=None if vanish is None else is_on(vanish),
        is_white=None if colour is None else _is_white(colour),
        is_tiny=int(points) <= TINY if points.isdecimal() else None,
    )


def looks_of_styles(styles: Element) -> dict[str, Look]:
    """By id; the empty id is that of paragraphs that name none."""
    own = {attribute(it, "styleId") or "": it for it in styles if markup.local(it) == "style"}
    base, found = look_of(child(styles, "docDefaults", "rPrDefault", "rPr")), {}
    for name, style in own.items():
        look, at = Look(), cast("Element | None", style)
        for _ in range(MAX_STYLES):
            look = look.over(look_of(child(at, "rPr")))
            if (at := own.get(attribute(child(at, "basedOn")) or "")) is None:
                break
        found[name] = look.over(base)
        if attribute(style, "default") == "1" and attribute(style, "type") == "paragraph":
            found[""] = found[name]
    return {"": base, **found}


class Story:
    """One part, walked from its first word to its last. Nothing of a document is said twice."""

    def __init__(self, part: Element, styles: Mapping[str, Look]) -> None:
        self.pages: list[list[str]] = [[]]
        self.unseen: dict[int, str] = defaultdict(str)
        self.inserted: list[str] = []
        self.deleted: list[str] = []
        self.instructions: list[str] = []
        """Of fields: what they compute or load."""
        self.differs = False
        """It says one thing to new programs and another to old ones."""
        self._styles = styles
        self._line = ""
        self._within_row = False
        self._below(part, Look(), shaded=False)
        self._end_line()

    def _below(self, element: Element, look: Look, *, shaded: bool) -> None:
        for it in element:
            self._walk(it, look, shaded=shaded)

    def _walk(self, it: Element, look: Look, *, shaded: bool) -> None:
        match markup.local(it):
            case "p" | "r" | "tbl" | "tc" as name:
                self._below(it, self._look(it, name, look), shaded=shaded or _is_shaded(it, name))
                if name == "p":
                    self._end_paragraph()
            case "tr":
                self._row(it, look, shaded=shaded)
            case "txbxContent":
                around, self._line, row, self._within_row = self._line, "", self._within_row, False
                self._below(it, look, shaded=shaded)
                self._end_line()
                self._line, self._within_row = around, row
            case "AlternateContent":
                self._alternative(it, look, shaded=shaded)
            case name if self._is_text(it, name):
                self._leaf(it, name, look, shaded=shaded)

    def _is_text(self, it: Element, name: str) -> bool:
        """Whether to read on; notes what is said beside the text."""
        if name == "instrText":
            self.instructions.append(it.text or "")
        elif name == "fldSimple":
            self.instructions.append(attribute(it, "instr") or "")
        elif name in ("ins", "moveTo"):
            self.inserted.append(words_of(it))
        elif name in ("del", "moveFrom"):
            self.deleted.append(words_of(it))
            return False
        elif name == "drawing" and _is_hidden_drawing(it):
            self.unseen[len(self.pages)] += words_of(it)
            return False
        return name not in _PROPERTIES

    def _leaf(self, it: Element, name: str, look: Look, *, shaded: bool) -> None:
        if name == "lastRenderedPageBreak" or (name == "br" and attribute(it, "type") == "page"):
            self._end_page()
            return
        said = it.text or "" if name == "t" else _SIGNS.get(name, "")
        if look.is_hidden or look.is_tiny or (look.is_white and not shaded):
            self.unseen[len(self.pages)] += said
        else:
            self._line += said
        self._below(it, look, shaded=shaded)

    def _look(self, it: Element, name: str, above: Look) -> Look:
        if name == "p":
            return self._styles.get(attribute(child(it, "pPr", "pStyle")) or "", Look()).over(above)
        if name == "r":
            style = self._styles.get(attribute(child(it, "rPr", "rStyle")) or "", Look())
            return look_of(child(it, "rPr")).over(style).over(above)
        return above

    def _row(self, it: Element, look: Look, *, shaded: bool) -> None:
        """One line, so that a label stands beside its value, unless its cells hold more than a paragraph."""
        cells = [cell for cell in it if markup.local(cell) == "tc"]
        before = self._within_row
        self._within_row = all(sum(markup.local(p) == "p" for p in cell.iter()) <= 1 for cell in cells)
        self._below(it, look, shaded=shaded)
        self._within_row = before
        self._end_paragraph()

    def _alternative(self, it: Element, look: Look, *, shaded: bool) -> None:
        choices = [below for below in it if markup.local(below) in ("Choice", "Fallback")]
        said = ["".join(words_of(below).split()) for below in choices]
        self.differs |= any(words and words != said[0] for words in said)
        for below in choices[:1]:
            self._below(below, look, shaded=shaded)

    def _end_paragraph(self) -> None:
        if self._within_row:
            self._line += " "
        else:
            self._end_line()

    def _end_line(self) -> None:
        lines = (" ".join(line.split()) for line in self._line.split("\n"))
        self.pages[-1] += [line for line in lines if line]
        self._line = ""

    def _end_page(self) -> None:
        """A page without words is none: Word marks where it broke pages beside breaks that are asked for."""
        self._end_line()
        if self.pages[-1]:
            self.pages.append([])


def words_of(element: Element) -> str:
    return "".join(_texts(element))


def _texts(element: Element) -> Iterator[str]:
    """A paragraph ends a word."""
    for it in element.iter():
        if markup.local(it) in ("t", "delText"):
            yield it.text or ""
        elif markup.local(it) == "p":
            yield " "


def _is_hidden_drawing(it: Element) -> bool:
    names = (below for below in it.iter() if markup.local(below) == "docPr")
    return any((attribute(name, "hidden") or "0").lower() not in _OFF for name in names)


def _is_shaded(it: Element, name: str) -> bool:
    """Whether something other than paper may be behind it; a table's style may shade any cell."""
    properties = child(it, f"{name}Pr")
    if child(properties, "tblStyle") is not None or child(properties, "highlight") is not None:
        return True
    fill = attribute(child(properties, "shd"), "fill")
    return fill is not None and fill.lower() not in ("auto", "ffffff")


def _is_white(colour: Element) -> bool:
    if attribute(colour, "themeColor") in ("background1", "light1"):
        return True
    value = attribute(colour) or ""
    try:
        return len(value) == 6 and min(bytes.fromhex(value)) >= WHITE  # noqa: PLR2004 - RRGGBB
    except ValueError:
        return False
