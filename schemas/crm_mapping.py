"""Where each value of a draft goes in a CRM: data that an operator may change, checked before anybody works with it."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from schemas.message import Message

INVOICE = ("number", "issue_date", "currency", "net_amount", "tax_amount", "gross_amount", "lines", "party")
CONTRACT = (
    *("ours", "start_date", "end_date", "term", "renewal", "renewal_term", "notice_period", "value", "currency"),
    *("liability_cap", "governing_law", "personal_data", "clauses", "party"),
)
VALUES: Mapping[str, tuple[str, ...]] = {
    "party": ("name", "vat_id", "iban"),
    "invoice": INVOICE,
    "contract": CONTRACT,
    "ticket": ("subject", "category", "priority", "language", "details", "party"),
    "activity": ("text", "invoice", "contract", "ticket"),
}
"""What drafts are made of: a mapping that has no place for one of these would drop it."""

Form = Literal["text", "date", "decimal", "json", "code", "link"]


class Place(Message):
    """The field a value goes to, and in which form.

    code: a record of `model` there, found by its `by`. link: another record of ours, of the kind `to`.
    """

    field: str = Field(min_length=1)
    form: Form = "text"
    model: str = ""
    by: str = "code"
    to: str = ""

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if (self.form == "code") != bool(self.model):
            raise ValueError("a code, and nothing else, names the model that it is a code in")
        if (self.form == "link" and self.to not in VALUES) or (self.form != "link" and self.to):
            raise ValueError(f"a link, and nothing else, names the kind that it leads to: {', '.join(VALUES)}")
        return self


class KindMapping(Message):
    model: str = Field(min_length=1)
    ref: str = Field(default="external_ref", min_length=1)
    """The field that is unique there."""
    values: Mapping[str, Place]
    fixed: Mapping[str, str] = {}
    """What a new record says besides, whatever the draft; `now` is the time of writing."""

    def number(self, ref: str) -> str:
        """The CRM's own id, where a ref is that of a record made by others (`party.party/17`); empty of ours."""
        model, _, number = ref.rpartition("/")
        return number if model == self.model and number.isdecimal() else ""


class CrmMapping(Message):
    kinds: Mapping[str, KindMapping]
    context: Mapping[str, JsonValue] = {}
    """What the CRM wants to know with each request: the company, say."""

    @property
    def places(self) -> Mapping[str, Mapping[str, str]]:
        """For each kind of record its values, and the field of the CRM that each goes to."""
        return {
            kind: {name: f"{mapping.model}.{place.field}" for name, place in mapping.values.items()}
            for kind, mapping in self.kinds.items()
        }

    @model_validator(mode="after")
    def _has_a_place_for_all(self) -> Self:
        refs = [(kind.model, kind.ref) for kind in self.kinds.values()]
        if shared := {model for model, ref in refs if refs.count((model, ref)) > 1}:
            raise ValueError(
                f"kinds in one of {', '.join(sorted(shared))} need a ref each: else nobody can tell them apart"
            )
        for kind, names in VALUES.items():
            have = set(self.kinds[kind].values) if kind in self.kinds else set()
            if missing := set(names) - have:
                raise ValueError(f"{kind}: no place for {', '.join(sorted(missing))}")
            if extra := have - set(names):
                raise ValueError(f"{kind}: no draft has {', '.join(sorted(extra))}")
        return self
