"""Documents as an enemy or a bad disk makes them: real ones with bytes cut, flipped, doubled and swapped."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

Mutation = Callable[[bytes, random.Random], bytes]
NASTY = (
    b"\0",
    b"\xff" * 8,
    b"9" * 400,
    b"<" * 64,
    b"%" * 9,
    b"\r\n\r\n",
    "\u202e\ud7ff".encode(),
    b"-1",
    b"1e999",
    b"=?x?B?=",
)


def _place(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 2, 8, 64, 1024)))


def cut(data: bytes, chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:start] + data[end:]


def end_early(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def flip(data: bytes, chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:start] + bytes(byte ^ (1 << chance.randrange(8)) for byte in data[start:end]) + data[end:]


def double(data: bytes, chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 50)) + data[end:]


def insert(data: bytes, chance: random.Random) -> bytes:
    start, _ = _place(data, chance)
    return data[:start] + chance.choice(NASTY) + data[start:]


MUTATIONS: Sequence[Mutation] = (cut, end_early, flip, double, insert)


def mutated(data: bytes, seed: int) -> bytes:
    """The same for the same seed."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 6)):
        data = chance.choice(MUTATIONS)(data, chance)
    return data


def documents(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
