"""Where documents come from: a file of any number of sources, each a folder, a mailbox or a door for HTTP."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from workers.models import Name
from workers.settings import BadSettings, Settings


class AnySource(BaseModel):
    """What all have in common."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name
    process: str
    max_open: int = Field(default=200, ge=1)
    """While so many cases of the process are open, nothing more is taken."""
    every: float = Field(default=10, gt=0)
    """Seconds between two looks."""


class FolderSettings(AnySource):
    kind: Literal["folder"]
    folder: Path
    still_for: float = Field(default=5, ge=0)
    """Seconds for which a file must not have changed: it may still be being written."""


class MailboxSettings(AnySource):
    kind: Literal["mailbox"]
    host: str
    port: int = 993
    encrypted: bool = True
    user: str
    password: SecretStr
    mailbox: str = "INBOX"
    done: str = "casework done"
    refused: str = "casework refused"


class HttpSettings(AnySource):
    kind: Literal["http"]
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    token: SecretStr = Field(min_length=16)


SourceSettings = Annotated[FolderSettings | MailboxSettings | HttpSettings, Field(discriminator="kind")]


class SourcesFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sources: tuple[SourceSettings, ...] = Field(min_length=1)


def sources(settings: Settings) -> tuple[FolderSettings | MailboxSettings | HttpSettings, ...]:
    if settings.sources is None:
        raise BadSettings("CASEWORK_SOURCES: names no file; deploy/sources.example.yaml shows what one looks like")
    try:
        found = SourcesFile.model_validate(yaml.safe_load(settings.sources.read_text())).sources
    except OSError as error:
        raise BadSettings(f"CASEWORK_SOURCES: {settings.sources} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:  # their words quote the file, which holds passwords
        raise BadSettings(f"CASEWORK_SOURCES: {settings.sources} is no YAML ({type(error).__name__})") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadSettings(f"CASEWORK_SOURCES: {settings.sources}: {problems}") from None
    names = [each.name for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadSettings(f"CASEWORK_SOURCES: more than one source is called {', '.join(twice)}")
    return found
