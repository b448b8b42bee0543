"""Brakes: pulled they only tighten, released they leave no trace but in the audit, and nobody turns them unseen."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, text

from activities.audit import Audit
from activities.brakes import Brakes, NotPulled, Unproven
from activities.directory import Directory
from schemas.routing import Brake
from tests.databases import both_databases

pytestmark = both_databases
PROCESS, CHAIN = "invoice-intake", "stage/invoice-intake"


@pytest.fixture
def brakes(engine: Engine) -> Brakes:
    return Brakes(engine)


def test_process_without_a_brake_is_not_held(brakes: Brakes) -> None:
    assert brakes.get(PROCESS) == Brake()


def test_pulled_brake_holds_with_its_reason(brakes: Brakes) -> None:
    brakes.pull(PROCESS, "supervised", "forged bank accounts", "ap-clerk")

    assert brakes.get(PROCESS) == Brake(stage_cap="supervised", reason="forged bank accounts")


def test_pulling_again_never_loosens_and_tells_both_reasons(brakes: Brakes) -> None:
    brakes.pull(PROCESS, "shadow", "the CRM loses writes", "ap-clerk")
    brakes.pull(PROCESS, "supervised", "forged bank accounts", "ap-clerk")

    assert brakes.get(PROCESS) == Brake(stage_cap="shadow", reason="the CRM loses writes; forged bank accounts")


def test_released_brake_holds_no_more(brakes: Brakes) -> None:
    brakes.pull(PROCESS, "shadow", "forged bank accounts", "ap-clerk")
    brakes.release(PROCESS, "all accounts were called", "finance-lead")

    assert brakes.get(PROCESS) == Brake()


def test_what_is_not_pulled_cannot_be_released(brakes: Brakes) -> None:
    with pytest.raises(NotPulled):
        brakes.release(PROCESS, "just in case", "finance-lead")


def test_who_turned_it_and_why_is_audited_and_verifies(brakes: Brakes) -> None:
    brakes.pull(PROCESS, "supervised", "forged bank accounts", "ap-clerk")
    brakes.release(PROCESS, "all accounts were called", "finance-lead")

    audit = Audit(brakes.engine)
    acts = [(link.kind, body["by"]) for link, body in audit.entries(CHAIN) if body]
    assert acts == [("brake.pulled", "ap-clerk"), ("brake.released", "finance-lead")]
    assert CHAIN in audit.cases()
    assert audit.verify(CHAIN) == []


def test_who_has_a_key_turns_it_by_signing_alone_and_no_signature_is_good_twice(brakes: Brakes) -> None:
    key, signatures = Ed25519PrivateKey.generate(), list[str]()
    Directory(brakes.engine, b"key").add("finance-lead", key.public_key().public_bytes_raw().hex(), (), "admin")

    def sign(said: bytes) -> str:
        signatures.append(key.sign(said).hex())
        return signatures[-1]

    brakes.pull(PROCESS, "supervised", "forged bank accounts", "ap-clerk")
    with pytest.raises(Unproven):
        brakes.release(PROCESS, "all is well", "finance-lead")
    brakes.release(PROCESS, "all is well", "finance-lead", sign)
    brakes.pull(PROCESS, "supervised", "forged bank accounts", "ap-clerk")
    with pytest.raises(Unproven):
        brakes.release(PROCESS, "all is well", "finance-lead", lambda _: signatures[0])
    assert brakes.get(PROCESS).stage_cap == "supervised"


def test_who_was_revoked_turns_nothing(brakes: Brakes) -> None:
    directory = Directory(brakes.engine, b"key")
    directory.add("finance-lead", None, (), "admin")
    directory.revoke("finance-lead", "admin")

    with pytest.raises(Unproven):
        brakes.pull(PROCESS, "supervised", "a grudge", "finance-lead")
    assert brakes.get(PROCESS) == Brake()


@pytest.mark.parametrize("act", ["DELETE FROM brakes", "UPDATE brakes SET stage_cap = 'autonomous'"])
def test_brake_that_was_let_go_past_the_audit_is_noticed(brakes: Brakes, act: str) -> None:
    brakes.pull(PROCESS, "supervised", "forged bank accounts", "ap-clerk")

    with brakes.engine.execution_options(writes=True).begin() as connection:
        connection.execute(text(act))

    (fault,) = Audit(brakes.engine).verify(CHAIN)
    assert "the table of brakes says something else" in fault.problem
