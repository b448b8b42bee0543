"""The codec server as the Temporal UI asks it: payloads for whoever has the token, nothing for other pages."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict
from pydantic import SecretStr
from temporalio.api.common.v1 import Payloads

from tests.activities.test_codec import PLAIN, key_file
from workers.codec import codec_of
from workers.codec_server import codec_server
from workers.settings import BadSettings, Settings

TOKEN = "t" * 32
UI, OTHER = "http://127.0.0.1:8233", "http://evil.example"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BODY = json.dumps(MessageToDict(Payloads(payloads=[PLAIN])))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        codec_keys=key_file(tmp_path, k1=os.urandom(32)),
        codec_token=SecretStr(TOKEN),
    )


@pytest.fixture
def http(settings: Settings) -> Iterator[httpx2.Client]:
    with codec_server(settings, codec_of(settings), port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with httpx2.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            yield client
        server.shutdown()


@pytest.mark.parametrize(("way", "headers"), [("", BEARER), (f"/{TOKEN}", {})])
def test_what_it_seals_it_opens(http: httpx2.Client, way: str, headers: dict[str, str]) -> None:
    sealed = http.post(f"{way}/encode", content=BODY, headers={"Origin": UI, **headers})
    opened = http.post(f"{way}/decode", content=sealed.text, headers={"Origin": UI, **headers})

    assert "Brandt" not in sealed.text
    assert opened.json() == json.loads(BODY)
    assert opened.headers["Access-Control-Allow-Origin"] == UI


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/decode", {}, 401),
        ("/decode", {"Authorization": "Bearer no"}, 401),
        ("/no/decode", {}, 401),
        ("/decode", {**BEARER, "Origin": OTHER}, 403),
        ("/else", BEARER, 404),
    ],
)
def test_others_are_told_nothing(http: httpx2.Client, path: str, headers: dict[str, str], status: int) -> None:
    assert http.post(path, content=BODY, headers=headers).status_code == status


@pytest.mark.parametrize("body", [b"", b"\xff", b"7", b'{"payloads": 7}'])
def test_what_is_no_payload_is_refused(http: httpx2.Client, body: bytes) -> None:
    assert http.post("/decode", content=body, headers=BEARER).status_code == 400


@pytest.mark.parametrize(("origin", "status"), [(UI, 204), (OTHER, 403)])
def test_browser_is_let_through_from_the_ui_alone(http: httpx2.Client, origin: str, status: int) -> None:
    answer = http.options("/decode", headers={"Origin": origin})

    assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (
        status,
        UI if status == 204 else None,
    )


def test_token_that_can_be_guessed_is_refused(settings: Settings) -> None:
    weak = settings.model_copy(update={"codec_token": SecretStr("short")})

    with pytest.raises(BadSettings, match="CASEWORK_CODEC_TOKEN"):
        codec_server(weak, codec_of(weak))
