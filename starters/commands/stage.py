"""`casework stage`: how far a process is trusted, what the next stage needs, and its brake."""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import typer

from activities.audit import STAGE
from activities.brakes import Brakes, NotPulled, Unproven
from activities.learning.calibration import braked, named
from activities.learning.decided import Decided
from activities.learning.fitting import examples
from schemas.calibration import Choice, chosen
from schemas.charter import Charter
from schemas.confidence import Calibration
from schemas.policy import STAGES, Policy, Stage
from schemas.routing import Brake
from starters import screen
from starters.processes import PROCESSES, process_named
from starters.refused import Refused
from starters.shell import As, Json, Shell, app, looking
from starters.signing import private_key
from workers.records import Records

RISK, CONFIDENCE = 0.01, 0.95
"""What autonomy is measured by where no calibration says otherwise."""


class Standing(NamedTuple):
    policy: Policy
    brake: Brake
    stage: Stage
    calibration: Calibration | None
    decided: Choice
    """Of the cases that people decided and that stand for all: those that could go straight through."""

    def as_json(self) -> dict[str, Any]:
        named = self.policy.calibration
        return {
            "stage": self.stage,
            "policy_stage": self.policy.stage,
            "brake": self.brake.model_dump(),
            "sample_share": self.policy.sample_share,
            "calibration": {"digest": named, "choice": self.calibration.choice.model_dump()}
            if self.calibration
            else None,
            "decided": self.decided.model_dump(),
            "next": list(next_needs(self)),
        }


@app.command()
def stage(
    process: Annotated[str, typer.Argument(help=" or ".join(PROCESSES))],
    *,
    pull: Annotated[
        str, typer.Option("--pull", metavar="REASON", help="Pull the brake: a person sees each case.")
    ] = "",
    shadow: Annotated[bool, typer.Option("--shadow", help="With --pull: nothing is written either.")] = False,
    release: Annotated[str, typer.Option("--release", metavar="REASON", help="Release it; the owner alone can.")] = "",
    who: As = "",
    as_json: Json = False,
) -> None:
    """Show the stage of a process, what the next one needs, and its brake; or pull or release the brake."""
    known = process_named(process)
    if (pull and release) or (shadow and not pull):
        raise typer.BadParameter("pull or release, one at a time; --shadow goes with --pull")
    with looking() as it:
        charter = known.load_charter(it.settings)
        if pull or release:
            _act(it, charter, pull, release, it.person(who), shadow=shadow)
        standing, acts = _standing(it, charter), it.parts.audit.entries(f"{STAGE}{process}")
    if as_json:
        screen.print_json(
            {**standing.as_json(), "acts": [{"at": link.at, "act": link.kind, **(body or {})} for link, body in acts]}
        )
        return
    _print(process, standing)
    screen.bullets("brake, so far", (f"{link.at[:16]} {link.kind} {_told(body or {})}" for link, body in acts))


def _act(it: Shell[Records], charter: Charter[Any], pull: str, release: str, me: str, *, shadow: bool) -> None:
    """Anybody whom the charter names may pull; what was stopped is set going again by the owner alone."""
    brakes, key = Brakes(it.parts.engine), private_key(it.settings.key_folder, me)
    sign = (lambda said: key.sign(said).hex()) if key else None
    if me not in {person.id for person in charter.people}:
        raise Refused(f"the charter of {charter.process} does not know {me}")
    if release and me != charter.owner:
        raise Refused(f"only {charter.owner}, who owns {charter.process}, releases its brake")
    try:
        if pull:
            brakes.pull(charter.process, "shadow" if shadow else "supervised", pull, me, sign)
        else:
            brakes.release(charter.process, release, me, sign)
    except (NotPulled, Unproven) as error:
        raise Refused(str(error)) from None


def _standing(it: Shell[Records], charter: Charter[Any]) -> Standing:
    policy: Policy = charter.policy
    calibration = named(it.parts.blobs, policy.calibration)
    brake = braked(Brakes(it.parts.engine).get(charter.process), policy, calibration)
    judged = list(Decided(it.parts.cases, it.parts.audit).of(charter.process, policy))
    known = examples([one.label for one in judged], [one.judged for one in judged])
    segments = calibration.segments if calibration else {}
    scored = [(one.sure(segments), one.wrong) for one in known if one.judged.clean]
    threshold = max(policy.min_confidence, brake.min_confidence)
    risk, confidence = (calibration.choice.risk, calibration.choice.confidence) if calibration else (RISK, CONFIDENCE)
    return Standing(
        policy=policy,
        brake=brake,
        stage=min(policy.stage, brake.stage_cap, key=STAGES.index),
        calibration=calibration,
        decided=chosen(scored, (threshold,), risk, confidence, len(known)),
    )


def next_needs(standing: Standing) -> Iterator[str]:
    """What is lacking until the process may be trusted further."""
    if standing.stage != standing.policy.stage:
        yield f"{standing.policy.stage}, as the charter says: what holds it is over, {standing.brake.reason}"
    if standing.policy.stage == "shadow":
        yield "supervised: the owner's word, in the charter; people then see every case"
    if standing.policy.stage != "autonomous":
        yield from _autonomy(standing)


def _autonomy(standing: Standing) -> Iterator[str]:
    calibration, decided = standing.calibration, standing.decided
    stated = f"an error of at most {decided.risk:.1%} with {decided.confidence:.0%} confidence"
    if calibration:  # the cases it learnt from prove nothing a second time
        proved = calibration.choice.threshold is not None
        has = "nothing more, its calibration proves" if proved else "a calibration that proves"
        yield f"autonomous: {has} {stated}"
    elif decided.threshold is not None:
        yield f"autonomous: nothing more, the cases decided here prove {stated}"
    elif decided.needed is None:
        yield f"autonomous: fewer errors, {decided.errors} of {decided.taken} cannot prove {stated}"
    else:
        lacking = decided.needed - decided.taken
        yield f"autonomous: {lacking} more decided cases like these, or a calibration that proves {stated}"


def _print(process: str, standing: Standing) -> None:
    policy, brake, decided = standing.policy, standing.brake, standing.decided
    screen.out.print(f"[bold]{process}[/]  stage {standing.stage} (charter {policy.stage}, brake {brake.stage_cap})")
    if brake.reason:
        screen.out.print(f"the brake is on: {screen.plain(brake.reason)}")
    if standing.calibration and (choice := standing.calibration.choice):
        proves = f"threshold {choice.threshold}" if choice.threshold is not None else "no threshold"
        screen.out.print(f"calibration {str(policy.calibration)[:12]}: {proves} for a risk of {choice.risk:.1%}")
    else:
        screen.out.print(f"no calibration: confidences are the reader's, the threshold is {policy.min_confidence}")
    screen.out.print(f"a person always sees {policy.sample_share:.1%} of what could go straight through")
    screen.out.print(
        f"decided here: {decided.errors} of {decided.taken} cases above the threshold were wrong"
        + (f" (at most {decided.bound:.2%}, with {decided.confidence:.0%} confidence)" if decided.taken else "")
    )
    screen.bullets("what the next stage needs", next_needs(standing))


def _told(body: Any) -> str:
    return f"by {body.get('by')}: {body.get('why') or body.get('reason')}"
