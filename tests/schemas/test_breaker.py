"""The breaker: whatever calls come to, in whatever order, it neither hammers an endpoint nor gives it up for good."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from schemas.breaker import ENOUGH, LONGEST, PROBE, Answered, Breaker

BEGAN = datetime(2026, 11, 2, 9, tzinfo=UTC)
ANSWERS = st.sampled_from(["yes", "no", "refused", "busy"])
CALLS = st.lists(st.tuples(ANSWERS, st.integers(0, 400), st.booleans()), max_size=60)


@given(CALLS)
def test_endpoint_is_always_asked_again_in_the_end(calls: list[tuple[Answered, int, bool]]) -> None:
    """However calls overlap: an answer may come in without a call of this breaker's."""
    breaker, now = Breaker(), BEGAN
    for answered, seconds, late in calls:
        now += timedelta(seconds=seconds)
        breaker = (None if late else breaker.asked(now)) or breaker
        breaker = breaker.told(answered, now)

    assert breaker.asked(now + LONGEST + PROBE) is not None


@given(st.lists(st.integers(0, 30), min_size=30, max_size=60))
def test_endpoint_that_never_answers_is_asked_a_few_times_in_ten_minutes(pauses: list[int]) -> None:
    breaker, asked = Breaker(), 0
    for now in accumulate((timedelta(seconds=pause) for pause in pauses), initial=timedelta(0)):
        if now < timedelta(minutes=10) and (under_way := breaker.asked(BEGAN + now)):
            breaker, asked = under_way.told("no", BEGAN + now), asked + 1

    assert asked <= ENOUGH + 5  # then after half a minute, one, two, four


def test_while_one_probes_nobody_else_asks() -> None:
    now = BEGAN + LONGEST
    probing = Breaker(until=BEGAN).asked(now)

    assert probing is not None
    assert probing.asked(now) is None
    assert probing.asked(now + PROBE) is not None  # its worker was lost
