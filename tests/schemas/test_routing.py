"""Who decides a case: every reason by itself, and what no brake may ever do."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.finding import Finding, Severity
from schemas.policy import STAGES, ApprovalPolicy, Policy, Stage
from schemas.proposal import Field, Proposal, Rung
from schemas.routing import Brake, Route, refusal, route, sampled
from schemas.source import Verdict, VerdictStatus

POLICY = Policy(
    stage="autonomous",
    autonomous_rungs=("embedded-xml",),
    min_confidence=0.9,
    approval=ApprovalPolicy(approvers=("ap-clerk",), owner="finance-lead"),
)
OK, NO_BRAKE = Verdict(), Brake()
SURE = Proposal(rung="embedded-xml", fields={"currency": Field(value="EUR", confidence=0.9)})


def read_by(rung: Rung, confidence: float = 0.99) -> Proposal:
    return Proposal(rung=rung, fields={"currency": Field(value="EUR", confidence=confidence)})


def finding(severity: Severity) -> Finding:
    return Finding(code="amount.over_limit", severity=severity, message="9000 is over the limit")


def staged(stage: Stage) -> Policy:
    return POLICY.model_copy(update={"stage": stage})


def test_clean_case_from_a_trusted_rung_is_written_without_a_person() -> None:
    assert route(OK, SURE, (), POLICY, NO_BRAKE) == Route(kind="auto", reasons=(), stage="autonomous")


@pytest.mark.parametrize("status", ["malformed", "hostile"])
def test_malformed_and_hostile_documents_are_refused_with_every_reason(status: VerdictStatus) -> None:
    verdict = Verdict(status=status, reasons=("it is encrypted", "it is cut off"))

    chosen = route(verdict, SURE, (), POLICY, NO_BRAKE)

    assert chosen.kind == "reject"
    assert chosen.reasons == (f"document is {status}", "it is encrypted", "it is cut off")


@pytest.mark.parametrize("status", ["ok", "missing", "ambiguous", "suspicious"])
def test_what_a_person_could_approve_is_not_refused(status: VerdictStatus) -> None:
    assert refusal(Verdict(status=status, reasons=("two totals",))) is None


@pytest.mark.parametrize("status", ["missing", "ambiguous", "suspicious"])
def test_doubtful_intake_goes_to_a_person_with_every_reason(status: VerdictStatus) -> None:
    verdict = Verdict(status=status, reasons=("page 2 has no text", "two invoices"))

    chosen = route(verdict, SURE, (), POLICY, NO_BRAKE)

    assert (chosen.kind, chosen.reasons) == ("review", ("intake: page 2 has no text", "intake: two invoices"))


def test_remarks_of_an_ok_intake_stop_nothing() -> None:
    assert route(Verdict(reasons=("has attachments",)), SURE, (), POLICY, NO_BRAKE).kind == "auto"


def test_supervised_process_asks_a_person_about_every_case() -> None:
    chosen = route(OK, SURE, (), staged("supervised"), NO_BRAKE)

    assert chosen == Route(kind="review", reasons=("stage supervised",), stage="supervised")


@pytest.mark.parametrize(("findings", "kind"), [((), "auto"), ((finding("review"),), "review")])
def test_shadow_stage_says_what_would_have_been(findings: tuple[Finding, ...], kind: str) -> None:
    chosen = route(OK, SURE, findings, staged("shadow"), NO_BRAKE)

    assert (chosen.kind, chosen.stage) == (kind, "shadow")


def test_brake_to_shadow_holds_what_the_policy_would_write_alone() -> None:
    assert route(OK, SURE, (), POLICY, Brake(stage_cap="shadow", reason="drift")).stage == "shadow"


def test_brake_lowers_the_stage_and_says_why() -> None:
    chosen = route(OK, SURE, (), POLICY, Brake(stage_cap="supervised", reason="drift in May"))

    assert chosen.stage == "supervised"
    assert chosen.reasons == ("the brake holds this process at supervised: drift in May",)


def test_brake_never_raises_the_stage() -> None:
    assert route(OK, SURE, (), staged("shadow"), Brake(stage_cap="supervised")).stage == "shadow"


def test_rung_that_is_not_trusted_alone_goes_to_a_person() -> None:
    chosen = route(OK, read_by("endpoint"), (), POLICY, NO_BRAKE)

    assert chosen.reasons == ("read by endpoint, which this policy does not trust alone",)


def test_what_a_person_entered_is_shown_again() -> None:
    chosen = route(OK, read_by("person", 1), (), POLICY, NO_BRAKE)

    assert chosen.reasons == ("entered by a person, and shown again before it is written",)


def test_what_nothing_could_read_is_entered_by_a_person() -> None:
    chosen = route(OK, Proposal(rung="person"), (), POLICY, NO_BRAKE)

    assert chosen.reasons == ("nothing could read it: a person enters the fields",)


def test_field_below_the_threshold_goes_to_a_person_by_name() -> None:
    chosen = route(OK, read_by("embedded-xml", 0.89), (), POLICY, NO_BRAKE)

    assert chosen.reasons == ("currency: confidence 0.89 is below 0.90",)


def test_field_at_the_threshold_is_sure_enough() -> None:
    assert route(OK, read_by("embedded-xml", 0.9), (), POLICY, NO_BRAKE).kind == "auto"


def test_brake_raises_the_threshold() -> None:
    chosen = route(OK, read_by("embedded-xml", 0.94), (), POLICY, Brake(min_confidence=0.95))

    assert chosen.reasons == ("currency: confidence 0.94 is below 0.95",)


def test_brake_never_lowers_the_threshold() -> None:
    assert route(OK, read_by("embedded-xml", 0.89), (), POLICY, Brake(min_confidence=0.1)).kind == "review"


def test_field_without_a_value_has_no_confidence_to_doubt() -> None:
    nothing_there = SURE.model_copy(update={"fields": {"iban": Field(value=None, confidence=0)}})

    assert route(OK, nothing_there, (), POLICY, NO_BRAKE).kind == "auto"


@pytest.mark.parametrize("severity", ["review", "block"])
def test_finding_that_stops_goes_to_a_person_with_code_and_message(severity: Severity) -> None:
    chosen = route(OK, SURE, (finding(severity),), POLICY, NO_BRAKE)

    assert (chosen.kind, chosen.reasons) == ("review", ("amount.over_limit: 9000 is over the limit",))


@pytest.mark.parametrize("severity", ["info", "warn"])
def test_finding_that_only_informs_stops_nothing(severity: Severity) -> None:
    assert route(OK, SURE, (finding(severity),), POLICY, NO_BRAKE).kind == "auto"


def test_every_reason_is_named_not_the_first_alone() -> None:
    verdict = Verdict(status="ambiguous", reasons=("two dates",))

    chosen = route(verdict, read_by("endpoint", 0.5), (finding("review"),), staged("supervised"), NO_BRAKE)

    assert [reason.split(":")[0].split(" ")[0] for reason in chosen.reasons] == [
        "stage",
        "read",
        "intake",
        "currency",
        "amount.over_limit",
    ]


SEVERITIES: tuple[Severity, ...] = ("info", "warn", "review", "block")
SHARE = st.floats(0, 1)
RUNGS = st.sampled_from(["embedded-xml", "endpoint", "embedded-reader"])
REASONS = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=2).map(tuple)
VERDICTS = st.builds(Verdict, status=st.sampled_from(["ok", "ok", "ok", *get_args(VerdictStatus)]), reasons=REASONS)
FIELDS = st.builds(Field, value=st.sampled_from(["EUR", None]), confidence=SHARE)
PROPOSALS = st.builds(
    Proposal,
    rung=RUNGS | st.just("person"),
    fields=st.dictionaries(st.sampled_from(["currency", "iban"]), FIELDS, max_size=2),
)
FINDINGS = st.lists(st.sampled_from([finding(severity) for severity in SEVERITIES]), max_size=2)
POLICIES = st.builds(
    Policy,
    stage=st.sampled_from(STAGES) | st.just("autonomous"),
    autonomous_rungs=st.lists(RUNGS, max_size=3).map(tuple),
    min_confidence=SHARE,
    approval=st.just(POLICY.approval),
)
BRAKES = st.builds(Brake, stage_cap=st.sampled_from(STAGES), min_confidence=SHARE, reason=st.text(max_size=5))
STRICTNESS = ("auto", "review", "reject")
cases = settings(max_examples=300, deadline=None)


@cases
@given(VERDICTS, PROPOSALS, FINDINGS, POLICIES, BRAKES)
def test_brake_only_tightens(
    verdict: Verdict, proposal: Proposal, findings: list[Finding], policy: Policy, brake: Brake
) -> None:
    free = route(verdict, proposal, findings, policy, NO_BRAKE)

    braked = route(verdict, proposal, findings, policy, brake)

    assert STAGES.index(braked.stage) <= STAGES.index(free.stage)
    assert braked.stage == "shadow" or STRICTNESS.index(braked.kind) >= STRICTNESS.index(free.kind)


@cases
@given(VERDICTS, PROPOSALS, FINDINGS, POLICIES, BRAKES)
def test_only_what_is_clean_sure_trusted_and_autonomous_goes_through_alone(
    verdict: Verdict, proposal: Proposal, findings: list[Finding], policy: Policy, brake: Brake
) -> None:
    chosen = route(verdict, proposal, findings, policy, brake)

    threshold = max(policy.min_confidence, brake.min_confidence)
    alone = (
        verdict.status == "ok"
        and policy.stage == brake.stage_cap == "autonomous"
        and proposal.rung in policy.autonomous_rungs
        and all(field.confidence >= threshold for field in proposal.fields.values() if field.value)
        and all(found.severity in ("info", "warn") for found in findings)
    )
    assert (chosen.kind == "auto" and chosen.stage == "autonomous") == alone


@cases
@given(VERDICTS, PROPOSALS, FINDINGS, POLICIES, BRAKES)
def test_whoever_is_asked_is_told_why(
    verdict: Verdict, proposal: Proposal, findings: list[Finding], policy: Policy, brake: Brake
) -> None:
    chosen = route(verdict, proposal, findings, policy, brake)

    assert bool(chosen.reasons) == (chosen.kind != "auto")


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_sample_is_the_stated_share_of_cases(share: float) -> None:
    drawn = sum(sampled(f"invoice-intake/{number}", share, b"key") for number in range(10_000))

    assert drawn == pytest.approx(10_000 * share, abs=100)


def test_case_is_drawn_or_not_however_often_it_is_asked() -> None:
    assert len({sampled("invoice-intake/1", 0.5, b"key") for _ in range(10)}) == 1


def test_who_is_drawn_follows_from_the_key() -> None:
    drawn = {key: [sampled(f"invoice-intake/{number}", 0.5, key) for number in range(64)] for key in (b"one", b"other")}

    assert drawn[b"one"] != drawn[b"other"]
