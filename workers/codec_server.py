"""The codec server: opens sealed payloads for the Temporal UI, to whoever has its token."""

import asyncio
import hmac
import json
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from google.protobuf.json_format import MessageToJson, ParseDict, ParseError
from temporalio.api.common.v1 import Payloads

from workers.codec import Codec
from workers.settings import BadSettings, Settings

MOST = 32_000_000
"""Bytes of a request; a whole page of a history is less."""
TOKEN_LENGTH = 32


class CodecServer(ThreadingHTTPServer):
    """Listens on 127.0.0.1. `origins` are the pages whose scripts may ask: the Temporal UI alone."""

    daemon_threads = True

    def __init__(self, port: int, codec: Codec, token: str, origins: Iterable[str]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.codec, self.token, self.origins = codec, token, frozenset(origins)


def codec_server(settings: Settings, codec: Codec | None, port: int | None = None) -> CodecServer:
    """On the port of the settings, unless another is given; 0 is any that is free."""
    token = settings.codec_token.get_secret_value()
    if codec is None:
        raise BadSettings("CASEWORK_CODEC_KEYS: not set, so nothing is sealed and there is nothing to open")
    if len(token) < TOKEN_LENGTH:
        raise BadSettings(f"CASEWORK_CODEC_TOKEN: at least {TOKEN_LENGTH} characters, which the UI's users send")
    local = [f"http://{host}:{settings.ui_port}" for host in ("127.0.0.1", "localhost")]
    origins = [settings.ui_url.rstrip("/")] if settings.ui_url else local
    return CodecServer(settings.codec_port if port is None else port, codec, token, origins)


class Handler(BaseHTTPRequestHandler):
    def do_OPTIONS(self) -> None:
        self._answer(204 if self._from_ui() else 403)

    def do_POST(self) -> None:
        codec = self._server.codec
        works = {"decode": codec.decode, "encode": codec.encode}
        in_path, _, work = self.path.partition("?")[0].strip("/").rpartition("/")
        length = self.headers.get("Content-Length", "")
        if not self._from_ui():
            self._answer(403)
        elif not self._proven(in_path):
            self._answer(401)
        elif work not in works:
            self._answer(404)
        elif not length.isdecimal() or int(length) > MOST:
            self._answer(413)
        else:
            try:
                asked = ParseDict(json.loads(self.rfile.read(int(length))), Payloads())
            except (ParseError, ValueError, AttributeError, TypeError):
                self._answer(400)
                return
            done = asyncio.run(works[work](asked.payloads))
            self._answer(200, MessageToJson(Payloads(payloads=done)).encode())

    @property
    def _server(self) -> CodecServer:
        return cast("CodecServer", self.server)

    def _from_ui(self) -> bool:
        """Programs say no origin; browsers say the page's."""
        origin = self.headers.get("Origin")
        return origin is None or origin in self._server.origins

    def _proven(self, in_path: str) -> bool:
        """The token as a bearer's; or in the address, since a UI without a login of its own sends nobody's token."""
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        given = token if kind == "Bearer" else in_path
        return hmac.compare_digest(given.encode(), self._server.token.encode())

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        if (origin := self.headers.get("Origin")) in self._server.origins and origin:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Headers", "authorization,content-type,x-namespace")
            self.send_header("Access-Control-Allow-Methods", "POST,OPTIONS")
            self.send_header("Vary", "Origin")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged: a path or a header may hold what only its sender should know."""
