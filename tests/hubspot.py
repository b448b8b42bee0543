"""HubSpot as far as we use it, by hand: a server of its own that keeps records, and answers as HubSpot documents."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import httpx2
import yaml

from activities.crms.hubspot import TYPES, HubspotCrm
from schemas.crm_mapping import CrmMapping
from workers.settings import REPOSITORY

KEY = "pat-test"
Answer = tuple[int, Mapping[str, Any]]


def mapping() -> CrmMapping:
    return CrmMapping.model_validate(yaml.safe_load((REPOSITORY / "deploy" / "crm" / "hubspot.yaml").read_text()))


def properties() -> dict[str, dict[str, str]]:
    """The properties of each object, with their types, as an operator made them by the mapping."""
    made: dict[str, dict[str, str]] = {}
    for kind in mapping().kinds.values():
        typed = {place.field: TYPES[place.form][0] for place in kind.values.values()}
        made.setdefault(kind.model, {}).update({**typed, **dict.fromkeys(kind.fixed, "string"), kind.ref: "unique"})
    return made


@dataclass
class Hubspot:
    url: str = ""
    types: dict[str, dict[str, str]] = field(default_factory=properties)
    rows: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)

    def count(self, kind: str) -> int:
        of = mapping().kinds[kind]
        return sum(bool(row.get(of.ref)) for row in self.rows.get(of.model, {}).values())

    @contextmanager
    def port(self) -> Iterator[HubspotCrm]:
        headers = {"Authorization": f"Bearer {KEY}"}
        with httpx2.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False) as client:
            yield HubspotCrm(client, mapping())

    def answer(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        match (method, *path.strip("/").split("/")):
            case "GET", "crm", "v3", "properties", model if model in self.types:
                told = self.types[model].items()
                unique = [{"name": n, "type": "string", "hasUniqueValue": True} for n, t in told if t == "unique"]
                return 200, {"results": unique + [{"name": n, "type": t} for n, t in told if t != "unique"]}
            case "POST", "crm", "v3", "objects", model, "batch", "upsert":
                return self._upsert(model, body["inputs"][0])
            case "POST", "crm", "v3", "objects", model, "batch", "read":
                by, wanted = body.get("idProperty"), body["inputs"][0]["id"]
                found = [it for it in self._all(model) if (it["properties"].get(by) if by else it["id"]) == wanted]
                return (200 if found else 207), {"results": found}
            case "POST", "crm", "v3", "objects", model, "search":
                terms = [term for group in body["filterGroups"] for term in group["filters"]]
                rows = [it for it in self._all(model) if all(self._fits(model, it["properties"], t) for t in terms)]
                return 200, {"results": rows}
            case "PUT", "crm", "v4", "objects", model, number, "associations", "default", to, other:
                self.pairs.add((f"{model}/{number}", f"{to}/{other}"))
                return 200, {}
            case "DELETE", "crm", "v4", "objects", model, number, "associations", to, other:
                self.pairs.discard((f"{model}/{number}", f"{to}/{other}"))
                return 204, {}
        return 404, {"message": "no such address"}

    def _all(self, model: str) -> list[dict[str, Any]]:
        return [{"id": number, "properties": row} for number, row in self.rows.get(model, {}).items()]

    def _upsert(self, model: str, one: Mapping[str, Any]) -> Answer:
        types, by, sent = self.types[model], one["idProperty"], one["properties"]
        if types.get(by) != "unique" or set(sent) - set(types):
            return 400, {"category": "VALIDATION_ERROR", "message": "Property values were not valid"}
        rows = self.rows.setdefault(model, {})
        known = [number for number, row in rows.items() if row.get(by) == one["id"]]
        number = known[0] if known else str(len(rows) + 1)
        rows.setdefault(number, {}).update(sent)
        return (200 if known else 201), {"results": [{"id": number, "new": not known, "properties": rows[number]}]}

    def _fits(self, model: str, row: Mapping[str, str], term: Mapping[str, str]) -> bool:
        held, wanted, kind = row.get(term["propertyName"]), term["value"], self.types[model][term["propertyName"]]
        if held and kind == "date":
            return int(datetime.fromisoformat(held).replace(tzinfo=UTC).timestamp()) * 1000 == int(wanted)
        return bool(held) and str(held).casefold() == wanted.casefold()


@contextmanager
def answering() -> Iterator[Hubspot]:
    hubspot = Hubspot()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            status: int = 401
            told: Mapping[str, Any] = {"message": "invalid token"}
            if self.headers["Authorization"] == f"Bearer {KEY}":
                with hubspot.lock:
                    status, told = hubspot.answer(self.command, self.path, body)
            said = b"" if status == 204 else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        hubspot.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield hubspot
        finally:
            server.shutdown()
            thread.join()
