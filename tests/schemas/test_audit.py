"""The audit chain: what was done to it is named, by case and number."""

import json
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import GENESIS, Fault, Head, Link, faults

CASE = "invoice-intake/4f1c"


def linked(seq: int, previous: str, sealed: bytes, kind: str = "model.read") -> Link:
    link = Link(
        id=f"entry-{seq}",
        case=CASE,
        seq=seq,
        at=f"2026-06-01T09:00:{seq:02}+00:00",
        kind=kind,
        sealed=sealed,
        previous=previous,
        digest=GENESIS,
    )
    return link.model_copy(update={"digest": link.digest_now()})


def chain(length: int = 4) -> list[Link]:
    links: list[Link] = []
    for seq in range(1, length + 1):
        links.append(linked(seq, links[-1].digest if links else GENESIS, f"sealed body {seq}".encode()))
    return links


def head_of(links: Sequence[Link]) -> Head:
    return Head(seq=links[-1].seq, digest=links[-1].digest)


def named(links: Sequence[Link], *heads: Head) -> list[tuple[str, int, str]]:
    return [(fault.case, fault.seq, fault.problem) for fault in faults(CASE, links, heads)]


def test_digest_is_the_sha256_of_all_that_stands_in_an_entry() -> None:
    link = linked(1, GENESIS, b"sealed")
    stands = [GENESIS, "entry-1", CASE, 1, "2026-06-01T09:00:01+00:00", "model.read", sha256(b"sealed").hexdigest()]

    assert link.digest == sha256(json.dumps(stands, separators=(",", ":")).encode()).hexdigest()


@pytest.mark.parametrize("length", [0, 1, 4])
def test_intact_chain_has_no_faults(length: int) -> None:
    links = chain(length)

    assert faults(CASE, links, [head_of(links[:seq]) for seq in range(1, length + 1)]) == []


@pytest.mark.parametrize("change", [{"kind": "person.decision"}, {"sealed": b"another body"}, {"at": "2026-06-01"}])
@pytest.mark.parametrize("seq", [1, 2, 4])
def test_edited_entry_is_named(seq: int, change: dict[str, object]) -> None:
    links = chain()
    links[seq - 1] = links[seq - 1].model_copy(update=change)

    assert named(links) == [(CASE, seq, "was edited")]


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_removed_entry_is_named(seq: int) -> None:
    links = chain()
    del links[seq - 1]

    assert named(links) == [(CASE, seq, "is missing")]


def test_removed_entries_are_named_from_first_to_last() -> None:
    links = chain(6)
    del links[1:4]

    assert named(links) == [(CASE, 2, "to 4 are missing")]


def test_cut_tail_is_named_by_a_head_told_before() -> None:
    links = chain()

    assert named(links[:2], head_of(links)) == [(CASE, 4, "was cut off: the chain ends at 2")]


def test_chain_that_is_gone_altogether_is_named_by_a_head_told_before() -> None:
    assert named([], head_of(chain())) == [(CASE, 4, "was cut off: the chain ends at 0")]


def test_removed_and_closed_up_entry_is_named() -> None:
    links = chain()
    links[1:] = [links[2].model_copy(update={"seq": 2}), links[3].model_copy(update={"seq": 3})]

    assert {(CASE, 2, "was edited"), (CASE, 3, "was edited")} <= set(named(links))


def test_entries_in_another_order_are_named() -> None:
    links = chain()
    links[1], links[2] = links[2], links[1]

    assert (CASE, 2) in [(case, seq) for case, seq, _ in named(links)]


def test_entries_that_changed_places_are_named() -> None:
    links = chain()
    links[1:3] = [links[2].model_copy(update={"seq": 2}), links[1].model_copy(update={"seq": 3})]

    assert {(CASE, 2, "was edited"), (CASE, 3, "was edited")} <= set(named(links))


def test_replaced_entry_is_named_by_the_one_after_it() -> None:
    links = chain()
    links[1] = linked(2, links[0].digest, b"a body that was never written")

    assert named(links) == [(CASE, 3, "does not follow from the entry before it")]


def test_replaced_last_entry_is_named_by_a_head_told_before() -> None:
    links = chain()
    told = head_of(links)
    links[3] = linked(4, links[2].digest, b"a body that was never written")

    assert named(links, told) == [(CASE, 4, "is not the entry that was written then")]


def test_chain_rewritten_from_the_first_entry_is_named_by_a_head_told_before() -> None:
    told, forged = head_of(chain()), [linked(1, GENESIS, b"forged")]
    for seq in (2, 3, 4, 5):
        forged.append(linked(seq, forged[-1].digest, b"forged"))

    assert named(forged, told) == [(CASE, 4, "is not the entry that was written then")]


def test_entry_of_another_case_is_named() -> None:
    links = chain()
    stranger = links[1].model_copy(update={"case": "invoice-intake/other"})
    links[1] = stranger.model_copy(update={"digest": stranger.digest_now()})

    assert named(links) == [(CASE, 3, "does not follow from the entry before it")]


def test_same_fault_is_told_once() -> None:
    links = chain()
    told = head_of(links)

    assert faults(CASE, links[:3], [told, told]) == [
        Fault(case=CASE, seq=4, problem="was cut off: the chain ends at 3")
    ]


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_any_single_byte_changed_in_any_field_of_any_entry_is_found(data: st.DataObject) -> None:
    links = chain()
    at = data.draw(st.integers(0, len(links) - 1))
    field = data.draw(st.sampled_from(sorted(Link.model_fields)))
    value = getattr(links[at], field)
    stored = value if isinstance(value, bytes) else str(value).encode()
    spot = data.draw(st.integers(0, len(stored) - 1))
    digits = st.sampled_from(b"0123456789") if field == "seq" else st.integers(0, 127)
    byte = data.draw(digits.filter(lambda byte: byte != stored[spot]))
    changed = stored[:spot] + bytes([byte]) + stored[spot + 1 :]
    read_back = int(changed) if field == "seq" else changed if field == "sealed" else changed.decode()
    told = head_of(links)

    links[at] = links[at].model_copy(update={field: read_back})

    assert faults(CASE, links, [told]) != []
