"""Embeddings: vectors of texts from an OpenAI-compatible endpoint, asked once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from activities.failures import translate, unusable
from activities.learning.terms import LONGEST

if TYPE_CHECKING:
    from openai import OpenAI

TOGETHER = 128
"""Texts in one call: endpoints take some thousand, and answer late when they are given so many."""


@dataclass(frozen=True)
class Embeddings:
    """Its client must not retry: that is Temporal's work."""

    client: "OpenAI"
    model: str

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """In the order of the texts. Errors leave without their causes, whose words may quote a text or the key."""
        from openai import APIError

        found: list[list[float]] = []
        for start in range(0, len(texts), TOGETHER):
            # An empty text is no input to most endpoints.
            asked = [text[:LONGEST].strip() or "-" for text in texts[start : start + TOGETHER]]
            try:
                reply = self.client.embeddings.create(model=self.model, input=asked, encoding_format="float")
                got = [one.embedding for one in sorted(reply.data, key=lambda one: one.index)]
            except APIError as error:
                raise translate(error) from None
            except (AttributeError, TypeError, ValueError) as error:
                raise unusable(f"the embeddings cannot be used ({type(error).__name__})") from None
            if len(got) != len(asked) or len({len(vector) for vector in (*found[:1], *got)}) != 1:
                raise unusable("the endpoint gave another number of embeddings, or of another length, than asked for")
            found += got
        return found
