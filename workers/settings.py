"""The settings: the one place that reads the environment."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

REPOSITORY = Path(__file__).resolve().parents[1]


SECRET_IN_URL = re.compile(r"(?<=://).*(?=@)|(?<=\?).+")


class BadSettings(Exception):
    """What is wrong with the environment, in words for whoever set it."""


class Settings(BaseModel):
    """Everything an operator may set: field `port` is the variable CASEWORK_PORT, and so on.

    Where the Temporal server is, and how to prove oneself to it, comes from Temporal's own variables and profiles
    (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS_…), read in workers/temporal.py.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    home: Path = Path(".casework")
    port: int = Field(default=7233, ge=1, le=65535)
    """Where the embedded Temporal server listens, on 127.0.0.1."""
    ui_port: int = Field(default=8233, ge=1, le=65535)
    ui_url: str = ""
    """Where people find the Temporal UI, as notices and commands link to it; empty is the embedded server's."""
    task_queue: str = "casework"
    build: str = Field(default="", max_length=100)
    """What this build is called where a worker of another one runs beside it (deploy/runbooks/rolling-deploy.md): the
    server then says whose the cases are. Empty: every worker may take every case."""
    cached_cases: int = Field(default=1000, ge=10)
    """How many waiting cases a worker remembers; the others cost it nothing until somebody speaks to them."""
    database_url: str = Field(default="", repr=False)
    """postgresql+psycopg://user:password@host/name, or sqlite:///file; empty is a SQLite file in `home`."""
    blobs_url: str = ""
    """An fsspec address (file:///…, s3://…); empty is a folder in `home`."""
    charters: Path = REPOSITORY / "deploy" / "charters"
    person: str = ""
    """Who `casework approve` and the others speak for."""
    model_url: str = ""
    """An OpenAI-compatible endpoint; empty is OpenAI itself when a key is set."""
    model: str = ""
    """The model to ask; empty is no endpoint at all: the embedded reader reads."""
    ocr: bool = True
    """Read scans where the extra [ocr] is installed; their process is bound to 2 GB of memory."""
    model_key: SecretStr = SecretStr("")
    models: Path | None = None
    """A YAML file of any number of endpoints, with keys, rates and prices: see deploy/models.example.yaml."""
    embeddings: str = ""
    """The model whose vectors classifiers look at too; empty is none: words and letters alone."""
    embeddings_url: str = ""
    """An OpenAI-compatible endpoint; empty is OpenAI itself."""
    embeddings_key: SecretStr = SecretStr("")
    knowledge: Path = REPOSITORY / "deploy" / "knowledge"
    """The folder of the articles that replies are composed from; a charter names the one in it that it uses."""
    smtp: str = Field(default="", pattern=r"^$|^smtps?://([^@/]+:[^@/]+@)?[^@/:]+(:\d+)?$", repr=False)
    """The mail server that replies go out by: smtp://user:password@host:587 (STARTTLS) or smtps://…; the user and the
    password percent-encoded. Empty: none is sent."""
    smtp_from: str = Field(default="", pattern=r"^$|^[^@\s<>]+@[^@\s<>]+$")
    """The address that replies come from."""
    sources: Path | None = None
    """A YAML file of folders, mailboxes and HTTP doors that documents come from: see deploy/sources.example.yaml."""
    notices: Path | None = None
    """An apprise configuration file (YAML or text) whose tags are the ids of people; without it none is told."""
    keys: Path | None = None
    """The folder with your own private keys; by default in `home`."""
    code_key: SecretStr = SecretStr("")
    """What the codes of approvers are derived from, the same for all workers; empty is a key kept in `home`."""
    anchors: str = ""
    """An fsspec address where signed anchors of the audit are kept, best out of reach of who can write to the database;
    empty is a folder in `home`."""
    codec_keys: Path | None = None
    """A file of lines `id: key`, 32 bytes in base64; the last one seals what Temporal keeps. None: it is not sealed."""
    codec_port: int = Field(default=8081, ge=1, le=65535)
    """Where `casework codec-server` listens, on 127.0.0.1."""
    codec_token: SecretStr = SecretStr("")
    """What the users of the Temporal UI send to that server."""
    codec_endpoint: str = ""
    """Where the embedded Temporal UI finds it; empty: its users say so themselves, with the token."""

    metrics: str = Field(default="", pattern=r"^$|^[^:/]+:\d+$")
    """host:port on which a worker tells Prometheus its metrics, such as 127.0.0.1:9464; empty is nowhere."""
    otlp: str = Field(default="", pattern=r"^$|^https?://")
    """An OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318: traces and what workers
    log go there, and metrics where no Prometheus reads them."""
    log: Literal["text", "json"] = "text"
    """How workers log to standard error."""

    crm: Literal["embedded", "tryton", "hubspot"] = "embedded"
    crm_url: str = ""
    """Where the CRM is, of Tryton the address of the database: http://host:8000/name; of HubSpot https://api.hubapi.com."""
    crm_key: SecretStr = SecretStr("")
    crm_mapping: Path | None = None
    """Where each value goes there; empty is the file of that CRM in deploy/crm."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        named = {
            name: env[f"CASEWORK_{name.upper()}"] for name in cls.model_fields if f"CASEWORK_{name.upper()}" in env
        }
        try:
            return cls.model_validate(named)
        except ValidationError as error:
            problems = "; ".join(f"CASEWORK_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
            raise BadSettings(problems) from None

    def told(self, env: Mapping[str, str] = os.environ) -> list[tuple[str, str, bool]]:
        """Each variable, its value with no secret in it, and whether it was set; for eyes and bug reports."""
        return [
            (variable, _masked(getattr(self, name)), variable in env)
            for name in type(self).model_fields
            for variable in (f"CASEWORK_{name.upper()}",)
        ]

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.home.resolve() / 'casework.db'}"

    @property
    def crm_map(self) -> Path:
        return self.crm_mapping or REPOSITORY / "deploy" / "crm" / f"{self.crm}.yaml"

    @property
    def key_folder(self) -> Path:
        return self.keys or self.home / "keys"

    @property
    def model_folder(self) -> Path:
        """Where `casework calibrate` keeps what it has learned."""
        return self.home / "models"

    @property
    def blobs(self) -> str:
        return self.blobs_url or (self.home.resolve() / "blobs").as_uri()

    @property
    def anchor_folder(self) -> str:
        return self.anchors or (self.home.resolve() / "anchors").as_uri()

    def ui_link(self, case: str, namespace: str = "default") -> str:
        """Where the Temporal UI shows a case."""
        base = self.ui_url.rstrip("/") or f"http://127.0.0.1:{self.ui_port}"
        return f"{base}/namespaces/{namespace}/workflows/{quote(case, safe='')}"


def _masked(value: object) -> str:
    if isinstance(value, SecretStr):
        return "(secret)" if value.get_secret_value() else ""
    return "" if value is None else SECRET_IN_URL.sub("(secret)", str(value))
