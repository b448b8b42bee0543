"""An endpoint: one question to an OpenAI-compatible model, asked once.

The client takes half a second to import, which commands that ask no model are spared.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

from opentelemetry.trace import SpanKind, get_tracer
from pydantic import BaseModel
from temporalio.exceptions import ApplicationError

from activities.endpoints.likelihood import likelihoods
from activities.endpoints.redaction import redacted
from activities.failures import UNUSABLE, translate, unusable

if TYPE_CHECKING:
    from openai import OpenAI

A = TypeVar("A", bound=BaseModel)
TRACER = get_tracer("casework")
LONGEST_TEXT = 60_000
NO_COMPLETION = (AttributeError, IndexError, TypeError, ValueError)
"""What the client raises for an answer with status 200 in another shape, besides errors of its own."""
PersonalData = Literal["send", "redact", "local"]
"""local: sent as it is, since the endpoint is on this machine or network, which the settings hold it to."""
MILLION = 1_000_000


class Usage(NamedTuple):
    """What a call took: tokens read and written, and money."""

    read: int = 0
    written: int = 0
    cost: Decimal = Decimal(0)


class Said(NamedTuple, Generic[A]):
    """An answer in the shape asked for."""

    answer: A
    usage: Usage = Usage()
    likelihoods: Mapping[str, float] = {}
    """How likely the model held the value of each field, where its endpoint tells."""


class Wasted(ApplicationError):
    """An answer that cannot be used, and what it took all the same."""

    def __init__(self, message: str, usage: Usage) -> None:
        super().__init__(message, type=UNUSABLE, non_retryable=True)
        self.usage = usage


@dataclass(frozen=True)
class Endpoint:
    """Its client must not retry: that is Temporal's work."""

    client: "OpenAI"
    model: str
    name: str = "default"
    input_price: Decimal = Decimal(0)
    """Of a million tokens, in the currency of the settings."""
    output_price: Decimal = Decimal(0)
    personal_data: PersonalData = "send"
    logprobs: bool = False
    """Whether it is asked for the probabilities of its tokens, which not every endpoint gives."""
    examples: bool = False
    """Whether it is shown the case most like the document, of those that people approved."""
    longest_answer: int = 4000
    """In tokens: a model that does not come to an end is cut off, and paid for no further."""

    def ask(self, instructions: str, shape: type[A], text: str) -> Said[A]:
        """Ask once, in a span that tells what the conventions for generative AI name, and nothing of what was said."""
        told = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": self.model}
        with TRACER.start_as_current_span(f"chat {self.model}", kind=SpanKind.CLIENT, attributes=told) as span:
            try:
                said = self._ask(instructions, shape, text)
            except ApplicationError as error:
                span.set_attribute("error.type", error.type or type(error).__name__)
                raise
            span.set_attribute("gen_ai.usage.input_tokens", said.usage.read)
            span.set_attribute("gen_ai.usage.output_tokens", said.usage.written)
            return said

    def _ask(self, instructions: str, shape: type[A], text: str) -> Said[A]:
        """Errors leave without their causes, whose words may quote the document or the key into history."""
        from openai import APIError, OpenAIError, omit

        if len(text) > LONGEST_TEXT:
            raise unusable(f"the text is longer than the {LONGEST_TEXT} characters an endpoint is sent")
        sent = redacted(text) if self.personal_data == "redact" else None
        question = re.sub(
            "</document", "< /document", sent.text if sent else text, flags=re.IGNORECASE
        )  # ours to close
        usage = Usage()
        try:
            raw = self.client.chat.completions.with_raw_response.parse(
                model=self.model,
                messages=[
                    {"role": "system", "content": instructions},
                    {"role": "user", "content": f"<document>\n{question}\n</document>"},
                ],
                response_format=shape,
                temperature=0,
                logprobs=self.logprobs or omit,
                max_completion_tokens=self.longest_answer,
            )
            body = raw.http_response.json()
            usage = self._usage(body)  # an answer that cannot be used has its price too
            parsed = raw.parse().choices[0].message.parsed
            if sent and parsed is not None:
                parsed = shape.model_validate_json(sent.restored(parsed.model_dump_json()))
        except APIError as error:
            raise translate(error) from None
        except (OpenAIError, *NO_COMPLETION) as error:
            raise Wasted(f"the model's answer cannot be used ({type(error).__name__})", usage) from None
        if parsed is None:
            raise Wasted("the model gave no answer in the shape asked for", usage)
        return Said(parsed, usage, likelihoods(body) if self.logprobs else {})

    def _usage(self, answer: object) -> Usage:
        told = answer.get("usage") if isinstance(answer, dict) else None
        if not isinstance(told, dict):
            return Usage()
        read, written = (max(int(told.get(name) or 0), 0) for name in ("prompt_tokens", "completion_tokens"))
        return Usage(read, written, (read * self.input_price + written * self.output_price) / MILLION)
