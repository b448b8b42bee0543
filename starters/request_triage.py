"""Start request triage: `python -m starters.request_triage FILE…` is `casework start request-triage …`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schemas.charter import Charter
from schemas.message import Message
from schemas.policy import RequestPolicy
from schemas.scoring import Judged, Labelled
from schemas.source import Source
from schemas.triage import CATEGORY, Intake
from schemas.triage_scoring import request_score
from starters.launch import Measure, Process
from workflows.request_triage import NAME


def intake(source: Source, policy: RequestPolicy, by: str) -> Message:
    return Intake(source=source, policy=policy, submitted_by=by)


@contextmanager
def judging(measure: Measure) -> Iterator[Callable[[Labelled], Judged]]:
    from starters.judging_requests import judging_requests

    with judging_requests(measure, NAME) as judge:
        yield judge


REQUEST_TRIAGE: Process = Process(
    name=NAME,
    charter=Charter[RequestPolicy],
    intake=intake,
    takes_messages=True,
    fields=(CATEGORY,),
    judging=judging,
    figures=request_score,
)

if __name__ == "__main__":
    from starters.entry import main

    sys.argv[1:1] = ["start", NAME]
    main()
