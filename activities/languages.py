"""In which language a text is, told by the small words that every sentence has."""

import re

SMALL_WORDS = {
    "en": "the and is are was to of in my your we you not have has for this that with please it can i do what on from",
    "de": "der die das und ist sind nicht ein eine einen ich wir sie "
    "mein meine unser haben hat für mit bitte auf von zu dem den es",
    "fr": "le la les et est sont ne pas un une je nous vous mon "
    "ma notre avez ai pour avec merci dans du des ce que qui sur",
    "es": "el los las y es son no un una yo nosotros usted mi "
    "nuestro tiene he para con por favor en del que se su lo al",
    "it": "il lo gli e è sono non un una io noi voi mio nostro ha ho per con prego nel della che si di mi alla",
    "nl": "de het een en is zijn niet ik wij u mijn onze heeft heb voor met graag op van te dat die er aan",
}
WORDS = {language: frozenset(words.split()) for language, words in SMALL_WORDS.items()}
LEAST = 2
"""Small words of a language that a text must have before it is said to be in it."""


def language_of(text: str) -> str:
    """The ISO 639 code; empty when it cannot be told, as of a few words or of a language that is not known here."""
    # Whole tokens: the letters within a number of an order or an address are no words.
    words = [token for token in re.findall(r"\w+", text.casefold()) if token.isalpha()]
    counts = sorted(((sum(word in small for word in words), name) for name, small in WORDS.items()), reverse=True)
    (most, name), (next_most, _) = counts[:2]
    return name if most >= LEAST and most > next_most else ""
