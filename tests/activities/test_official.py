"""The official rules: they find what the norm forbids, by its own ids, in every official test case."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from activities.parsers import Parsers
from activities.parsing import official
from starters.demo import SAMPLES

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "en16931" / "test"
VALIDATOR = "{http://difi.no/xsd/vefa/validator/1.0}"
PEPPOL = SAMPLES / "kade-koffie-KK-2026-0311.xml"
XRECHNUNG = SAMPLES / "reinwerk-XR-2026-0208.xml"


def codes(xml: bytes) -> dict[str, str]:
    return {finding.code: finding.severity for finding in official.check(xml)}


def official_cases() -> Iterator[tuple[str, bytes, str, bool]]:
    """Where it stands, the invoice, a rule, and whether it is to hold."""
    for path in sorted(CASES.rglob("*.xml")):
        root = ET.parse(path).getroot()
        for test in root.iter(f"{VALIDATOR}test"):
            told, invoice = list(test)[:2]
            for verdict in told.iter():
                if verdict.tag.removeprefix(VALIDATOR) in ("success", "error", "warning"):
                    holds = verdict.tag == f"{VALIDATOR}success"
                    yield path.name, ET.tostring(invoice), (verdict.text or "").strip(), holds


def test_every_official_case_is_judged_as_its_authors_say() -> None:
    if not CASES.exists():
        pytest.skip("the official cases (../shared/data) are not here")
    cases = list(official_cases())
    assert len(cases) > 1000

    wrong = [(name, rule) for name, invoice, rule, holds in cases if (rule not in codes(invoice)) != holds]

    assert wrong == []


def test_invoice_as_the_norm_wants_it_gives_no_finding() -> None:
    assert codes(XRECHNUNG.read_bytes()) == {}


def test_business_rule_that_does_not_hold_sends_the_case_to_a_person() -> None:
    without_number = XRECHNUNG.read_bytes().replace(b"XR-2026-0208", b"")

    assert codes(without_number)["BR-02"] == "review"


def test_rule_about_form_is_told_and_stops_nothing() -> None:
    with_empty_element = XRECHNUNG.read_bytes().replace(b"</ram:ID>", b"</ram:ID><ram:Name/>", 2)

    assert set(codes(with_empty_element).values()) == {"warn"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100", b"urn:an:attacker"),
        (b"urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100", b"urn:an:attacker"),
    ],
)
def test_xml_that_the_rules_cannot_see_goes_to_a_person(right: bytes, wrong: bytes) -> None:
    assert codes(XRECHNUNG.read_bytes().replace(right, wrong)) == {"official.namespace": "review"}


def test_xml_that_the_rules_break_on_goes_to_a_person() -> None:
    day = b"<cbc:IssueDate>2026-03-27</cbc:IssueDate>"
    twice = PEPPOL.read_bytes().replace(day, day * 2)

    assert codes(twice) == {"official.unchecked": "review"}


def test_zugferd_of_before_the_norm_is_not_judged_by_it() -> None:
    assert codes(b"<CrossIndustryDocument><ID>R-1</ID></CrossIndustryDocument>") == {}


def test_what_the_rules_cannot_be_run_on_goes_to_a_person() -> None:
    with Parsers(size=1) as parsers:
        (finding,) = parsers.check_einvoice(b"<Invoice")

    assert (finding.code, finding.severity) == ("official.unchecked", "review")
