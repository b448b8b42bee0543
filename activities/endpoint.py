"""An endpoint: one question to an OpenAI-compatible model, asked once."""

from dataclasses import dataclass
from typing import TypeVar

from openai import APIError, ContentFilterFinishReasonError, LengthFinishReasonError, OpenAI
from pydantic import BaseModel

from activities.failures import translate, unusable

A = TypeVar("A", bound=BaseModel)
LONGEST_TEXT = 60_000
# What the client raises for an answer with status 200 that is no completion, or not in the shape asked for.
UNUSABLE = (
    LengthFinishReasonError,
    ContentFilterFinishReasonError,
    AttributeError,
    IndexError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Endpoint:
    """Its client must not retry: that is Temporal's work."""

    client: OpenAI
    model: str

    def ask(self, instructions: str, shape: type[A], text: str) -> tuple[A, int]:
        """Ask once. Errors leave without their causes, whose words may quote the document or the key into history."""
        if len(text) > LONGEST_TEXT:
            raise unusable(f"the text is longer than the {LONGEST_TEXT} characters an endpoint is sent")
        question = text.replace("</document", "< /document")  # the tag is ours to close
        try:
            reply = self.client.chat.completions.parse(
                model=self.model,
                messages=[
                    {"role": "system", "content": instructions},
                    {"role": "user", "content": f"<document>\n{question}\n</document>"},
                ],
                response_format=shape,
                temperature=0,
            )
            parsed = reply.choices[0].message.parsed
            tokens = reply.usage.total_tokens if reply.usage else 0
        except APIError as error:
            raise translate(error) from None
        except UNUSABLE as error:
            raise unusable(f"the model's answer cannot be used ({type(error).__name__})") from None
        if parsed is None:
            raise unusable("the model gave no answer in the shape asked for")
        return parsed, tokens
