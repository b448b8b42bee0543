"""Sequences of what people and the clock may do to an approval, and the plans they do it under."""

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from schemas.approval import Channel, Verb
from schemas.policy import ApprovalPolicy, Proof
from schemas.steps import Escalation, Step
from tests.schemas.chains import ANN, BEN, CEM, DRAFT, LAWYERS, MAKER, OTHER, OWNER, STRANGER

HOLDERS = (ANN, BEN, CEM, "lea", "lou")
EVERYBODY = (*HOLDERS, *HOLDERS, OWNER, OWNER, MAKER, "dora", "eve", STRANGER)
TAKERS = ("eve", "eve", BEN, "lea", MAKER, STRANGER, "")
VERBS: tuple[Verb, ...] = ("approve", "reject", "correct", "comment", "ask", "answer", "delegate", "claim", "release")
SAID: list[Verb] = [*VERBS, *VERBS, "approve", "approve", "approve", "approve", "approve", "reject", "delegate"]
CORRECTED: tuple[dict[str, str], ...] = ({"total": "9"}, {"total": "9"}, {}, {"iban": "9"})
WORD: tuple[Proof, ...] = ("asserted",)
PROOFS: tuple[Proof | None, ...] = (*WORD * 5, "signature", "signature", "code", "code", None)
CHANNELS: tuple[Channel, ...] = ("update", "signal")
ACTS = (*["hear"] * 9, "tick", "tick", "settle", "ask", "ask", "repeat", "withdraw", "strike")


@dataclass(frozen=True)
class Act:
    """What happens next; `other` is which of the messages before it is repeated or withdrawn."""

    kind: str
    hours: int
    by: str
    verb: Verb
    to: str
    seat: str
    draft: str
    step: str
    odd: int
    other: int
    proof: Proof | None
    channel: Channel


def act_of(seed: int) -> Act:
    """One number for each act: drawing every part of it apart takes most of the time."""
    pick = Random(seed).choice
    return Act(
        kind=pick(ACTS),
        hours=pick([0, 0, 0, 0, 0, 6, 12, 24, 60]),
        by=pick(EVERYBODY),
        verb=pick(SAID),
        to=pick(TAKERS),
        seat=pick(["", "", ANN, BEN, "lea"]),
        draft=pick([*[DRAFT] * 9, OTHER]),
        step=pick([*[""] * 6, "one", "one", "two"]),
        odd=pick(range(12)),
        other=pick(range(6)),
        proof=pick(PROOFS),
        channel=pick(CHANNELS),
    )


acts = st.integers(0, 2**32 - 1).map(act_of)


@st.composite
def steps(draw: st.DrawFn, name: str) -> Step:
    voters = draw(st.lists(st.sampled_from([ANN, BEN, CEM, LAWYERS, LAWYERS]), min_size=1, max_size=4))
    voters = [voter for place, voter in enumerate(voters) if voter == LAWYERS or voter not in voters[:place]]
    some = st.lists(st.sampled_from(voters), max_size=1)
    most = len(set(voters)) + 2 * (LAWYERS in voters)
    rule = draw(st.sampled_from(["any", "all", "all", *range(1, 1 + min(most, 3))]))
    levels = draw(st.sampled_from([(), (Escalation(to=("dora", LAWYERS)),), (Escalation(to=("dora",)),) * 2]))
    content = {"name": name, "voters": voters, "rule": rule, "mandatory": draw(some), "veto": draw(some)}
    return Step.model_validate({**content, "escalate": levels})


@dataclass(frozen=True)
class Plan:
    chain: tuple[Step, ...]
    on_deadline: str
    accepts: tuple[Proof, ...]
    keys: dict[str, str]
    excluded: dict[str, str]
    blocked: bool

    @property
    def policy(self) -> ApprovalPolicy:
        content = {"steps": self.chain, "owner": OWNER, "on_deadline": self.on_deadline}
        return ApprovalPolicy.model_validate(content)


plans = st.builds(
    Plan,
    chain=st.tuples(steps("one")) | st.tuples(steps("one"), steps("two")),
    on_deadline=st.sampled_from(["owner", "owner", "reject"]),
    accepts=st.sampled_from([("asserted",), ("asserted",), ("signature", "code", "asserted"), ("code",)]),
    keys=st.sampled_from([{}, {}, {ANN: "key", OWNER: "key"}]),
    excluded=st.sampled_from([{}, {}, {MAKER: "they submitted it", BEN: "they corrected it"}]),
    blocked=st.sampled_from([False, False, False, True]),
)


opening = st.just(Act("ask", 0, ANN, "approve", "", "", DRAFT, "", 1, 1, "asserted", "signal"))
many = st.lists(acts, min_size=8, max_size=20)
sequences = st.builds(lambda early, first, rest: [*early, first, *rest], st.lists(acts, max_size=3), opening, many)
"""Something said too early, the first question, and whatever comes after it."""
