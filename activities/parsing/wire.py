"""How a worker and its parser processes talk: frames of a length and that many bytes."""

from typing import IO

# JSON and raw bytes, never pickle: whatever a hostile document makes of a child, what it sends back is only ever data.
MAX_ANSWER = 64_000_000
OUT_OF_MEMORY = 77
"""The exit code of a child that met its memory bound."""

_LENGTH = 4


class BrokenFrame(Exception):
    """The other side ended in mid-frame, or announced more than is accepted."""


def send(pipe: IO[bytes], *frames: bytes) -> None:
    for frame in frames:
        pipe.write(len(frame).to_bytes(_LENGTH, "big"))
        pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes], limit: int = 2**32) -> bytes | None:
    """The next frame, or None when the other side has ended between two."""
    head = pipe.read(_LENGTH)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < _LENGTH or size > limit:
        raise BrokenFrame
    frame = pipe.read(size)
    if len(frame) < size:
        raise BrokenFrame
    return frame
