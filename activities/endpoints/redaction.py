"""Personal data taken out of what an endpoint is sent, and put back into what it answers; nothing is kept."""

import re
from typing import NamedTuple

KINDS = {
    "EMAIL": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "PHONE": re.compile(r"(?<![\w.,/-])(?:\+|00)\d{1,3}(?:[ ./()-]{0,2}\d){6,12}(?![\w.,-])"),
}
"""What can be told by its form. Names of people cannot: who must not send them keeps to local endpoints."""


class Redacted(NamedTuple):
    text: str
    stands_for: dict[str, str]
    """What each placeholder was put in for."""

    def restored(self, answer: str) -> str:
        """An answer with the real values again, where it has placeholders; in JSON none of them needs escaping."""
        return re.sub(r"\[(?:EMAIL|IBAN|PHONE)_\d+\]", lambda found: self.stands_for.get(found[0], found[0]), answer)


def redacted(text: str) -> Redacted:
    """The same value gets the same placeholder, so that an endpoint still sees what belongs together."""
    placeholders: dict[str, str] = {}

    def place(kind: str, value: str) -> str:
        count = sum(it.startswith(f"[{kind}_") for it in placeholders.values())
        return placeholders.setdefault(value, f"[{kind}_{count + 1}]")

    for kind, form in KINDS.items():
        text = form.sub(lambda found, kind=kind: place(kind, found[0]), text)  # type: ignore[misc]
    return Redacted(text, {placeholder: value for value, placeholder in placeholders.items()})
