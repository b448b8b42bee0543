"""HubSpot, over HTTP: what casework writes has a property of unique values there, by which it is upserted."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
from pydantic import JsonValue

from activities.crms.port import (
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
TYPES = {"text": ("string",), "json": ("string",), "link": ("string",), "date": ("date",), "decimal": ("number",)}
"""What HubSpot calls the properties that a value of this form can go to; it has none for a code."""
REFUSALS = (httpx2.codes.BAD_REQUEST, httpx2.codes.NOT_FOUND, httpx2.codes.UNPROCESSABLE_CONTENT)
NOT_THERE = "OBJECT_NOT_FOUND"
LONGEST_PAGE = 200


class NotThere(Invalid):
    """A record that was asked for, or linked to, does not exist."""


@dataclass(frozen=True)
class HubspotCrm:
    """`client` has the address of the API and the token of a private app in its headers.

    A link is kept twice: as the other record's ref in a property, by which it is found, and as an association, which
    people see. A write that is cut off between the two is made whole by the next attempt: all of it may be repeated.
    """

    client: httpx2.Client
    mapping: CrmMapping

    def upsert(self, record: Record) -> Written:
        kind = self.mapping.kinds[record.kind]
        links = {name: self._linked(kind.values[name], ref) for name, ref in record.links.items()}
        row = self._row(kind, record.ref)
        self._part(kind, record, row)
        values = {**record.values, **record.links}
        sent = {kind.values[name].field: _sent(kind.values[name], value) for name, value in values.items()}
        if row is None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            sent |= {name: now if value == "now" else value for name, value in kind.fixed.items()}
        one = {"id": record.ref, "idProperty": kind.ref, "properties": {kind.ref: record.ref, **sent}}
        made = self._ask("POST", f"crm/v3/objects/{kind.model}/batch/upsert", {"inputs": [one]})
        (result,) = made["results"]
        for model, number in links.values():
            self._ask("PUT", f"crm/v4/objects/{kind.model}/{result['id']}/associations/default/{model}/{number}")
        return Written(f"{kind.model}/{result['id']}", created=bool(result.get("new")))

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        mapping = self.mapping.kinds[kind]
        try:
            filters = [_term(mapping.values[name], value) for name, value in values.items()]
        except Invalid:
            return []  # no record has what is no date
        filters += [{"propertyName": ref, "operator": "NOT_HAS_PROPERTY"} for ref in self._others(mapping)]
        wanted = Record(kind="party", ref="", values=values)
        # A search there takes no notice of upper and lower case: what it gives is looked at again.
        rows = [row for row in self._search(mapping, filters) if not changed(wanted, _here(mapping, row))]
        return [row["properties"].get(mapping.ref) or f"{mapping.model}/{row['id']}" for row in rows]

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        mapping = self.mapping.kinds[kind]
        row = self._row(mapping, ref)
        return row and _here(mapping, row)

    def describe(self) -> Described:
        faults = tuple(fault for mapping in self.mapping.kinds.values() for fault in self._faults(mapping))
        return Described(f"HubSpot at {self.client.base_url}", self.mapping.places, faults)

    def _others(self, kind: KindMapping) -> list[str]:
        """The references of other kinds that are kept as objects of the same type."""
        return [it.ref for it in self.mapping.kinds.values() if it.model == kind.model and it.ref != kind.ref]

    def _faults(self, mapping: KindMapping) -> Iterator[str]:
        try:
            rows = self._ask("GET", f"crm/v3/properties/{mapping.model}")["results"]
        except Invalid:
            yield f"there are no {mapping.model}, or the token's scopes do not show them"
            return
        there = {row["name"]: row for row in rows}
        if not there.get(mapping.ref, {}).get("hasUniqueValue"):
            yield f"{mapping.model} has no property {mapping.ref} of unique values: make one, single-line text"
        for place in mapping.values.values():
            found = there.get(place.field, {}).get("type")
            if found is None:
                yield f"{mapping.model} has no property {place.field}"
            elif found not in TYPES.get(place.form, ()):
                yield f"{mapping.model}.{place.field} is of type {found}: no place for {place.form}"

    def _linked(self, place: Place, ref: str) -> tuple[str, str]:
        to = self.mapping.kinds[place.to]
        row = self._row(to, ref)
        if row is None:
            raise Invalid(f"{place.field}: no {place.to} {ref}")
        return to.model, row["id"]

    def _part(self, kind: KindMapping, record: Record, row: Row | None) -> None:
        """Take away associations with what is linked to no more, while the property still names it."""
        for name, ref in record.links.items():
            place = kind.values[name]
            held = row and row["properties"].get(place.field)
            other = self._row(self.mapping.kinds[place.to], held) if row and held and held != ref else None
            if row and other:
                to = f"{self.mapping.kinds[place.to].model}/{other['id']}"
                self._ask("DELETE", f"crm/v4/objects/{kind.model}/{row['id']}/associations/{to}")

    def _row(self, kind: KindMapping, ref: str) -> Row | None:
        """The record with this reference, or, made by others, with this id: not by search, which lags behind."""
        number = kind.number(ref)
        asked = {"inputs": [{"id": number or ref}], "properties": _names(kind), "propertiesWithHistory": []}
        by = {} if number else {"idProperty": kind.ref}
        try:
            rows = self._ask("POST", f"crm/v3/objects/{kind.model}/batch/read", {**asked, **by})["results"]
        except NotThere:
            return None
        return rows[0] if rows else None

    def _search(self, kind: KindMapping, filters: list[Mapping[str, str]]) -> Iterator[Row]:
        after: str | None = "0"
        while after is not None:
            groups = [{"filters": filters}] if filters else []
            asked = {"filterGroups": groups, "properties": _names(kind), "limit": LONGEST_PAGE, "after": after}
            page = self._ask("POST", f"crm/v3/objects/{kind.model}/search", asked)
            yield from page["results"]
            after = page.get("paging", {}).get("next", {}).get("after")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            answer = self.client.request(method, path, json=body)
            said = answer.json() if answer.is_success and answer.content else {}
        except (httpx2.TransportError, httpx2.DecodingError, ValueError) as error:
            raise Unavailable(f"HubSpot cannot be reached, or its answer was lost ({type(error).__name__})") from None
        if not answer.is_success:
            raise _error(answer)
        for fault in said.get("errors", ()):
            raise _fault(fault)
        return said


def _error(answer: httpx2.Response) -> CrmError:
    status = answer.status_code
    try:
        said = dict(answer.json())
    except (ValueError, TypeError):
        said = {}
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        daily = timedelta(hours=1) if said.get("policyName") == "DAILY" else None
        return RateLimited(advice(answer.headers) or daily)
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        why = "is not accepted" if status == httpx2.codes.UNAUTHORIZED else "lacks a scope"
        return Unauthorised(f"HubSpot answers {status}: the token {why}")
    if status not in REFUSALS:
        return Unavailable(f"HubSpot answered {status}")
    return _refusal(said)


def _fault(said: Mapping[str, Any]) -> CrmError:
    """What became of one input of a batch, of which the answer as a whole is no error."""
    if said.get("category") in ("VALIDATION_ERROR", NOT_THERE):
        return _refusal(said)
    return Unavailable("HubSpot did not carry out all of a batch")


def _refusal(said: Mapping[str, Any]) -> Invalid:
    error = NotThere if said.get("category") == NOT_THERE else Invalid
    return error(str(said.get("message") or "it gives no reason"))


def _names(kind: KindMapping) -> list[str]:
    return sorted({kind.ref, *(place.field for place in kind.values.values())})


def _sent(place: Place, value: JsonValue) -> str:
    """A value as HubSpot takes it: an empty one clears the property."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if place.form == "json" else str(value)


def _here(kind: KindMapping, row: Row) -> Mapping[str, JsonValue]:
    """What a record there holds, as a draft would say it."""
    held = {name: row["properties"].get(place.field) or None for name, place in kind.values.items()}
    return {
        name: json.loads(value) if value and kind.values[name].form == "json" else value for name, value in held.items()
    }


def _term(place: Place, value: str) -> Mapping[str, str]:
    """What a search says of a property: of a day it wants the milliseconds since 1970."""
    if place.form == "date":
        try:
            day = datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC)
        except ValueError:
            raise Invalid(f"{place.field}: {value} is no date") from None
        value = str(int(day.timestamp()) * 1000)
    return {"propertyName": place.field, "operator": "EQ", "value": value}
