"""The approval rules once more, kept the slow way: every outcome is tried out, nothing is worked out."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, combinations, product

from schemas.approval import VOTES, Channel, Decision
from schemas.policy import Proof
from schemas.standing import Ask


@dataclass
class Hand:
    """Who holds a step, and until when."""

    seats: list[tuple[str, list[str]]]
    until: datetime
    rule: str | int
    mandatory: Collection[str]
    veto: Collection[str]
    reminded: bool

    @property
    def people(self) -> list[str]:
        return list(dict.fromkeys(chain.from_iterable(people for _, people in self.seats)))

    def speaks(self, voter: str, person: str) -> bool:
        return any(person in people for name, people in self.seats if name == voter)

    def approved_by(self, agreed: Collection[str]) -> bool:
        agreed = [person for person in self.people if person in agreed]
        if not all(any(self.speaks(voter, person) for person in agreed) for voter in self.mandatory):
            return False
        if self.rule == "all":
            ways = product(*([it for it in people if it in agreed] for _, people in self.seats))
            return any(len(set(way)) == len(way) for way in ways)
        return len(agreed) >= (self.rule if isinstance(self.rule, int) else 1)

    def swap(self, person: str, to: list[str]) -> "Hand":
        seats = [
            (name, [new for it in people for new in (to if it == person else [it])]) for name, people in self.seats
        ]
        return Hand(seats, self.until, self.rule, self.mandatory, self.veto, self.reminded)


@dataclass
class Minutes:
    ask: Ask | None = None
    hands: list[Hand] = field(default_factory=list)
    votes: list[Decision] = field(default_factory=list)
    early: list[Decision] = field(default_factory=list)
    delegates: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    claimed: str = ""
    questions: list[tuple[datetime, datetime, bool]] = field(default_factory=list)
    stopped: timedelta = timedelta(0)
    used: dict[str, Decision | None] = field(default_factory=dict)
    coded: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)
    past: set[str] = field(default_factory=set)
    """Those who held the step before: they may still comment."""

    def asks(self, ask: Ask, hands: list[Hand]) -> None:
        self.ask, self.hands, self.votes, self.claimed, self.questions = ask, hands, [], "", []
        self.stopped, self.coded, self.unsettled, self.past = timedelta(0), set(), set(), set()
        self.delegates, self.keys = set(ask.delegates), set(ask.keys)
        self.drops_empty_hands()

    def drops_empty_hands(self) -> None:
        while self.hands and not self.hands[0].approved_by(self.hands[0].people):
            self.past.update(self.hands.pop(0).people)

    @property
    def asking(self) -> bool:
        return bool(self.questions) and self.questions[-1][2]

    @property
    def closing(self) -> Decision | None:
        if not self.hands:
            return None
        hand, people = self.hands[0], self.hands[0].people
        votes = [vote for vote in self.votes if vote.by in people]
        noes = [vote for vote in votes if vote.verdict == "reject"]
        for vote in votes:
            vetoed = hand.rule == "any" or any(hand.speaks(voter, vote.by) for voter in hand.veto)
            if vote.verdict == "correct" or (vote in noes and vetoed):
                return vote
        others = [person for person in people if person not in [vote.by for vote in noes]]
        if noes and not any(hand.approved_by(some) for some in subsets(others)):
            return noes[-1]
        yeses = [vote for vote in votes if vote.verdict == "approve"]
        return yeses[-1] if yeses and hand.approved_by([vote.by for vote in yeses]) else None

    @property
    def holders(self) -> list[str]:
        return self.hands[0].people if self.hands and not self.closing else []

    def looks_at_the_clock(self, now: datetime) -> None:
        while self.hands and not self.closing:
            if self.asking:
                if now < self.questions[-1][1]:
                    return
                self.answered(now)
            elif now >= self.hands[0].until + self.stopped or not self.hands[0].approved_by(self.hands[0].people):
                self.past.update(self.hands.pop(0).people)
                self.claimed = ""
                if not (self.hands and self.hands[0].reminded):
                    self.votes, self.unsettled = [], set()
                    self.drops_empty_hands()
            else:
                return

    def answered(self, now: datetime) -> None:
        since, until, _ = self.questions.pop()
        self.questions.append((since, until, False))
        self.stopped += min(now, until) - since

    def late(self, now: datetime) -> bool:
        lost = self.hands[1] if len(self.hands) > 1 and self.hands[1].reminded else self.hands[0]
        return not self.asking and now >= lost.until + self.stopped

    def withdraws(self, name: str) -> bool:
        if name in self.used and name not in self.unsettled and name not in self.withdrawn:
            return False
        self.withdrawn.add(name)
        self.unsettled.discard(name)
        self.votes = [vote for vote in self.votes if vote.id != name]
        self.early = [vote for vote in self.early if vote.id != name]
        return True

    def strikes(self, person: str) -> None:
        self.hands = [hand.swap(person, []) for hand in self.hands]
        self.votes = [vote for vote in self.votes if vote.by != person]
        self.used = {name: None if said and said.by == person else said for name, said in self.used.items()}
        self.claimed = "" if self.claimed == person else self.claimed
        self.delegates.discard(person)
        self.past.discard(person)
        self.keys.discard(person)

    def lets(self, said: Decision, now: datetime, channel: Channel, proof: Proof | None) -> bool:
        """Whether it is accepted; what it does is done then."""
        if said.id and said.id in self.used:
            return said.id not in self.withdrawn and self.used[said.id] == said
        if said.id in self.withdrawn:
            return False
        if self.ask is None:
            self.early.append(said)
            return True
        if self.closing or not self.hands or (channel == "update" and self.late(now)):
            return False
        if not (
            self.proven(self.ask, said, now, proof) and self.entitled(self.ask, said) and self.fits(self.ask, said)
        ):
            return False
        self.does(self.ask, said, now)
        if proof == "code" and said.verdict in VOTES:
            self.coded.add(said.by)
        if said.id and said.verdict != "comment":
            self.used[said.id] = said
        return True

    def proven(self, ask: Ask, said: Decision, now: datetime, proof: Proof | None) -> bool:
        by_word = proof == "asserted" and "asserted" in ask.accepts and said.by not in self.keys
        by_code = proof == "code" and said.by not in self.coded and bool({"code", "asserted"} & set(ask.accepts))
        by_key = proof == "signature" and bool({"signature", "asserted"} & set(ask.accepts))
        complete = proof != "signature" or bool(said.id and said.expires)
        return (by_word or by_code or by_key) and complete and (said.expires is None or now < said.expires)

    def has_a_say(self, ask: Ask, said: Decision) -> bool:
        """Whether this is theirs to say, claims and exclusion apart."""
        if said.verdict == "answer":
            return self.asking and said.by in (ask.submitter, ask.owner)
        if said.verdict == "comment":
            later = chain.from_iterable(hand.people for hand in self.hands)
            return said.by in {ask.owner, ask.submitter, *self.delegates, *later, *self.past}
        owners = said.verdict == "release" or (said.verdict == "delegate" and bool(said.seat))
        return said.by in self.holders or (said.by == ask.owner and owners)

    def entitled(self, ask: Ask, said: Decision) -> bool:
        if not self.has_a_say(ask, said):
            return False
        owners = said.verdict == "release" or (said.verdict == "delegate" and bool(said.seat))
        if said.verdict in ("answer", "comment") or (said.by == ask.owner and owners):
            return True
        return said.by not in ask.excluded and self.claimed in ("", said.by)

    def fits(self, ask: Ask, said: Decision) -> bool:
        corrects = bool(said.corrections)
        form = {
            "approve": not corrects and not ask.blocked,
            "correct": corrects and set(said.corrections) <= set(ask.fields),
            "claim": not corrects and self.hands[0].rule == "any",
            "ask": not corrects and bool(said.note.strip()) and not self.asking and len(self.questions) < 3,
            "delegate": not corrects and self.can_hand_on(ask, said),
            **dict.fromkeys(("comment", "answer"), not corrects and bool(said.note.strip())),
        }
        return said.draft == ask.draft and said.step in ("", ask.step) and form.get(said.verdict, not corrects)

    def can_hand_on(self, ask: Ask, said: Decision) -> bool:
        seat = said.seat or said.by
        takers = ({*self.delegates, *self.holders} - {seat}) - set(ask.excluded)
        theirs = seat in self.holders and said.by in (seat, ask.owner)
        if not theirs or said.to not in takers:
            return False
        after = self.hands[0].swap(seat, [said.to])
        return after.approved_by(after.people)

    def does(self, ask: Ask, said: Decision, now: datetime) -> None:
        if said.verdict in ("approve", "reject", "correct"):
            self.votes = [*(vote for vote in self.votes if vote.by != said.by), said]
            self.unsettled.add(said.id)
        elif said.verdict == "ask":
            self.questions.append((now, now + ask.answer_patience, True))
        elif said.verdict == "answer":
            self.answered(now)
        elif said.verdict in ("claim", "release"):
            self.claimed = said.by if said.verdict == "claim" else ""
        elif said.verdict == "delegate":
            seat = said.seat or said.by
            self.hands = [hand.swap(seat, [said.to]) for hand in self.hands]
            self.votes = [vote for vote in self.votes if vote.by != seat]
            self.claimed = "" if self.claimed == seat else self.claimed
            if self.closing:
                self.unsettled.add(self.closing.id)

    def next_early(self) -> Decision | None:
        """The first that was said too early, and can be heard by now; it is no longer early then."""
        ask = self.ask
        if ask is None or self.closing or not self.hands:
            return None
        for said in self.early:
            if said.draft == ask.draft and said.step in ("", ask.step) and self.has_a_say(ask, said):
                self.early.pop(self.early.index(said))
                return said
        return None


def subsets(people: list[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(people, size) for size in range(len(people) + 1))
