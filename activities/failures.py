"""What deserves another attempt: the outside world's errors, said in Temporal's terms."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from temporalio.exceptions import ApplicationError

from activities.crms.port import CrmError, RateLimited, Refused, Unauthorised
from activities.store import Altered, Blobs
from schemas.breaker import Answered
from schemas.case import Refusal
from schemas.message import Digest
from schemas.proposal import Rung

if TYPE_CHECKING:
    from openai import APIError

TRANSIENT = {408, 409, 429}
UNUSABLE = "model.unusable"
LONGEST_ADVICE = timedelta(hours=1)


def translate(error: "APIError") -> ApplicationError:
    """Keep the provider's advice on when to come back; leave out its words, which may quote the document."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    if isinstance(error, APITimeoutError):
        return ApplicationError("the model endpoint did not answer in time", type="provider.timeout")
    if isinstance(error, APIConnectionError):
        return ApplicationError("the model endpoint cannot be reached", type="provider.unreachable")
    if not isinstance(error, APIStatusError):
        return unusable("the model endpoint broke off its answer")
    status = error.status_code
    return ApplicationError(
        f"the model endpoint answered {status}",
        type=f"provider.{status}",
        non_retryable=status < 500 and status not in TRANSIENT,  # noqa: PLR2004
        next_retry_delay=advice(error.response.headers),
    )


def unusable(message: str) -> ApplicationError:
    """An answer that asking again in the same words will not mend."""
    return ApplicationError(message, type=UNUSABLE, non_retryable=True)


def answered(failed: Exception | None) -> Answered:
    """What a call says of its endpoint. What is wrong with a question or an answer is not the endpoint's silence."""
    kind = failed.type if isinstance(failed, ApplicationError) else None
    if kind in ("provider.401", "provider.403"):
        return "refused"
    if kind == "provider.429":
        return "busy"
    return "no" if kind in ("provider.timeout", "provider.unreachable", "provider.408") or _is_fault(kind) else "yes"


def _is_fault(kind: str | None) -> bool:
    return kind is not None and kind.startswith("provider.5")


def lasting(error: ApplicationError) -> ApplicationError:
    """The same failure, which trying again will not mend."""
    return ApplicationError(error.message, *error.details, type=error.type, non_retryable=True)


def at(rung: Rung, error: Exception) -> ApplicationError:
    """The failure of one rung, which it names: a case goes on without that one alone."""
    if not isinstance(error, ApplicationError):
        name = type(error).__name__
        return ApplicationError(f"{rung} broke ({name})", rung, type=name)  # its own words may quote the document
    return ApplicationError(
        error.message,
        rung,
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=error.next_retry_delay,
    )


CRM_REFUSED = "crm.refused"
"""The type of a failure that returns a case to a person; its detail is a Refusal."""


def at_crm(error: CrmError, refusal: Refusal | None = None) -> ApplicationError:
    """Only what a person has to decide is not tried again: outages end, and credentials are mended."""
    if isinstance(error, Refused):
        # What the CRM says may quote the document: details are neither logged nor shown but to who decides the case.
        return ApplicationError(str(error), refusal, type=CRM_REFUSED, non_retryable=True)
    kind = "unauthorised" if isinstance(error, Unauthorised) else "unavailable"
    if isinstance(error, RateLimited):
        after = min(error.after, LONGEST_ADVICE) if error.after else None
        return ApplicationError(str(error), type="crm.rate_limited", next_retry_delay=after)
    return ApplicationError(str(error), type=f"crm.{kind}")


@contextmanager
def asking_crm() -> Iterator[None]:
    """Say what goes wrong at the CRM in Temporal's terms, where it is only asked."""
    try:
        yield
    except CrmError as error:
        raise at_crm(error) from None


def lost(what: str) -> ApplicationError:
    """Bytes that are gone or altered: waiting does not bring them back, an operator has to."""
    return ApplicationError(f"{what} is gone from the blob store, or altered", type="blob.lost", non_retryable=True)


def kept(blobs: Blobs, digest: Digest, what: str) -> bytes:
    """A blob that an activity cannot do without."""
    try:
        return blobs.get(digest)
    except (FileNotFoundError, Altered) as error:
        raise lost(what) from error


def advice(headers: Mapping[str, str]) -> timedelta | None:
    """Read Retry-After in its three forms: seconds, an HTTP date, and milliseconds in retry-after-ms."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            delay = timedelta(milliseconds=float(milliseconds))
        elif (after := headers.get("retry-after", "")).replace(".", "", 1).isdigit():
            delay = timedelta(seconds=float(after))
        elif after:
            delay = parsedate_to_datetime(after) - datetime.now(UTC)
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(delay, timedelta(0)), LONGEST_ADVICE)


MAIL_UNKNOWN = "mail.unknown"


def mail_unsent(message: str) -> ApplicationError:
    """The mail server has not taken it: another attempt is harmless."""
    return ApplicationError(message, type="mail.unsent")


def mail_refused(code: int) -> ApplicationError:
    return ApplicationError(f"the mail server refused it for good ({code})", type="mail.refused", non_retryable=True)


def mail_unknown() -> ApplicationError:
    """Its answer is lost: the mail may or may not be on its way, and a second one would be worse than none."""
    words = "whether the mail server took it is not known: look for it there before you write again"
    return ApplicationError(words, type=MAIL_UNKNOWN, non_retryable=True)


def mail_unset() -> ApplicationError:
    words = "no mail server is set: CASEWORK_SMTP and CASEWORK_SMTP_FROM name it"
    return ApplicationError(words, type="mail.unset", non_retryable=True)
