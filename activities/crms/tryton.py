"""Tryton, over HTTP: what casework writes has a unique external reference there (deploy/tryton has the module)."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx2
from pydantic import JsonValue

from activities.crms.port import (
    Ambiguous,
    CrmError,
    Described,
    Invalid,
    RateLimited,
    Unauthorised,
    Unavailable,
    Written,
    changed,
)
from activities.failures import advice
from schemas.case import Record
from schemas.crm_mapping import CrmMapping, KindMapping, Place

Row = Mapping[str, Any]
Domain = list[list[Any]]
Params = tuple[tuple[str, str], ...]
TYPES = {
    "text": ("char", "text"),
    "json": ("char", "text"),
    "date": ("date",),
    "decimal": ("numeric",),
    "code": ("many2one",),
    "link": ("many2one",),
}
"""What Tryton calls the fields that a value of this form can go to."""


@dataclass(frozen=True)
class TrytonCrm:
    """`client` has the address of a database's models and the key of a user application in its headers."""

    client: httpx2.Client
    mapping: CrmMapping

    def upsert(self, record: Record) -> Written:
        kind = self.mapping.kinds[record.kind]
        values = {**record.values, **record.links}
        row = self._row(kind, record.ref)
        if row is None:
            try:
                made = self._ask("POST", kind.model, {kind.ref: record.ref, **self._there(kind, values)})
            except Invalid:
                row = self._row(kind, record.ref)
                if row is None:  # else another attempt was faster
                    raise
            else:
                return Written(f"{kind.model}/{made['id']}", created=True)
        name = f"{kind.model}/{row['id']}"
        # What is as it should be is left alone: it may be closed to changes by now.
        if changed(record, {it: self._here(kind.values[it], row) for it in values}):
            self._ask("PUT", name, self._there(kind, values))
        return Written(name, created=False)

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        mapping = self.mapping.kinds[kind]
        try:
            domain = [self._term(mapping.values[name], value) for name, value in values.items()]
        except Invalid:
            return []  # no record has what is no date or number
        rows = self._search(mapping.model, domain, mapping.ref)
        return [row[mapping.ref] or f"{mapping.model}/{row['id']}" for row in rows]

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        mapping = self.mapping.kinds[kind]
        row = self._row(mapping, ref)
        return row and {name: self._here(place, row) for name, place in mapping.values.items()}

    def describe(self) -> Described:
        faults = tuple(fault for mapping in self.mapping.kinds.values() for fault in self._faults(mapping))
        return Described(f"Tryton at {self.client.base_url}", self.mapping.places, faults)

    def _faults(self, mapping: KindMapping) -> Iterator[str]:
        rows = self._search("ir.model.field", [["model", "=", mapping.model]], "name", "ttype")
        types = {row["name"]: row["ttype"] for row in rows}
        if not types:
            yield f"there is no model {mapping.model}, or the key's user may not see it"
            return
        for place in (Place(field=mapping.ref), *mapping.values.values()):
            found = types.get(place.field)
            if found is None:
                yield f"{mapping.model} has no field {place.field}"
            elif found not in TYPES[place.form]:
                yield f"{mapping.model}.{place.field} is of type {found}: no place for {place.form}"

    def _there(self, kind: KindMapping, values: Mapping[str, JsonValue]) -> dict[str, Any]:
        return {kind.values[name].field: self._sent(kind.values[name], value) for name, value in values.items()}

    def _sent(self, place: Place, value: JsonValue) -> Any:
        """A value as Tryton takes it."""
        if value is None or place.form == "text":
            return value
        if place.form == "json":
            return json.dumps(value, ensure_ascii=False)
        if place.form in ("date", "decimal"):
            return _typed(place, str(value))
        of = self.mapping.kinds.get(place.to)
        domain = [_named(of, str(value))] if of else [[place.by, "=", value]]
        found = self._search(of.model if of else place.model, domain, "id")
        if len(found) != 1:
            problem = "several" if found else "no"
            raise (Ambiguous if found else Invalid)(f"{place.field}: {problem} {place.to or place.model} {value}")
        return found[0]["id"]

    def _here(self, place: Place, row: Row) -> JsonValue:
        """What a field of Tryton holds, as a draft would say it."""
        value = row[place.field]
        if value is None or place.form == "text":
            held: JsonValue = value
        elif place.form == "json":
            held = json.loads(value)
        elif place.form == "date":
            held = date(value["year"], value["month"], value["day"]).isoformat()
        elif place.form == "decimal":
            held = f"{Decimal(value['decimal']):f}"
        elif place.form == "code":
            held = value[place.by]
        else:
            of = self.mapping.kinds[place.to]
            held = value[of.ref] or f"{of.model}/{value['id']}"
        return held

    def _term(self, place: Place, value: str) -> list[Any]:
        """What a search says of a field."""
        if place.form in ("date", "decimal"):
            return [place.field, "=", _typed(place, value)]
        if place.form == "code":
            return [f"{place.field}.{place.by}", "=", value]
        if place.form == "link":
            name, *rest = _named(self.mapping.kinds[place.to], value)
            return [f"{place.field}.{name}", *rest]
        return [place.field, "=", value]

    def _row(self, kind: KindMapping, ref: str) -> Row | None:
        """The record with this reference, with all that the mapping names."""
        fields = {self._path(place) for place in kind.values.values()}
        rows = self._search(kind.model, [_named(kind, ref)], kind.ref, *sorted(fields))
        if len(rows) > 1:
            raise Ambiguous(f"{kind.model} {', '.join(str(row['id']) for row in rows)} share a reference")
        return rows[0] if rows else None

    def _path(self, place: Place) -> str:
        if place.form == "code":
            return f"{place.field}.{place.by}"
        return f"{place.field}.{self.mapping.kinds[place.to].ref}" if place.form == "link" else place.field

    def _search(self, model: str, domain: Domain, *fields: str) -> list[Row]:
        asked = urlsafe_b64encode(json.dumps(domain).encode()).decode()
        rows: list[Row] = self._ask("GET", model, None, (("d", asked), *(("f", field) for field in fields)))
        return sorted(rows, key=lambda row: int(row["id"]))

    def _ask(self, method: str, path: str, body: object, params: Params = ()) -> Any:
        context = urlsafe_b64encode(json.dumps(dict(self.mapping.context)).encode()).decode()
        try:
            answer = self.client.request(
                method, path, params=params, json=body, headers={"X-Tryton-Context": context, "Accept-Language": "en"}
            )
            if answer.is_success:
                return answer.json()
        except (httpx2.TransportError, httpx2.DecodingError, ValueError) as error:
            raise Unavailable(f"Tryton cannot be reached, or its answer was lost ({type(error).__name__})") from None
        raise _error(answer)


def _error(answer: httpx2.Response) -> CrmError:
    status = answer.status_code
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        return RateLimited(advice(answer.headers))
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return Unauthorised(f"Tryton answers {status}: the key is not accepted")
    if status != httpx2.codes.BAD_REQUEST:
        return Unavailable(f"Tryton answered {status}")
    try:
        said = answer.json()
        return Invalid(" ".join(str(said[name]) for name in ("message", "description") if said.get(name)))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Invalid("it gives no reason")


def _named(kind: KindMapping, ref: str) -> list[Any]:
    """How a record is found: by the reference we gave it, or, made by others, by its own id."""
    number = kind.number(ref)
    return ["id", "=", int(number)] if number else [kind.ref, "=", ref]


def _typed(place: Place, value: str) -> Mapping[str, Any]:
    try:
        if place.form == "decimal":
            return {"__class__": "Decimal", "decimal": str(Decimal(value))}
        day = date.fromisoformat(value)
    except (InvalidOperation, ValueError):
        raise Invalid(f"{place.field}: {value} is no {place.form}") from None
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}
