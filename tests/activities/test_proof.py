"""Proof: a signature or a code is good for exactly what it was made for; whatever is sent, the check answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from activities.proof import code_fits, code_for, signature_fits
from schemas.approval import Decision
from schemas.opening import CodeFor

MINE, ANOTHERS = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
PUBLIC = MINE.public_key().public_bytes_raw().hex()
CASE, DRAFT, OTHER_DRAFT = "invoice-intake/1", "a" * 64, "b" * 64
UNTIL = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = Decision(id="n-1", by="ap-clerk", verdict="approve", draft=DRAFT, step="legal", expires=UNTIL)
SIGNATURE = MINE.sign(SAID.signed(CASE, 1))
KEY = b"k" * 32
WANTED = CodeFor(case=CASE, person="ap-clerk", step="legal", draft=DRAFT, opening=1)
CODE = code_for(KEY, WANTED)


def test_signature_of_the_keys_owner_fits() -> None:
    assert signature_fits(PUBLIC, SAID.signed(CASE, 1), SIGNATURE.hex())


def test_signature_fits_whatever_time_zone_the_expiry_came_back_in() -> None:
    sent = Decision.model_validate_json(SAID.model_dump_json().replace("12:00:00Z", "14:00:00+02:00"))

    assert sent.expires is not None
    assert sent.expires.utcoffset() == timedelta(hours=2)
    assert signature_fits(PUBLIC, sent.signed(CASE, 1), SIGNATURE.hex())


def test_signature_of_another_key_does_not_fit() -> None:
    assert not signature_fits(PUBLIC, SAID.signed(CASE, 1), ANOTHERS.sign(SAID.signed(CASE, 1)).hex())


@given(place=some.integers(0, len(SIGNATURE) * 8 - 1))
def test_signature_with_any_bit_flipped_does_not_fit(place: int) -> None:
    forged = bytearray(SIGNATURE)
    forged[place // 8] ^= 1 << place % 8

    assert not signature_fits(PUBLIC, SAID.signed(CASE, 1), forged.hex())


@given(place=some.integers(0, len(SAID.signed(CASE, 1)) * 8 - 1))
def test_signature_over_bytes_with_any_bit_flipped_does_not_fit(place: int) -> None:
    altered = bytearray(SAID.signed(CASE, 1))
    altered[place // 8] ^= 1 << place % 8

    assert not signature_fits(PUBLIC, bytes(altered), SIGNATURE.hex())


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "n-2"},
        {"by": "cfo"},
        {"verdict": "reject"},
        {"draft": OTHER_DRAFT},
        {"step": "finance"},
        {"note": "as agreed"},
        {"corrections": {"gross_amount": "1.00"}},
        {"to": "cfo"},
        {"seat": "cfo"},
        {"expires": UNTIL + timedelta(days=365)},
        {"expires": None},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_signature_does_not_fit_what_was_changed_afterwards(changed: dict[str, Any]) -> None:
    altered = SAID.model_copy(update=changed)

    assert not signature_fits(PUBLIC, altered.signed(CASE, 1), SIGNATURE.hex())


def test_signature_for_one_case_does_not_fit_another() -> None:
    assert not signature_fits(PUBLIC, SAID.signed("invoice-intake/2", 1), SIGNATURE.hex())


@given(public_key=some.text(max_size=130), signature=some.text(max_size=130))
def test_whatever_is_sent_for_a_key_or_signature_is_answered(public_key: str, signature: str) -> None:
    assert not signature_fits(public_key, SAID.signed(CASE, 1), signature)
    assert not signature_fits(PUBLIC, SAID.signed(CASE, 1), signature)
    assert not signature_fits(public_key, SAID.signed(CASE, 1), SIGNATURE.hex())


@given(public_key=some.binary(min_size=32, max_size=32), signature=some.binary(min_size=64, max_size=64))
def test_bytes_as_long_as_a_key_and_a_signature_prove_nothing(public_key: bytes, signature: bytes) -> None:
    assert not signature_fits(PUBLIC, SAID.signed(CASE, 1), signature.hex())
    assert not signature_fits(public_key.hex(), SAID.signed(CASE, 1), SIGNATURE.hex())


@given(key=some.binary(min_size=1, max_size=64), opening=some.integers(1, 1000))
def test_code_is_two_groups_of_five_letters_that_are_hard_to_misread(key: bytes, opening: int) -> None:
    halves = code_for(key, WANTED.model_copy(update={"opening": opening})).split("-")

    assert [len(half) for half in halves] == [5, 5]
    assert set("".join(halves)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize(
    "typed",
    [CODE, CODE.lower(), CODE.replace("-", ""), f" {CODE.replace('-', ' ')} ", "-".join(CODE)],
    ids=["as sent", "lower case", "in one", "with spaces", "letter by letter"],
)
def test_code_fits_however_it_was_typed(typed: str) -> None:
    assert code_fits(KEY, WANTED, typed)


@given(opening=some.integers(1, 10_000), zero=some.sampled_from("Oo"), one=some.sampled_from("IiLl"))
def test_code_fits_when_zeros_and_ones_were_read_as_letters(opening: int, zero: str, one: str) -> None:
    wanted = WANTED.model_copy(update={"opening": opening})

    assert code_fits(KEY, wanted, code_for(KEY, wanted).replace("0", zero).replace("1", one))


@pytest.mark.parametrize(
    "other",
    [
        {"case": "invoice-intake/2"},
        {"person": "cfo"},
        {"step": "finance"},
        {"draft": OTHER_DRAFT},
        {"opening": 2},
    ],
    ids=lambda other: next(iter(other)),
)
def test_code_for_one_thing_does_not_fit_another(other: dict[str, Any]) -> None:
    assert not code_fits(KEY, WANTED.model_copy(update=other), CODE)


def test_code_made_with_another_key_does_not_fit() -> None:
    assert not code_fits(KEY, WANTED, code_for(b"j" * 32, WANTED))


@given(place=some.integers(0, 9), letter=some.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_code_with_any_letter_changed_does_not_fit(place: int, letter: str) -> None:
    letters = list(CODE.replace("-", ""))
    changed, letters[place] = letters[place] != letter, letter

    assert code_fits(KEY, WANTED, "".join(letters)) != changed


@given(typed=some.text(max_size=40))
def test_whatever_is_typed_for_a_code_is_answered(typed: str) -> None:
    assert not code_fits(KEY, WANTED, typed)


@pytest.mark.parametrize("typed", ["", CODE[:5], CODE + "0", CODE * 2])
def test_part_of_a_code_or_more_than_one_does_not_fit(typed: str) -> None:
    assert not code_fits(KEY, WANTED, typed)
