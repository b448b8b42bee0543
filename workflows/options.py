"""How each kind of step is tried again, named by what is waited for."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

DAY = timedelta(days=1)
NOTICED = timedelta(seconds=20)
"""How long a worker may be dead before its steps are given to another; workers beat by themselves."""

# A parser has 20 s, but many documents may wait for one of few parsers, and a dead worker is noticed anyway.
DOCUMENT = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=NOTICED,
    schedule_to_close_timeout=DAY,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5)),
)
# After this a lesser rung answers; a person has days, a model does not. Most of the time may go in waiting for a turn
# at an endpoint that many cases want, so it is attempts that are counted; the breaker tells when not to try.
MODEL_CALL = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=3),
    heartbeat_timeout=NOTICED,
    schedule_to_close_timeout=timedelta(hours=4),
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=5), maximum_attempts=10),
)
CRM_WRITE = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=1),
    heartbeat_timeout=NOTICED,
    schedule_to_close_timeout=7 * DAY,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
)
# For whoever wrote, a reply of next week is none. No heartbeat: an attempt that was begun is never begun again.
MAIL = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=5),
    schedule_to_close_timeout=3 * DAY,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
)
# Reads a page of cases; it waits for a CRM that is out of order, as cases do.
CRM_LOOK = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=NOTICED,
    schedule_to_close_timeout=DAY,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
)
# Goes through weeks of our own records; whoever scheduled it looks at what came of it the next day.
RECORDS_LOOK = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=NOTICED,
    schedule_to_close_timeout=DAY,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
)
# Small writes to our own tables: local, since a regular activity costs the server more than the write itself. They may
# run again after a crash, even completed ones, and are harmless then.
TABLES = LocalActivityConfig(
    start_to_close_timeout=timedelta(minutes=1),
    local_retry_threshold=timedelta(seconds=10),
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
)
# Checking may meet a document that it cannot bear: then the case ends failed, rather than never.
CHECK = LocalActivityConfig(**TABLES, schedule_to_close_timeout=DAY)
# Nobody's case waits for it; an address that is out of order over a long weekend still gets it.
NOTICE = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=1),
    schedule_to_close_timeout=3 * DAY,
    retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=10)),
)


def endpoint_queue(task_queue: str, endpoint: str) -> str:
    """The queue of a model endpoint: the server hands out no more of it than the endpoint's rate."""
    return f"{task_queue}-model-{endpoint}"


def notices_queue(task_queue: str) -> str:
    """The queue beside that of the cases on which their notices are sent."""
    return f"{task_queue}-notices"
