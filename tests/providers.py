"""A model provider of our own: OpenAI's API over HTTP, with a limit on requests, and every way to misbehave."""

import json
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from random import Random
from threading import Event, Lock
from typing import Any

from tests.servers import serving

GOOD = json.dumps({"fields": {"gross_amount": {"value": "1.00", "evidence": "", "confidence": 0.2}}, "lines": []})
WRONG = json.dumps({"fields": {"colour": {"value": "red", "evidence": "", "confidence": 1}}, "lines": []})


def completion(content: str | None, **message: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None, "message": said}
    usage = {"prompt_tokens": 300, "completion_tokens": 21, "total_tokens": 321}
    about = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "small"}
    return {**about, "choices": [choice], "usage": usage}


ANSWERS: dict[str, tuple[int, dict[str, str], object]] = {
    "good": (200, {}, completion(GOOD)),
    "busy": (429, {}, {"error": {"message": "slow down"}}),
    "busy-for": (429, {"Retry-After": "0.5"}, {"error": {"message": "slow down"}}),
    "broken": (500, {}, {"error": {"message": "oh no"}}),
    "truncated": (200, {}, completion(GOOD[:40])),
    "wrong-schema": (200, {}, completion(WRONG)),
    "no-choices": (200, {}, {**completion(None), "choices": []}),
    "refusal": (200, {}, completion(None, refusal="I would rather not")),
    "no-json": (200, {}, "<html>a proxy says hello</html>"),
    "expired-key": (401, {}, {"error": {"message": "the key has expired"}}),
}
SILENT, DRIPPING, CUT = "silent", "dripping", "cut"
BUSY_FOR = 3
"""Calls that the busy one does not take; it says not how long."""
MISBEHAVIOURS = (*ANSWERS, SILENT, DRIPPING, CUT)
MOODY = "moody"
"""Behaves in any of these ways, well half of the time, by a chance that has a seed."""


@dataclass
class Provider:
    """Each first part of a path is an endpoint of its own, which behaves as its name says."""

    port: int
    per_minute: int | None = None
    """More in any minute are answered 429, as by a sliding window."""
    asked: Counter[str] = field(default_factory=Counter)
    answered: list[float] = field(default_factory=list)
    """When, by the monotonic clock."""
    refused: int = 0
    down: set[str] = field(default_factory=set)
    over: Event = field(default_factory=Event)
    chance: Random = field(default_factory=Random)
    _recent: deque[float] = field(default_factory=deque)
    _lock: Lock = field(default_factory=Lock)

    def url(self, endpoint: str) -> str:
        return f"http://127.0.0.1:{self.port}/{endpoint}/v1"

    def take(self, endpoint: str) -> str:
        """How to behave to this call."""
        with self._lock:
            self.asked[endpoint] += 1
            if endpoint in self.down:
                return "broken"
            if endpoint == MOODY:
                return self.chance.choice([*MISBEHAVIOURS, *["good"] * len(MISBEHAVIOURS)])
            if endpoint == "busy" and self.asked[endpoint] > BUSY_FOR:
                return "good"
            now = time.monotonic()
            while self._recent and self._recent[0] <= now - 60:
                self._recent.popleft()
            if self.per_minute is not None and len(self._recent) >= self.per_minute:
                self.refused += 1
                return "busy"
            self._recent.append(now)
            self.answered.append(now)
        return endpoint if endpoint in MISBEHAVIOURS else "good"


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        how = self.provider.take(self.path.split("/")[1])
        if how == SILENT:
            self.provider.over.wait(30)
            return
        status, headers, body = ANSWERS.get(how, ANSWERS["good"])
        said = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(said)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        with suppress(OSError):  # whoever asked may have gone
            if how == DRIPPING:
                self._drip(said)
            self.wfile.write(said[: len(said) // 2] if how == CUT else said)

    def _drip(self, said: bytes) -> None:
        for byte in said:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.provider.over.wait(0.1):
                return


@contextmanager
def providing(per_minute: int | None = None, seed: int | None = None) -> Iterator[Provider]:
    provider = Provider(0, per_minute, chance=Random(seed))
    with serving(type("Ours", (Handler,), {"provider": provider})) as provider.port:
        try:
            yield provider
        finally:
            provider.over.set()
