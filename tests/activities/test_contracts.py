"""The embedded reader of contracts: what it finds in running text, and the clauses it quotes."""

from time import monotonic

import pytest

from activities.parsing import clauses, contracts, periods
from activities.parsing.sentences import sentences_of
from schemas.contract import CLAUSE_KINDS

ENGLISH = """SERVICE AGREEMENT
This Service Agreement is made between Aldermere Instruments GmbH, Speicherweg 12, 20457
Hamburg ("Customer") and Tern Analytics Ltd, 4 Mill Quay, Cork ("Supplier").

1. Term
This Agreement is effective as of 1 March 2026 and continues for an initial term of twenty-four (24) months. It shall
automatically renew for further periods of 12 months unless either party gives three months' written notice.

2. Fees
The total contract value is EUR 48,000.00, payable quarterly.

3. Liability
The Supplier's liability under this Agreement shall not exceed EUR 100,000.00 in any year.

4. Data
The Supplier processes personal data on behalf of the Customer under a data processing agreement.

5. Law
This Agreement is governed by the laws of Ireland, without regard to conflicts of law."""
GERMAN = """Dienstleistungsvertrag
zwischen der Aldermere Instruments GmbH, Speicherweg 12, Hamburg, und der Kupferhof Catering GmbH, Kupfergasse 2.

§ 1 Laufzeit
Der Vertrag beginnt am 01.04.2026 und endet am 31.03.2028. Er verlängert sich um jeweils 12 Monate. Die
Kündigungsfrist beträgt drei Monate.

§ 2 Vergütung
Die Gesamtvergütung beträgt 18.500,00 EUR.

§ 3 Haftung
Die Haftung ist begrenzt auf 50.000,00 EUR.

§ 4 Recht
Es gilt deutsches Recht. Personenbezogene Daten werden nicht verarbeitet."""


def read(*pages: str) -> dict[str, str | None]:
    return {name: field.value for name, field in contracts.read(pages).fields.items()}


def kinds(text: str) -> list[str]:
    return [clause.kind for clause in clauses.read(sentences_of([text]))]


def test_an_english_contract_is_read() -> None:
    assert read(ENGLISH) == {
        "first_party": "Aldermere Instruments GmbH",
        "second_party": "Tern Analytics Ltd",
        "start_date": "2026-03-01",
        "term": "P24M",
        "renewal": "automatic",
        "renewal_term": "P12M",
        "notice_period": "P3M",
        "value": "48000.00",
        "currency": "EUR",
        "liability_cap": "100000.00",
        "governing_law": "Ireland",
        "personal_data": "yes",
    }


def test_a_german_contract_is_read() -> None:
    found = read(GERMAN)

    assert found == {
        "first_party": "Aldermere Instruments GmbH",
        "second_party": "Kupferhof Catering GmbH",
        "start_date": "2026-04-01",
        "end_date": "2028-03-31",
        "renewal": "automatic",
        "renewal_term": "P12M",
        "notice_period": "P3M",
        "value": "18500.00",
        "currency": "EUR",
        "liability_cap": "50000.00",
        "governing_law": "Germany",
        "personal_data": "no",
    }


def test_each_field_has_the_words_and_the_page_it_was_read_from() -> None:
    found = contracts.read(["Cover sheet", ENGLISH]).fields

    assert {field.page for field in found.values()} == {2}
    assert all(field.evidence in " ".join(ENGLISH.split()) for field in found.values())


def test_what_is_not_stated_is_absent() -> None:
    assert read("We met on 3 March 2026 and spoke of many things. Costs were EUR 5,000.") == {}


def test_a_date_of_two_readings_is_told_with_both() -> None:
    field = contracts.read(["This Agreement takes effect on 03/04/2026."]).fields["start_date"]

    assert {field.value, *field.alternatives} == {"2026-04-03", "2026-03-04"}
    assert field.confidence < 0.9


def test_a_second_value_that_differs_makes_the_first_less_sure() -> None:
    other = "The total contract value is EUR 52,000.00 including options."

    (once, twice) = (contracts.read([text]).fields["value"] for text in (ENGLISH, f"{ENGLISH}\n\n{other}"))

    assert (once.value, twice.value) == ("48000.00", "48000.00")
    assert (once.alternatives, twice.alternatives) == ((), ("52000.00",))
    assert twice.confidence < once.confidence


INSTRUCTED = "The Processor shall not process personal data except on documented instructions."


@pytest.mark.parametrize(
    ("words", "value", "alternatives"),
    [
        ("No personal data are processed.", "no", ()),
        ("Personal data are processed for payroll.", "yes", ()),
        (INSTRUCTED, "yes", ()),
        (f"{INSTRUCTED} Personal data are processed for payroll.", "yes", ()),
        ("No personal data are sold. Personal data are processed for payroll.", "yes", ("no",)),
    ],
)
def test_personal_data_are_denied_only_where_nothing_else_speaks_of_them(
    words: str, value: str, alternatives: tuple[str, ...]
) -> None:
    field = contracts.read([words]).fields["personal_data"]

    assert (field.value, field.alternatives) == (value, alternatives)


@pytest.mark.parametrize(
    ("words", "law"),
    [
        ("This Agreement is governed by German law.", "Germany"),
        ("This Agreement is governed by the laws of England and Wales.", "England and Wales"),
        ("The applicable law shall apply. Applicable law shall apply.", None),
    ],
)
def test_governing_law_is_the_country_that_is_named(words: str, law: str | None) -> None:
    assert read(words).get("governing_law") == law


def test_a_cap_that_is_a_share_of_fees_is_told_in_words() -> None:
    said = "The Supplier's liability is limited to 150% of the fees paid in the preceding year."

    assert read(said)["liability_cap"] == "150% of the fees paid in the preceding year"


@pytest.mark.parametrize(
    ("words", "period"),
    [
        ("twenty-four (24) months", "P24M"),
        ("ninety days", "P90D"),
        ("thirty-six months", "P36M"),
        ("forty-five days", "P45D"),
        ("a year", "P1Y"),
        ("six weeks", "P6W"),
        ("drei Monate", "P3M"),
        ("einem Jahr", "P1Y"),
        ("14 Tagen", "P14D"),
    ],
)
def test_periods_are_read_in_figures_and_words(words: str, period: str) -> None:
    assert periods.find(f"for {words} from now") == period


UNUSUAL = {
    "unlimited-liability": "The Customer's liability under this Agreement shall be unlimited.",
    "long-renewal": "The Agreement shall automatically renew for further periods of thirty-six (36) months.",
    "exclusivity": "The Customer shall purchase the goods exclusively from the Supplier.",
    "non-compete": "The Customer shall not for two years engage in any business that competes with the Supplier.",
    "penalty": "The Customer shall pay a penalty of EUR 10,000 for each day of delay.",
    "unilateral-change": "The Supplier may change the prices and these terms at any time.",
    "free-assignment": "The Supplier may assign this Agreement to anybody without the consent of the Customer.",
    "audit": "The Supplier may audit the Customer's use of the software on five days' notice.",
    "indemnity": "The Customer shall indemnify the Supplier against all claims of third parties.",
    "no-termination": "This Agreement may not be terminated before its end.",
}


@pytest.mark.parametrize("kind", CLAUSE_KINDS)
def test_an_unusual_clause_is_found_and_quoted(kind: str) -> None:
    (clause,) = clauses.read(sentences_of(["Cover", f"1. Scope\nThe Supplier delivers.\n\n{UNUSUAL[kind]}"]))

    assert (clause.kind, clause.quote, clause.page) == (kind, UNUSUAL[kind], 2)


def test_clause_behind_many_words_is_found_and_the_quote_has_it() -> None:
    said = "The Supplier delivers " + "this and that, " * 150 + f"and {UNUSUAL['penalty'][4:]}"

    (clause,) = clauses.read(sentences_of([said]))

    assert "shall pay a penalty of EUR 10,000" in clause.quote


def test_what_makes_one_clause_usual_says_nothing_of_another() -> None:
    assert kinds("The Customer gets a non-exclusive licence and shall pay a contractual penalty.") == ["penalty"]


@pytest.mark.parametrize(
    "usual",
    [
        ENGLISH,
        GERMAN,
        "The Supplier grants a non-exclusive right of use.",
        "Nothing in this Agreement limits liability without limit for fraud.",
        "Neither party may assign this Agreement without the prior written consent of the other.",
    ],
)
def test_usual_clauses_are_not_quoted(usual: str) -> None:
    assert kinds(usual) == []


@pytest.mark.parametrize("unit", ["liability ", "automatically ", "between A ", "1 ", "Aa", "may change ", "€ 1,"])
def test_reading_endless_text_takes_no_longer_than_its_length(unit: str) -> None:
    started = monotonic()

    contracts.read([unit * (1_000_000 // len(unit))] * 3)

    assert monotonic() - started < 10
