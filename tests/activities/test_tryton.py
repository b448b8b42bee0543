"""Tryton: what real servers, lines that are cut and keys that are wrong do to a write."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine

from activities.crms.port import CrmError, Invalid, RateLimited, Unauthorised, Unavailable
from activities.crms.tryton import TrytonCrm
from schemas.case import Record
from schemas.crm_mapping import CrmMapping
from tests.lines import line
from tests.tryton import MAPPING, Tryton, mapping, running
from workers.crm import check_crm, crm_of
from workers.settings import BadSettings, Settings

PARTY = Record(kind="party", ref="party:NORTHWIND", values={"name": "Northwind"})
STATED = {"issue_date": "2026-01-19", "currency": "EUR", "net_amount": "100.00", "tax_amount": "19.00"}


def invoice(ref: str = "a:apply", **values: str) -> Record:
    stated = {**STATED, "number": "7714", "gross_amount": "119.00", "lines": [], **values}
    return Record(kind="invoice", ref=ref, values=stated, links={"party": PARTY.ref})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    with running(tmp_path_factory.mktemp("tryton")) as tryton:
        yield tryton


@pytest.fixture
def tryton(server: Tryton) -> Tryton:
    """The server, emptied: one start for all of these."""
    server.clear()
    return server


@pytest.fixture
def port(tryton: Tryton) -> Iterator[TrytonCrm]:
    with tryton.port() as port:
        port.upsert(PARTY)
        yield port


def test_invoice_is_booked_with_its_sums(port: TrytonCrm, tryton: Tryton) -> None:
    port.upsert(invoice())

    assert tryton.rows("SELECT type, state, reference FROM account_invoice") == [("in", "draft", "7714")]
    assert tryton.sums("a:apply") == ("100.00", "19.00", "119.00")


def test_changed_sum_changes_the_booking(port: TrytonCrm, tryton: Tryton) -> None:
    port.upsert(invoice())

    port.upsert(invoice(tax_amount="20.00", gross_amount="120.00"))

    assert tryton.sums("a:apply") == ("100.00", "20.00", "120.00")


def test_similar_invoice_is_refused_in_the_words_of_tryton_and_not_booked(port: TrytonCrm, tryton: Tryton) -> None:
    port.upsert(invoice())

    with pytest.raises(Invalid) as refused:
        port.upsert(invoice("b:apply"))

    assert "is similar to invoice" in refused.value.words
    assert tryton.count("invoice") == 1


def test_invoice_that_an_accountant_went_on_with_is_not_changed(port: TrytonCrm, tryton: Tryton) -> None:
    port.upsert(invoice())
    tryton.write("UPDATE account_invoice SET state = 'cancelled'")

    with pytest.raises(Invalid) as refused:
        port.upsert(invoice(gross_amount="120.00"))

    assert "can no longer be changed from outside" in refused.value.words


def test_repeat_of_what_an_accountant_went_on_with_is_no_change(port: TrytonCrm, tryton: Tryton) -> None:
    port.upsert(invoice())
    tryton.write("UPDATE account_invoice SET state = 'cancelled'")

    assert not port.upsert(invoice()).created


def test_currency_that_tryton_does_not_know_is_refused(port: TrytonCrm) -> None:
    with pytest.raises(Invalid) as refused:
        port.upsert(invoice(currency="XAU"))

    assert refused.value.words == "currency: no currency.currency XAU"


def test_party_entered_by_hand_is_found_and_linked_to(port: TrytonCrm, tryton: Tryton) -> None:
    (known,) = port.find("party", {"name": "Example AG"})

    port.upsert(Record(kind="invoice", ref="a:apply", values=invoice().values, links={"party": known}))

    assert known == "party.party/1"
    assert port.find("invoice", {"party": known, "number": "7714"}) == ["a:apply"]
    assert tryton.count("party") == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_answer_that_is_lost_after_the_write_is_one_record_in_the_end(
    port: TrytonCrm, tryton: Tryton, method: str
) -> None:
    if method == "PUT":
        port.upsert(invoice(gross_amount="120.00"))
    with line(tryton.url, lambda asked, *_: asked == method) as cut, tryton.port(cut.url) as far:
        with pytest.raises(Unavailable):
            far.upsert(invoice())
        again = far.upsert(invoice())

    assert len(cut.lost) == 1
    assert not again.created
    assert (tryton.count("invoice"), tryton.sums("a:apply")[2]) == (1, "119.00")


def answering(status: int, body: str = "", **headers: str) -> Callable[[httpx2.Request], httpx2.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx2.Response(status, text=body, headers=named)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answering(429, Retry_After="90"), RateLimited),
        (answering(401), Unauthorised),
        (answering(403), Unauthorised),
        (answering(404), Unavailable),
        (answering(500, "<h1>Traceback: secret</h1>"), Unavailable),
        (answering(503), Unavailable),
        (answering(200, "<html>a proxy's page"), Unavailable),
        (answering(400, '{"message": "No.", "description": "Because."}'), Invalid),
        (answering(400, "<h1>Traceback: secret</h1>"), Invalid),
    ],
)
def test_answer_is_told_in_terms_of_the_port(
    answer: Callable[[httpx2.Request], httpx2.Response], error: type[CrmError]
) -> None:
    wire = httpx2.MockTransport(answer)
    with httpx2.Client(base_url="http://crm.test", transport=wire) as client, pytest.raises(error) as told:
        TrytonCrm(client, mapping()).upsert(PARTY)

    assert "secret" not in str(vars(told.value)) + str(told.value)


def test_wrong_key_is_one_error_that_names_the_setting(tryton: Tryton) -> None:
    with ExitStack() as stack, pytest.raises(BadSettings, match=r"^CASEWORK_CRM_KEY: .*not accepted") as told:
        check_crm(stack.enter_context(crm_of(settings(tryton, key="wrongkey"), create_engine("sqlite://"))))

    assert "wrongkey" not in str(told.value)


def test_right_key_and_mapping_pass_the_check(tryton: Tryton) -> None:
    with crm_of(settings(tryton), create_engine("sqlite://")) as port:
        check_crm(port)


def test_mapping_to_a_field_that_is_not_there_is_one_error_that_names_it(tryton: Tryton, tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(MAPPING.read_text().replace("stated_iban", "bank_acount").replace("stated_net", "comment"))

    it = settings(tryton, crm_mapping=path)
    with crm_of(it, create_engine("sqlite://")) as port, pytest.raises(BadSettings) as told:
        check_crm(port)

    assert str(told.value) == (
        "CASEWORK_CRM_MAPPING: party.party has no field bank_acount; "
        "account.invoice.comment is of type text: no place for decimal"
    )


def test_crm_out_of_reach_is_waited_for(tryton: Tryton) -> None:
    with crm_of(settings(tryton, crm_url="http://127.0.0.1:9/crm"), create_engine("sqlite://")) as port:
        check_crm(port)


@pytest.mark.parametrize(
    ("change", "setting"),
    [({"key": ""}, "_KEY"), ({"key": "schlüssel"}, "_KEY"), ({"crm_url": ""}, "_URL"), ({"crm_url": "x:y"}, "_URL")],
)
def test_setting_that_cannot_be_right_is_named(change: dict[str, str], setting: str) -> None:
    with ExitStack() as stack, pytest.raises(BadSettings, match=f"^CASEWORK_CRM{setting}: "):
        stack.enter_context(
            crm_of(settings(Tryton("http://crm.test", "key", Path()), **change), create_engine("sqlite://"))
        )


def settings(tryton: Tryton, **changes: object) -> Settings:
    key = changes.pop("key", tryton.key)
    return Settings.model_validate({"crm": "tryton", "crm_url": tryton.url, "crm_key": key, **changes})


def test_mapping_without_a_place_for_a_value_is_refused() -> None:
    told = mapping().model_dump()
    del told["kinds"]["party"]["values"]["iban"]

    with pytest.raises(ValueError, match="party: no place for iban"):
        CrmMapping.model_validate(told)
