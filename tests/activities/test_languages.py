"""The language of a message is told by its words, and by nothing that merely has letters."""

import pytest

from activities.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Please tell me what to do with it.", "en"),
        ("Wir haben die Rechnung und bitten um eine Kopie.", "de"),
        ("Order 7e-4e-9e11e, part 5de2de8da?", ""),
        ("Order 39a035e7e9e, where is it?", "en"),
    ],
    ids=["English", "German", "a number with letters", "a number beside words"],
)
def test_language_is_that_of_the_words(text: str, language: str) -> None:
    assert language_of(text) == language
