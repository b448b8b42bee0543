"""The card: whatever a document says, it is shown as text and as nothing else."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from schemas.approval import Decision
from schemas.case import View
from schemas.finding import Finding
from schemas.message import digest_of
from schemas.policy import ApprovalPolicy
from schemas.proposal import Field, Proposal
from schemas.source import Source
from schemas.standing import Ask
from schemas.wait import Wait
from workflows.card import card, escaped, visible

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
DRAFT = digest_of(b"draft")
TEMPORAL_UI = MarkdownIt("commonmark").enable("table")
"""What the Temporal UI reads: CommonMark with tables, raw HTML included."""


def waiting(*, blocked: bool = False) -> Wait:
    policy = ApprovalPolicy(approvers=("ap-clerk", "ap-deputy"), owner="finance-lead")
    return Wait().asked(Ask.without_steps(DRAFT, policy, NOW, blocked=blocked))


def saying(words: str) -> View:
    """A view with the document's words wherever words of a document can stand."""
    return View(
        source=Source(digest=digest_of(b""), name=words, size=0),
        proposal=Proposal(
            rung="endpoint",
            fields={
                "supplier": Field(value=words, evidence=words, confidence=0.5),
                "currency": Field(value="EUR", evidence=words, confidence=0.5),
            },
        ),
        findings=(Finding(code="field.ambiguous", severity="review", message=f"{words} can be read as {words}"),),
        reasons=(f"intake: {words}", "supplier: confidence 0.50 is below 0.90"),
        draft=DRAFT,
    )


def shape(markdown: str) -> list[str]:
    """Everything that is markup, in order; text alone is left out."""

    def walk(tokens: list[Token]) -> list[str]:
        found = []
        for token in tokens:
            if token.type not in ("text", "text_special"):
                found.append(f"{token.type} {token.tag} {token.attrs or ''}")
            found += walk(token.children or [])
        return found

    return walk(TEMPORAL_UI.parse(markdown))


def cells(markdown: str) -> list[str]:
    """What a reader sees in each cell of the table's body."""
    tokens = TEMPORAL_UI.parse(markdown)
    starts = [number for number, token in enumerate(tokens) if token.type == "td_open"]
    return ["".join(child.content for child in tokens[start + 1].children or []) for start in starts]


HARMLESS = "Northwind Paper"
NASTY = [
    "[pay here](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden",
    "</td></tr></table>",
    "&lt;script&gt; &amp; &#x3c;b&#x3e;",
    "| one | two |",
    "a | b \\| c \\\\| d",
    "\\",
    "\\\\",
    "# heading",
    "=====",
    "-----",
    "- item",
    "1. item",
    "1) item",
    "> quote",
    "```json",
    "~~~",
    "`code`",
    "``` ` ```",
    "**bold** __bold__ *i* _i_",
    "[ref]: https://evil.example",
    "[ref]",
    "a\nb",
    "a\n\n# b",
    "a\r\n| x | y |\r\n|---|---|",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "    indented code",
    "\tindented code",
    "trailing two spaces  \nand more",
    "\u202egnp.exe",
    "\u2066isolated\u2069",
    "\x1b[31mred\x1b[0m",
    "\x00\x07\x7f\ufeff\u200b\u200d",
    "\ud800",
    "x" * 1000,
]
MARKUP = st.text(st.sampled_from("\\`*_{}[]()<>#+-.!|~&:/@=\"' \n\r\tab1;") | st.characters(), max_size=60)
WORDS = st.text(max_size=60) | MARKUP | st.lists(st.sampled_from(NASTY), max_size=3).map("".join)
texts = settings(max_examples=300, deadline=None)


@pytest.mark.parametrize("words", NASTY)
def test_known_tricks_are_shown_as_text(words: str) -> None:
    assert shape(card(waiting(), saying(words))) == shape(card(waiting(), saying(HARMLESS)))


@texts
@given(WORDS)
def test_nothing_in_a_document_becomes_markup(words: str) -> None:
    assert shape(card(waiting(), saying(words))) == shape(card(waiting(), saying(HARMLESS)))


@texts
@given(WORDS)
def test_reader_sees_the_words_as_they_stand(words: str) -> None:
    seen = cells(card(waiting(), saying(words)))

    assert seen[1] == visible(words)


@texts
@given(WORDS)
def test_card_holds_no_control_and_no_direction_changing_characters(words: str) -> None:
    shown = card(waiting(), saying(words))

    assert {char for char in shown if unicodedata.category(char)[0] == "C"} == {"\n"}


@texts
@given(WORDS)
def test_visible_text_is_one_line_without_control_characters(words: str) -> None:
    shown = visible(words)

    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)


def test_words_without_anything_special_stay_as_they_are() -> None:
    assert escaped("Müller und Söhne, 北京 100 €") == "Müller und Söhne, 北京 100 €"


def test_long_text_is_cut_with_a_sign_that_it_was() -> None:
    assert visible("x" * 201) == "x" * 199 + "…"


def test_text_that_just_fits_is_not_cut() -> None:
    assert visible("x" * 200) == "x" * 200


def test_cut_never_leaves_half_an_escape() -> None:
    assert shape(card(waiting(), saying("|" * 1000))) == shape(card(waiting(), saying(HARMLESS)))


def test_card_names_the_draft_that_is_asked_about() -> None:
    assert f"**Draft** `{DRAFT}`" in card(waiting(), saying(HARMLESS)).splitlines()


def test_card_says_who_holds_the_case_and_until_when() -> None:
    shown = card(waiting(), saying(HARMLESS))

    assert "**With `ap-clerk`, `ap-deputy`**, open, due 2026-06-04 09:00 UTC" in shown.splitlines()


def test_card_names_the_new_holder_once_the_case_is_handed_over() -> None:
    reminded = waiting().tick(NOW + timedelta(days=1))
    handed = reminded.tick(NOW + timedelta(days=3))

    shown = card(handed, saying(HARMLESS))

    assert "**With `finance-lead`**, handed, due 2026-06-08 09:00 UTC" in shown.splitlines()


def answer_shown(shown: str) -> str:
    """The code block to copy."""
    (fence,) = [token for token in TEMPORAL_UI.parse(shown) if token.type == "fence"]
    return fence.content


def test_card_shows_an_answer_that_only_lacks_the_persons_id() -> None:
    example = answer_shown(card(waiting(), saying(HARMLESS))).replace("YOUR-ID", "ap-clerk")

    _, reply = waiting().hear(Decision.model_validate_json(example), NOW, "update")

    assert reply.accepted


def test_card_of_a_blocked_case_offers_no_approval() -> None:
    shown = card(waiting(blocked=True), saying(HARMLESS))

    _, reply = waiting(blocked=True).hear(
        Decision.model_validate_json(answer_shown(shown).replace("YOUR-ID", "ap-clerk")), NOW, "update"
    )
    assert reply.accepted
    assert "approve" not in shown


def test_every_finding_is_shown() -> None:
    shown = card(waiting(), saying(HARMLESS))

    assert f"- review: `field.ambiguous` {HARMLESS} can be read as {HARMLESS}" in shown.splitlines()


def test_card_of_an_unreadable_document_says_to_enter_the_fields() -> None:
    unread = saying(HARMLESS).model_copy(update={"proposal": Proposal(rung="person")})

    assert "No field could be read: correct the case by entering them." in card(waiting(), unread)
