"""What a case is started with, as bytes: a start that no starter entered is refused by its digest."""

from typing import NamedTuple

from temporalio.client import Client
from temporalio.common import RawValue

from schemas.message import Digest, Message, digest_of


class StartInput(NamedTuple):
    """The very bytes that a case is started with, and their sha256: entered before, asked for before it reads."""

    raw: RawValue
    digest: Digest


def start_of(client: Client, intake: Message) -> StartInput:
    raw = RawValue(client.data_converter.payload_converter.to_payload(intake))
    return StartInput(raw, digest_of(raw.payload.data))
