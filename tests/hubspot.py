"""HubSpot as far as we use it, by hand: a server of its own that keeps records and answers as HubSpot documents.

Requests and answers are checked with the models of HubSpot's own client: what those do not know or miss is refused.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from http.server import BaseHTTPRequestHandler
from threading import Lock
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx2
import yaml
from hubspot.crm import objects

from activities.crms.hubspot import TYPES, HubspotCrm
from schemas.crm_mapping import CrmMapping
from tests.lines import Cuts
from tests.servers import serving
from workers.settings import REPOSITORY

KEY = "pat-test"
NEEDED = {"tickets": "hs_pipeline_stage", "notes": "hs_timestamp"}
"""What HubSpot wants to know of a new object of this type."""
UNIQUE = "unique"
Row = dict[str, Any]
Rows = dict[str, dict[str, dict[str, str]]]


class Answer(NamedTuple):
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}


def problem(status: int, category: str, message: str, **more: object) -> Answer:
    return Answer(status, {"status": "error", "category": category, "message": message, **more})


THROTTLED = problem(429, "RATE_LIMITS", "You have reached your limit.", policyName="TEN_SECONDLY_ROLLING")
USED_UP = problem(429, "RATE_LIMITS", "You have reached your daily limit.", policyName="DAILY")
CONFLICT = problem(409, "CONFLICT", "Another write is under way.")


def mapping() -> CrmMapping:
    return CrmMapping.model_validate(yaml.safe_load((REPOSITORY / "deploy" / "crm" / "hubspot.yaml").read_text()))


def properties() -> dict[str, dict[str, str]]:
    """The properties of each object, with their types, as an operator made them by the mapping."""
    made: dict[str, dict[str, str]] = {}
    for kind in mapping().kinds.values():
        typed = {place.field: TYPES[place.form][0] for place in kind.values.values()}
        made.setdefault(kind.model, {}).update({**typed, **dict.fromkeys(kind.fixed, "string"), kind.ref: UNIQUE})
    return made


def checked(model: str, body: object) -> Any:
    """The body, if HubSpot's own client would send or understand it; ValueError says what is wrong."""
    client = objects.ApiClient()
    known = client.deserialize(SimpleNamespace(data=json.dumps(body)), model)
    if not _covers(json.loads(json.dumps(client.sanitize_for_serialization(known))), body):
        raise ValueError(f"{model} does not know all of {body}")
    return body


def _covers(known: Any, said: Any) -> bool:
    """Whether nothing of what was said is unknown; instants may be written otherwise."""
    if isinstance(said, Mapping):
        return all(value is None or (name in known and _covers(known[name], value)) for name, value in said.items())
    if isinstance(said, list):
        return len(known) == len(said) and all(map(_covers, known, said))
    return True


@dataclass
class Hubspot:
    url: str = ""
    types: dict[str, dict[str, str]] = field(default_factory=properties)
    rows: Rows = field(default_factory=dict)
    shown: Rows | None = None
    """What searches see when they lag behind."""
    pairs: set[tuple[str, str]] = field(default_factory=set)
    troubles: list[tuple[str, Answer]] = field(default_factory=list)
    """The next request to an address that ends so is answered like this, and not carried out."""
    lock: Lock = field(default_factory=Lock)

    def count(self, kind: str) -> int:
        of = mapping().kinds[kind]
        return sum(bool(row.get(of.ref)) for row in self.rows.get(of.model, {}).values())

    def lag(self) -> None:
        self.shown = deepcopy(self.rows)

    @contextmanager
    def port(self, url: str = "", **options: Any) -> Iterator[HubspotCrm]:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx2.Client(base_url=url or self.url, headers=headers, timeout=30, trust_env=False, **options) as client:
            yield HubspotCrm(client, mapping())

    def answer(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        for trouble in self.troubles:
            if path.endswith(trouble[0]):
                self.troubles.remove(trouble)
                return trouble[1]
        try:
            return self._carried_out(method, path, body)
        except ValueError as error:
            return problem(400, "VALIDATION_ERROR", f"Invalid input JSON: {error}")

    def _carried_out(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        match (method, *path.strip("/").split("/")):
            case "GET", "crm", "v3", "properties", model if model in self.types:
                told = self.types[model].items()
                named = [
                    {"name": name, "type": "string" if kind == UNIQUE else kind, "hasUniqueValue": kind == UNIQUE}
                    for name, kind in told
                ]
                return Answer(200, {"results": named})
            case "POST", "crm", "v3", "objects", model, "batch", "upsert" if model in self.types:
                return self._upsert(model, checked("BatchInputSimplePublicObjectBatchInputUpsert", body)["inputs"])
            case "POST", "crm", "v3", "objects", model, "batch", "read" if model in self.types:
                return self._read(model, checked("BatchReadInputSimplePublicObjectId", body))
            case "POST", "crm", "v3", "objects", model, "search" if model in self.types:
                return self._search(model, checked("PublicObjectSearchRequest", body))
            case "PUT", "crm", "v4", "objects", model, number, "associations", "default", to, other:
                return self._pair(f"{model}/{number}", f"{to}/{other}")
            case "DELETE", "crm", "v4", "objects", model, number, "associations", to, other:
                self.pairs.discard((f"{model}/{number}", f"{to}/{other}"))
                return Answer(204, {})
        return problem(404, "OBJECT_NOT_FOUND", "no such address")

    def _upsert(self, model: str, inputs: list[Row]) -> Answer:
        done: list[Row] = []
        for one in inputs:
            by, sent = one.get("idProperty", ""), one["properties"]
            rows = self.rows.setdefault(model, {})
            known = [number for number, row in rows.items() if row.get(by) == one["id"]]
            if faults := list(self._faults(model, by, sent, new=not known)):
                return problem(400, "VALIDATION_ERROR", f"Property values were not valid: {'; '.join(faults)}")
            number = known[0] if known else str(len(rows) + 1)
            rows.setdefault(number, {}).update({name: value for name, value in sent.items() if value})
            for name in [name for name, value in sent.items() if not value]:
                rows[number].pop(name, None)
            done.append({**_object(number, rows[number]), "new": not known})
        return Answer(200, checked("BatchResponseSimplePublicUpsertObject", _batch(done)))

    def _faults(self, model: str, by: str, sent: Row, *, new: bool) -> Iterator[str]:
        types = self.types[model]
        if types.get(by) != UNIQUE:
            yield f"{by} is no property of unique values"
        if new and NEEDED.get(model, by) not in sent:
            yield f"{NEEDED[model]} is required"
        for name, value in sent.items():
            try:
                if types.get(name) == "number" and value:
                    Decimal(value)
                elif types.get(name) == "date" and value:
                    date.fromisoformat(value)
                elif name not in types:
                    yield f'Property "{name}" does not exist'
            except (InvalidOperation, ValueError):
                yield f"{value} was not a valid {types[name]}"

    def _read(self, model: str, asked: Row) -> Answer:
        by, wanted = asked.get("idProperty"), {one["id"] for one in asked["inputs"]}
        found = [row for row in _all(self.rows, model) if (row["properties"].get(by) if by else row["id"]) in wanted]
        if len(found) == len(wanted):
            return Answer(200, checked("BatchResponseSimplePublicObject", _batch(found)))
        missing = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some objects, they may be deleted or not exist.",
        }
        return Answer(207, {**_batch(found), "numErrors": 1, "errors": [missing]})

    def _search(self, model: str, asked: Row) -> Answer:
        terms = [term for group in asked["filterGroups"] for term in group["filters"]]
        rows = _all(self.rows if self.shown is None else self.shown, model)
        found = [row for row in rows if all(self._fits(model, row["properties"], term) for term in terms)]
        start = int(asked["after"])
        end = start + asked["limit"]
        told: Row = {"total": len(found), "results": found[start:end]}
        if end < len(found):
            told["paging"] = {"next": {"after": str(end)}}
        return Answer(200, told)

    def _fits(self, model: str, row: Mapping[str, str], term: Mapping[str, str]) -> bool:
        name = term["propertyName"]
        held, kind = row.get(name), self.types[model][name]
        if term["operator"] == "NOT_HAS_PROPERTY":
            return not held
        wanted = term["value"]
        if held and kind == "date":
            return int(datetime.fromisoformat(held).replace(tzinfo=UTC).timestamp()) * 1000 == int(wanted)
        if held and kind == "number":
            return Decimal(held) == Decimal(wanted)
        return bool(held) and str(held).casefold() == wanted.casefold()

    def _pair(self, one: str, other: str) -> Answer:
        there = {f"{model}/{number}" for model, rows in self.rows.items() for number in rows}
        if not {one, other} <= there:
            return problem(404, "OBJECT_NOT_FOUND", "one of the objects does not exist")
        self.pairs.add((one, other))
        return Answer(200, {"status": "COMPLETE", "results": []})


def _object(number: str, row: Row) -> Row:
    now = datetime.now(UTC).isoformat()
    return {"id": number, "properties": dict(row), "createdAt": now, "updatedAt": now, "archived": False}


def _all(rows: Rows, model: str) -> list[Row]:
    return [_object(number, row) for number, row in rows.get(model, {}).items()]


def _batch(results: list[Row]) -> Row:
    now = datetime.now(UTC).isoformat()
    return {"status": "COMPLETE", "startedAt": now, "completedAt": now, "results": results}


def first_writes() -> Cuts:
    """A line that loses the first answer to each write of a record."""
    written: set[str] = set()

    def cuts(_: str, path: str, body: bytes) -> bool:
        refs = {one["id"] for one in json.loads(body)["inputs"]} - written if path.endswith("/upsert") else set()
        written.update(refs)
        return bool(refs)

    return cuts


@contextmanager
def answering() -> Iterator[Hubspot]:
    hubspot = Hubspot()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            told = problem(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
            if self.headers["Authorization"] == f"Bearer {KEY}":
                with hubspot.lock:
                    told = hubspot.answer(self.command, self.path, body)
            said = b"" if told.status == 204 else json.dumps(told.body).encode()
            self.send_response(told.status)
            for name, value in {**told.headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

    with serving(Handler) as port:
        hubspot.url = f"http://127.0.0.1:{port}"
        yield hubspot
