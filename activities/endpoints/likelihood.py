"""How likely a model held each value that it gave, by the tokens it wrote them with."""

import re
from collections.abc import Mapping, Sequence
from math import exp, fsum
from typing import Any

VALUE = re.compile(rb'"(\w+)"\s*:\s*\{\s*"value"\s*:\s*"((?:[^"\\]|\\.)*)"')
"""A field of an answer, whose value comes before anything else that is said of it."""


def likelihoods(answer: Any) -> Mapping[str, float]:
    """By field, the product of the probabilities of the tokens that its value touches.

    `answer` is the body of a chat completion, as untrusted as any. Without log-probabilities, or where they are not
    those of the text that was answered, nothing is known.
    """
    try:
        choice = answer["choices"][0]
        content: bytes = choice["message"]["content"].encode()
        tokens = [(_bytes(token), min(float(token["logprob"]), 0.0)) for token in choice["logprobs"]["content"]]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return {}
    # Some servers leave out what the model wrote around its answer, a fence say, and tell of those tokens too.
    before = b"".join(written for written, _ in tokens).find(content)
    if before < 0:
        return {}
    spans = {found[1].decode(): found.span(2) for found in VALUE.finditer(content)}
    return {name: _likelihood(tokens, before + start, before + end) for name, (start, end) in spans.items()}


def _bytes(token: Mapping[str, Any]) -> bytes:
    """A token may end within a character, which its text cannot show."""
    written = token.get("bytes")
    return bytes(written) if written is not None else str(token["token"]).encode()


def _likelihood(tokens: Sequence[tuple[bytes, float]], start: int, end: int) -> float:
    touched, at = [], 0
    for written, logprob in tokens:
        if at < end and at + len(written) > start:
            touched.append(logprob)
        at += len(written)
    return round(exp(fsum(touched)), 6)
