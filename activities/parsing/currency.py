"""The currency of an invoice: as stated, or by the signs beside its amounts."""

import re
from collections import Counter
from collections.abc import Sequence

from activities.parsing.layout import Line
from schemas.proposal import Field

EVIDENCE = 200

_CODE = "EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RON|CAD|AUD|INR|MYR|JPY|CNY|SGD|HKD|ZAR"
_STATED = re.compile(
    rf"(?:währung|currency|devise|beträge in|amounts? in|prices (?:are )?in)\W{{0,3}}({_CODE})\b", re.IGNORECASE
)
_NAMED = re.compile(rf"(?<![A-Z])({_CODE})(?![A-Z])|\bEuros?\b|€|£|₹|\bRs\b|(?<![A-Z])RM(?![A-Z])|US Dollars?|US\$|\$")
_MEANING = {
    "€": "EUR", "Euro": "EUR", "Euros": "EUR", "£": "GBP", "₹": "INR", "Rs": "INR", "RM": "MYR",
    "US Dollar": "USD", "US Dollars": "USD", "US$": "USD", "$": "USD",
}  # fmt: skip
_SHARED = {"$", "RM", "Rs"}
"""Signs that more than one currency or word uses."""


def read(lines: Sequence[Line]) -> Field | None:
    for line in lines:
        if match := _STATED.search(line.text):
            return Field(value=match[1].upper(), evidence=line.text[:EVIDENCE], page=line.page, confidence=0.95)
    seen = [(match[0], line) for line in lines for match in _NAMED.finditer(line.text)]
    counts = Counter(_MEANING.get(sign, sign) for sign, _ in seen)
    if not counts:
        return None
    (value, count), *others = counts.most_common()
    signs = {sign for sign, _ in seen if _MEANING.get(sign, sign) == value}
    confidence = 0.7 if signs <= _SHARED else 0.93
    if others:
        confidence *= count / counts.total()
    line = next(line for sign, line in seen if _MEANING.get(sign, sign) == value)
    return Field(value=value, evidence=line.text[:EVIDENCE], page=line.page, confidence=round(confidence, 2))
