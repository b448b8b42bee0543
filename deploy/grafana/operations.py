"""The dashboard of whoever runs casework: whether anything is wrong, and where."""

from deploy.grafana.panels import OURS, WEEK, Board, Panel, acts, gauge, quantile, rate

OPERATIONS = Board(
    "operations",
    "casework: operations",
    {
        "Is anything wrong": [
            Panel(
                "Workers", "That tell how they are.", {"": "count(casework_looked_timestamp_seconds)"}, kind="number"
            ),
            Panel(
                "Last look at the tables",
                "Above a minute, the database is away and the gauges below are old.",
                {"": "time() - max(casework_looked_timestamp_seconds)"},
                "s",
                "number",
                60,
            ),
            Panel(
                "Endpoints not asked",
                "Their breaker is open, or somebody holds them: casework models status.",
                {"": "count(min by (endpoint) (casework_endpoint_askable) == 0) or vector(0)"},
                kind="number",
                alarming=1,
            ),
            Panel(
                "Brakes on",
                "Processes in which a person sees each case: casework stage PROCESS.",
                {"": "sum(max by (process) (casework_brake_on))"},
                kind="number",
                alarming=1,
            ),
            Panel(
                "Audit chains at fault",
                "Entries were edited, removed or cut off: casework audit verify.",
                {"": "max(casework_audit_faulty_chains)"},
                kind="number",
                alarming=1,
            ),
            Panel(
                "All chains verified since",
                "How old the oldest verification is; empty until a worker has been through all of them.",
                {"": "time() - max(casework_audit_verified_timestamp_seconds > 0)"},
                "s",
                "number",
                86400,
            ),
        ],
        "Cases": [
            Panel(
                "Taken in",
                "Documents by process in an hour, and at the same time a week ago.",
                {
                    "{{process}}": acts("document.ingested", "process"),
                    "{{process}}, a week ago": f"sum by (process) (increase(casework_acts_total"
                    f'{{{OURS}, kind="document.ingested"}}[1h] {WEEK}))',
                },
            ),
            Panel("Ended", "By outcome in an hour.", {"{{result}}": acts("case.ended")}),
            Panel(
                "Open",
                "By what they wait for.",
                {"{{process}} {{state}}": gauge("casework_open_cases", "process, state")},
            ),
            Panel(
                "Oldest under way",
                "The case that nobody is asked about and that has not ended: it should take seconds.",
                {"{{process}}": gauge("casework_oldest_under_way_seconds")},
                "s",
            ),
        ],
        "Steps": [
            Panel(
                "Time of steps, p95",
                "",
                {"{{activity_type}}": quantile(0.95, "temporal_activity_execution_latency_seconds", "activity_type")},
                "s",
            ),
            Panel(
                "Failed attempts of steps",
                "A second. Temporal tries most of them again.",
                {
                    "{{activity_type}}": rate("temporal_activity_execution_failed_total", "activity_type"),
                    "{{activity_type}} (local)": rate(
                        "temporal_local_activity_execution_failed_total", "activity_type"
                    ),
                },
            ),
            Panel("CRM failures", "By what the CRM said, in an hour.", {"{{result}}": acts("crm.failed")}),
            Panel(
                "Time at the CRM",
                "",
                {
                    name: quantile(
                        of, "temporal_activity_execution_latency_seconds", "activity_type", 'activity_type="crm.apply"'
                    )
                    for name, of in (("p50", 0.5), ("p95", 0.95))
                },
                "s",
            ),
        ],
        "Workers": [
            Panel(
                "Backlog: wait for a worker, p95",
                "Steps, and tasks of cases, by queue. A queue of an endpoint waits for its rate.",
                {
                    "{{task_queue}} steps": quantile(
                        0.95, "temporal_activity_schedule_to_start_latency_seconds", "task_queue"
                    ),
                    "{{task_queue}} cases": quantile(
                        0.95, "temporal_workflow_task_schedule_to_start_latency_seconds", "task_queue"
                    ),
                },
                "s",
            ),
            Panel(
                "Failed tasks of cases",
                "NonDeterminismError after a deploy: roll it back (deploy/runbooks/rolling-deploy.md).",
                {"{{failure_reason}}": rate("temporal_workflow_task_execution_failed_total", "failure_reason")},
            ),
            Panel(
                "Pollers",
                "At none, nobody works on a queue.",
                {"{{task_queue}} {{poller_type}}": "sum by (task_queue, poller_type) (temporal_num_pollers)"},
            ),
            Panel(
                "Free slots",
                "At none for long, the workers are too few.",
                {
                    "{{task_queue}} {{worker_type}}": "sum by (task_queue, worker_type) "
                    "(temporal_worker_task_slots_available)"
                },
            ),
            Panel(
                "Failed requests to Temporal",
                "A second.",
                {"{{operation}} {{status_code}}": rate("temporal_request_failure_total", "operation, status_code")},
            ),
            Panel("Notices", "In an hour.", {"{{kind}}": acts("notice[.](sent|failed)", "kind")}),
        ],
    },
)
