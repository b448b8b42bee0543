"""Periods in running text: "twenty-four (24) months", "drei Monate", as ISO 8601 durations."""

import re
from collections.abc import Iterator

_ENGLISH = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_GERMAN = ("eine[nmrs]?", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf")
_MORE = {"fifteen": 15, "eighteen": 18, "twenty": 20, "twenty-four": 24, "thirty": 30, "thirty-six": 36,
         "forty-five": 45, "forty-eight": 48, "sixty": 60, "ninety": 90,
         "dreißig": 30, "sechzig": 60, "neunzig": 90}  # fmt: skip
_WORDS = {word: number for words in (_ENGLISH, _GERMAN) for number, word in enumerate(words, 1)} | _MORE
_UNITS = {"day": "D", "tag": "D", "week": "W", "woche": "W", "month": "M", "monat": "M", "year": "Y", "jahr": "Y"}
_LONGEST_FIRST = sorted(_WORDS, key=len, reverse=True)
_NUMBER = rf"(?<!-)(?:{'|'.join(_LONGEST_FIRST)})"
PERIOD = (
    rf"(?:(?:\b(?:{_NUMBER})\s?)?\(?\b\d{{1,3}}\)?|\b(?:{_NUMBER})|\ba)(?:\s|-)"
    rf"(?:(?:calendar|full|further|consecutive|weitere[nrs]?|volle[nrs]?)\s)?(?:{'|'.join(_UNITS)})(?:e[ns]?|n|s|'s?)?\b"
)
_FOUND = re.compile(PERIOD, re.IGNORECASE)


def find(text: str) -> str | None:
    """The first period: figures count before the words beside them."""
    return next(find_all(text), None)


def find_all(text: str) -> Iterator[str]:
    return (duration(match[0]) for match in _FOUND.finditer(text))


def duration(words: str) -> str:
    """Of words that are a period."""
    said = words.lower()
    unit = next(sign for name, sign in _UNITS.items() if re.search(rf"(?:\s|-){name}", said))
    if digits := re.search(r"\d+", said):
        return f"P{int(digits[0])}{unit}"
    number = next((_WORDS[word] for word in _LONGEST_FIRST if re.match(rf"{word}\b", said)), 1)
    return f"P{number}{unit}"


def months(duration: str) -> float:
    """How long it is, roughly, to compare with others; 0 for what is none."""
    match = re.fullmatch(r"P(\d{1,4})([DWMY])", duration)
    return int(match[1]) * {"D": 12 / 365, "W": 84 / 365, "M": 1, "Y": 12}[match[2]] if match else 0
