"""Which model endpoints there are: one by variables of the environment, or any number by a dated file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Self
from urllib.parse import urlsplit

import httpx2
import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError, model_validator

from activities.endpoints.endpoint import Endpoint, PersonalData
from activities.endpoints.patience import Patience
from workers.settings import BadSettings, Settings

if TYPE_CHECKING:
    from openai import OpenAI

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]


class ModelSettings(BaseModel):
    """One endpoint. Prices are those of a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name
    model: str
    url: str = ""
    key: SecretStr = SecretStr("")
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Kept by the server for all workers together."""
    at_once: int = Field(default=8, ge=1)
    """Calls that one worker has under way."""
    seconds: float = Field(default=60, gt=0, le=150)
    """For an answer, until it is asked again or something else is."""
    input_price: Decimal = Field(default=Decimal(0), ge=0)
    output_price: Decimal = Field(default=Decimal(0), ge=0)
    personal_data: PersonalData = "send"
    logprobs: bool = False
    """Whether it gives the probabilities of its tokens; a calibration weighs them."""
    examples: bool = False
    """Whether it is shown the approved case most like the document, as it stands."""

    @model_validator(mode="after")
    def examples_are_sent_as_they_stand(self) -> Self:
        if self.examples and self.personal_data == "redact":
            raise ValueError(
                f"{self.name} is sent examples as they stand: personal_data: redact would not hold for them"
            )
        return self

    @model_validator(mode="after")
    def local_is_local(self) -> Self:
        host = urlsplit(self.url).hostname or "api.openai.com"
        if self.personal_data == "local" and not _is_near(host):
            raise ValueError(
                f"{self.name} is to be local, and {host} is no address of this machine or a private network"
            )
        return self


class ModelsFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    as_of: date
    """When the prices were looked up."""
    currency: str = ""
    endpoints: tuple[ModelSettings, ...]


def _is_near(host: str) -> bool:
    """By its address alone: what a name leads to may change."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return host == "localhost"


def models(settings: Settings) -> tuple[ModelSettings, ...]:
    """All endpoints; the one of the variables is called default."""
    found = _filed(settings)
    if settings.model:
        one = ModelSettings(name="default", model=settings.model, url=settings.model_url, key=settings.model_key)
        found = (one, *found)
    names = [each.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadSettings(f"CASEWORK_MODELS: more than one endpoint is called {', '.join(twice)}")
    return found


def _filed(settings: Settings) -> tuple[ModelSettings, ...]:
    if settings.models is None:
        return ()
    try:
        return ModelsFile.model_validate(yaml.safe_load(settings.models.read_text())).endpoints
    except OSError as error:
        raise BadSettings(f"CASEWORK_MODELS: {settings.models} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:  # their words quote the file, which holds keys
        raise BadSettings(f"CASEWORK_MODELS: {settings.models} is no YAML ({type(error).__name__})") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadSettings(f"CASEWORK_MODELS: {settings.models}: {problems}") from None


@contextmanager
def endpoints(known: Sequence[ModelSettings]) -> Iterator[dict[str, Endpoint]]:
    """The endpoints by name, each with a connection of its own."""
    clients = {each.name: _client(each) for each in known}
    try:
        yield {
            each.name: Endpoint(
                client=clients[each.name],
                model=each.model,
                name=each.name,
                input_price=each.input_price,
                output_price=each.output_price,
                personal_data=each.personal_data,
                logprobs=each.logprobs,
                examples=each.examples,
            )
            for each in known
        }
    finally:
        for client in clients.values():
            client.close()


def _client(one: ModelSettings) -> "OpenAI":
    from openai import OpenAI

    return OpenAI(
        api_key=one.key.get_secret_value() or "none",
        base_url=one.url or None,
        max_retries=0,
        timeout=one.seconds,
        http_client=httpx2.Client(transport=Patience(httpx2.HTTPTransport(), one.seconds)),
    )
