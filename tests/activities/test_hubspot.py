"""HubSpot behind the port: what is its own, on a stand-in that checks requests with HubSpot's client."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from activities.crms.hubspot import HubspotCrm
from activities.crms.port import CrmError, Invalid, RateLimited, Unauthorised, Unavailable
from schemas.case import Record
from schemas.crm_mapping import CrmMapping
from tests.activities.test_crm_port import contract, invoice, party, ticket
from tests.hubspot import CONFLICT, THROTTLED, USED_UP, Answer, Hubspot, answering, mapping, problem
from tests.lines import line

UPSERT = "/batch/upsert"


def partial(category: str) -> Answer:
    fault = {"status": "error", "category": category, "message": "secret", "context": {}}
    return Answer(207, {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [fault]})


@pytest.fixture
def hubspot() -> Iterator[Hubspot]:
    with answering() as hubspot:
        yield hubspot


@pytest.fixture
def port(hubspot: Hubspot) -> Iterator[HubspotCrm]:
    with hubspot.port() as port:
        yield port


def test_invoices_and_contracts_are_told_apart_though_both_are_deals(port: HubspotCrm, hubspot: Hubspot) -> None:
    for record in (party(), invoice(), contract()):
        port.upsert(record)

    assert port.find("invoice", {"party": party().ref}) == [invoice().ref]
    assert port.find("contract", {"party": party().ref}) == [contract().ref]
    assert (hubspot.count("invoice"), hubspot.count("contract")) == (1, 1)


def test_record_made_by_others_is_found_by_its_id_and_may_be_linked_to(port: HubspotCrm, hubspot: Hubspot) -> None:
    hubspot.rows["companies"] = {"77": {"name": "Northwind Paper GmbH"}}

    (known,) = port.find("party", {"name": "Northwind Paper GmbH"})
    port.upsert(invoice(party=known))

    assert known == "companies/77"
    assert hubspot.pairs == {("deals/1", "companies/77")}
    assert port.find("invoice", {"party": known}) == [invoice().ref]


def test_link_that_leads_elsewhere_takes_its_association_along(port: HubspotCrm, hubspot: Hubspot) -> None:
    other = Record(kind="party", ref="party:OTHER", values={"name": "Other AG"})
    for record in (party(), other, invoice(), invoice(party=other.ref)):
        port.upsert(record)

    assert hubspot.pairs == {("deals/1", "companies/2")}


def test_what_a_search_does_not_show_yet_is_written_once_all_the_same(port: HubspotCrm, hubspot: Hubspot) -> None:
    hubspot.lag()
    first = port.upsert(party())

    again = port.upsert(party())

    assert (first.created, again.created) == (True, False)
    assert port.find("party", {"name": "Northwind Paper GmbH"}) == []
    assert hubspot.count("party") == 1


@pytest.mark.parametrize("part", [UPSERT, "/companies/1"], ids=["record", "association"])
def test_write_that_is_cut_off_is_made_whole_by_the_next_attempt(hubspot: Hubspot, part: str) -> None:
    first = count()

    def once(_: str, path: str, __: bytes) -> bool:
        return "/deals/" in path and path.endswith(part) and next(first) == 0

    with line(hubspot.url, once) as cut, hubspot.port(url=cut.url) as far:
        far.upsert(party())
        with pytest.raises(Unavailable):
            far.upsert(invoice())
        again = far.upsert(invoice())

    assert len(cut.lost) == 1
    assert not again.created
    assert (hubspot.count("invoice"), hubspot.pairs) == (1, {("deals/1", "companies/1")})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (THROTTLED, RateLimited),
        (CONFLICT, Unavailable),
        (partial("VALIDATION_ERROR"), Invalid),
        (partial("CONFLICT"), Unavailable),
        (problem(400, "VALIDATION_ERROR", "secret"), Invalid),
        (problem(401, "EXPIRED_AUTHENTICATION", "secret"), Unauthorised),
        (problem(403, "MISSING_SCOPES", "secret"), Unauthorised),
        (problem(500, "INTERNAL", "secret"), Unavailable),
        (problem(502, "BAD_GATEWAY", "secret"), Unavailable),
        (problem(503, "UNAVAILABLE", "secret"), Unavailable),
    ],
)
def test_answer_is_told_in_terms_of_the_port_and_nothing_is_written(
    port: HubspotCrm, hubspot: Hubspot, answer: Answer, error: type[CrmError]
) -> None:
    hubspot.troubles.append((UPSERT, answer))

    with pytest.raises(error) as told:
        port.upsert(party())

    assert "secret" not in str(told.value)
    assert hubspot.count("party") == 0


def test_record_that_is_said_to_be_missing_by_404_is_created(port: HubspotCrm, hubspot: Hubspot) -> None:
    """With one input, batches are documented to answer 207 and reported to answer 404."""
    hubspot.troubles.append(("/batch/read", problem(404, "OBJECT_NOT_FOUND", "no such object")))

    assert port.upsert(party()).created


def test_record_that_could_not_be_read_is_not_taken_for_missing(port: HubspotCrm, hubspot: Hubspot) -> None:
    port.upsert(party())
    hubspot.troubles.append(("/companies/batch/read", partial("INTERNAL_ERROR")))

    with pytest.raises(Unavailable):
        port.upsert(invoice())


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (THROTTLED, None),
        (THROTTLED._replace(headers={"Retry-After": "7"}), timedelta(seconds=7)),
        (USED_UP, timedelta(hours=1)),
    ],
)
def test_how_long_to_wait_is_what_hubspot_says(
    port: HubspotCrm, hubspot: Hubspot, answer: Answer, after: timedelta | None
) -> None:
    hubspot.troubles.append((UPSERT, answer))

    with pytest.raises(RateLimited) as told:
        port.upsert(party())

    assert told.value.after == after


def test_value_that_hubspot_does_not_take_is_refused_in_its_words(port: HubspotCrm) -> None:
    port.upsert(party())

    with pytest.raises(Invalid) as told:
        port.upsert(invoice(issue_date="the 19th of January"))

    assert "was not a valid date" in told.value.words


def test_properties_that_are_missing_are_named_with_what_to_make(port: HubspotCrm, hubspot: Hubspot) -> None:
    del hubspot.types["companies"]["casework_iban"]
    hubspot.types["tickets"]["casework_ref"] = "string"
    hubspot.types["deals"]["casework_gross"] = "string"
    del hubspot.types["notes"]

    assert port.describe().faults == (
        "companies has no property casework_iban",
        "deals.casework_gross is of type string: no place for decimal",
        "tickets has no property casework_ref of unique values: make one, single-line text",
        "there are no notes, or the token's scopes do not show them",
    )


def test_ticket_is_written_with_the_stage_that_hubspot_demands(port: HubspotCrm, hubspot: Hubspot) -> None:
    port.upsert(party())
    port.upsert(ticket())

    (row,) = hubspot.rows["tickets"].values()
    assert row["hs_pipeline_stage"] == "1"


def test_mapping_by_which_two_kinds_could_not_be_told_apart_is_refused() -> None:
    told = mapping().model_dump()
    told["kinds"]["contract"]["ref"] = told["kinds"]["invoice"]["ref"]

    with pytest.raises(ValueError, match="kinds in one of deals need a ref each"):
        CrmMapping.model_validate(told)
