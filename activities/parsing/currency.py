"""The currency of an invoice: as stated, by the signs beside its amounts, or by the country it was written in."""

import re
from collections import Counter
from collections.abc import Sequence

from activities.parsing.layout import EVIDENCE, Line
from schemas.proposal import Field

_CODE = "EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RON|CAD|AUD|INR|MYR|JPY|CNY|SGD|HKD|ZAR"
_STATED = re.compile(
    rf"(?:währung|currency|devise|beträge in|amounts? in|prices (?:are )?in)\W{{0,3}}({_CODE})\b", re.IGNORECASE
)
_NAMED = re.compile(
    rf"(?<![A-Z])({_CODE})(?![A-Z])|\b(?:Euros?|EUROS?)\b|€|£|₹|\bRs\b|(?<![A-Z])RM(?![A-Z])|US Dollars?"
    r"|\b(?:US|AU?|CA?|HK|S)\$|\$"
)
_MEANING = {
    "€": "EUR", "Euro": "EUR", "Euros": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP", "₹": "INR", "Rs": "INR",
    "RM": "MYR", "US Dollar": "USD", "US Dollars": "USD", "US$": "USD", "$": "USD", "A$": "AUD", "AU$": "AUD",
    "C$": "CAD", "CA$": "CAD", "HK$": "HKD", "S$": "SGD",
}  # fmt: skip
_SHARED = {"$", "RM", "Rs"}
"""Signs that more than one currency or word uses."""


_COUNTRIES = {
    "MYR": (
        r"\b(?:sdn\b\.? ?)?bhd\b",
        r"\b(?:jalan|jln|taman|lebuhraya)\b",
        r"\bgst\D{0,25}\d{12}\b",
        r"\b(?:malaysia|kuala lumpur|selangor|johor|penang|pulau pinang|perak|pahang|melaka|sabah|sarawak|kedah)\b",
    ),
    "EUR": (r"\bDE ?\d{9}\b", r"\bATU ?\d{8}\b", r"\bFR ?[0-9A-Z]{2} ?\d{9}\b", r"\b(?:siret|siren)\b"),
    "CHF": (r"\bCHE-?\d{3}\.?\d{3}\.?\d{3}\b", r"\b(?:schweiz|suisse|svizzera|switzerland)\b"),
    "GBP": (r"\bGB ?\d{9}\b", r"\b(?:united kingdom|england)\b"),
}
"""What only a seller of the country writes: its company forms, tax ids, addresses."""
_COUNTRY = {code: [re.compile(mark, re.IGNORECASE) for mark in marks] for code, marks in _COUNTRIES.items()}
_HEAD = 40
"""Lines in which a seller says where he is; further down other countries are spoken of."""

_STATED_SURE, _SIGN, _SHARED_SIGN = 0.95, 0.93, 0.7
_SIGN_AND_COUNTRY, _ALL_MARKS, _TWO_MARKS, _ONE_MARK = 0.96, 0.95, 0.92, 0.75
_FOREIGN_SIGN = 0.05
"""A till may print "$" for any money; only much that speaks for the country outweighs it."""


def read(lines: Sequence[Line]) -> Field | None:
    for line in lines:
        if match := _STATED.search(line.text):
            return _field(match[1].upper(), line, _STATED_SURE)
    country = _country(lines)
    seen = [(match[0], line) for line in lines for match in _NAMED.finditer(line.text)]
    counts = Counter(_MEANING.get(sign, sign) for sign, _ in seen)
    if not counts:
        return country
    (value, count), *others = counts.most_common()
    signs = {sign for sign, _ in seen if _MEANING.get(sign, sign) == value}
    confidence = _SHARED_SIGN if signs <= _SHARED else _SIGN
    if country and country.value in counts:
        value, confidence = country.value or value, _SIGN_AND_COUNTRY
    elif country and signs <= _SHARED and country.confidence >= _TWO_MARKS:
        return country.model_copy(update={"confidence": round(country.confidence - _FOREIGN_SIGN, 2)})
    elif others:
        confidence *= count / counts.total()
    return _field(value, next(line for sign, line in seen if _MEANING.get(sign, sign) == value), confidence)


def _country(lines: Sequence[Line]) -> Field | None:
    """The currency of the one country whose marks the head bears; two different marks do not happen by chance."""
    found = {code: [line for mark in marks if (line := _first(lines, mark))] for code, marks in _COUNTRY.items()}
    named = {code: marks for code, marks in found.items() if marks}
    if len(named) != 1:
        return None
    ((code, marks),) = named.items()
    return _field(code, marks[0], (_ONE_MARK, _TWO_MARKS, _ALL_MARKS)[min(len(marks), 3) - 1])


def _first(lines: Sequence[Line], mark: re.Pattern[str]) -> Line | None:
    return next((line for line in lines[:_HEAD] if mark.search(line.text)), None)


def _field(value: str, line: Line, confidence: float) -> Field:
    return Field(value=value, evidence=line.text[:EVIDENCE], page=line.page, confidence=round(confidence, 2))
