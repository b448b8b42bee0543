"""The dashboards of whoever owns a process: what models do and cost, and how one process fares."""

from deploy.grafana.panels import OURS, WEEK, Board, Panel, acts, gauge, quantile, share

BAD = "missing|ambiguous|abusive|suspicious|malformed|hostile"
READ = acts("document.ingested", "process", "1d")
ENDED = f"sum by (process) ({gauge('casework_ended_cases', 'process, outcome')})"
MEAN = "sum by (process) (increase(casework_confidence_{of}{{{ours}}}[1d] {ago}))"


def sureness(ago: str = "") -> str:
    """The average of a day, by process."""
    return share(*(MEAN.format(of=of, ours=OURS, ago=ago) for of in ("sum", "count")))


def calls(name: str, by: str, result: str = ".*", window: str = "1h") -> str:
    return f'sum by ({by}) (increase({name}{{{OURS}, result=~"{result}"}}[{window}]))'


COST = calls("casework_model_cost_micros_total", "process, endpoint", window="1d")
ALL_CALLS, FAILED_CALLS = (calls("casework_model_seconds_count", "endpoint", of) for of in (".*", "failed"))
BUDGET = Panel(
    "Share of the day's budget",
    "At one, no endpoint is asked until midnight UTC: people decide.",
    {"{{process}}": gauge("casework_budget_used_ratio")},
    "percentunit",
)
UNSURE = Panel(
    "Confidence of the least sure field",
    "The average of a day, and of the same day a week ago: a shift is seen here before errors are.",
    {"{{process}}": sureness(), "{{process}}, a week ago": sureness(WEEK)},
    "percentunit",
)
VERDICTS = Panel(
    "Documents that cannot be read as they are",
    "Share of the documents of a day.",
    {"{{process}}": share(acts("document.ingested", "process", "1d", BAD), READ)},
    "percentunit",
)
RUNGS = Panel(
    "What read",
    "Documents by rung in an hour; a rung called person means that none could.",
    {"{{result}}": acts("model.read")},
)
STRAIGHT = Panel(
    "Straight through",
    "Share of the cases ended within a day that were applied without a person.",
    {"{{process}}": share(gauge("casework_ended_cases", outcome="straight-through"), ENDED)},
    "percentunit",
)

MODELS = Board(
    "models",
    "casework: model quality and cost",
    {
        "Calls": [
            Panel(
                "Calls of endpoints",
                "In an hour.",
                {"{{endpoint}} {{result}}": calls("casework_model_seconds_count", "endpoint, result")},
            ),
            Panel(
                "Failed calls",
                "Share of an hour's; at half of the last calls, the breaker opens.",
                {"{{endpoint}}": share(FAILED_CALLS, ALL_CALLS)},
                "percentunit",
            ),
            Panel(
                "Time of calls",
                "",
                {
                    "{{endpoint}} p50": quantile(0.5, "casework_model_seconds", "endpoint", OURS),
                    "{{endpoint}} p95": quantile(0.95, "casework_model_seconds", "endpoint", OURS),
                },
                "s",
            ),
            Panel(
                "May be asked",
                "1, or 0 while the breaker is open or somebody holds it: casework models status.",
                {"{{endpoint}}": "min by (endpoint) (casework_endpoint_askable)"},
            ),
            Panel(
                "Not asked",
                "For a breaker or a budget, in an hour.",
                {"{{process}}": acts("model.held", "process")},
            ),
        ],
        "Cost": [
            Panel("Tokens", "In an hour.", {"{{endpoint}}": calls("casework_model_tokens_total", "endpoint")}),
            Panel(
                "Cost",
                "In a day, in the currency of the settings.",
                {"{{process}} {{endpoint}}": f"{COST} / 1e6"},
            ),
            BUDGET,
        ],
        "Quality": [
            UNSURE,
            Panel(
                "Confidence by rung",
                "The middle of what each rung said of its least sure field.",
                {"{{rung}}": quantile(0.5, "casework_confidence", "rung", OURS)},
                "percentunit",
            ),
            RUNGS,
            VERDICTS,
            STRAIGHT,
        ],
    },
)

PROCESS = Board(
    "process",
    "casework: one process",
    {
        "Now": [
            Panel("Open cases", "", {"{{state}}": gauge("casework_open_cases", "state")}, kind="number"),
            Panel("Oldest wait", "", {"": gauge("casework_oldest_wait_seconds")}, "s", "number"),
            Panel("Overdue", "", {"": gauge("casework_overdue_cases")}, kind="number", alarming=1),
            Panel(
                "Brake",
                "1: a person sees each case. casework stage PROCESS says why.",
                {"": gauge("casework_brake_on")},
                kind="number",
                alarming=1,
            ),
            Panel(
                "Since the last weekly review",
                "More than eight days: is its schedule there? casework report PROCESS --every P7D.",
                {"": f"time() - ({gauge('casework_reviewed_timestamp_seconds')} > 0)"},
                "s",
                "number",
            ),
        ],
        "Cases": [
            Panel("Taken in", "By intake verdict, in an hour.", {"{{result}}": acts("document.ingested")}),
            Panel(
                "Ended within a day",
                "By outcome.",
                {"{{outcome}}": gauge("casework_ended_cases", "outcome")},
            ),
            STRAIGHT,
            Panel("Open", "By what they wait for.", {"{{state}}": gauge("casework_open_cases", "state")}),
        ],
        "Quality": [VERDICTS, UNSURE, RUNGS, BUDGET],
        "People and the CRM": [
            Panel("What people did", "In an hour.", {"{{result}}": acts("person.decision")}),
            Panel("Escalations", "In an hour.", {"{{kind}}": acts("approval[.](reminded|escalated|handed)", "kind")}),
            Panel(
                "CRM",
                "Writes, and by what the CRM said those that failed, in an hour.",
                {"{{kind}} {{result}}": acts("crm[.](ended|failed)", "kind, result")},
            ),
        ],
    },
    one=True,
)
