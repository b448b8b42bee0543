"""What every message is: a frozen value that stands in Temporal history and outlives the code that wrote it."""

from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The sha256 of some bytes, in lower-case hexadecimal: a name in the blob store."""

PersonId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""Who somebody is to a policy. Opaque: the charter alone says which name and address belong to it."""


class Message(BaseModel):
    """Never mutated, readable by older code: new fields always get defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


def digest_of(data: bytes) -> Digest:
    return sha256(data).hexdigest()
