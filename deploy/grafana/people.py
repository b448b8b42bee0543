"""The dashboard of whoever looks after the people who decide: what waits, for how long, and what they say."""

from deploy.grafana.panels import WEEK, Board, Panel, acts, gauge, share

WAITING = gauge("casework_open_cases", state="waiting")
DEADLINE = gauge("casework_next_deadline_timestamp_seconds")
VOTES = acts("person.decision", "process", "1d", "approve|reject|correct")

QUEUE = Board(
    "queue",
    "casework: human queue",
    {
        "Now": [
            Panel("Waiting for people", "casework inbox", {"{{process}}": WAITING}, kind="number"),
            Panel(
                "Oldest wait",
                "",
                {"{{process}}": gauge("casework_oldest_wait_seconds")},
                "s",
                "number",
            ),
            Panel(
                "Until the next deadline",
                "Below zero it has passed.",
                {"{{process}}": f"({DEADLINE} > 0) - time()"},
                "s",
                "number",
            ),
            Panel(
                "Due within four hours",
                "Overdue ones among them.",
                {"{{process}}": gauge("casework_due_soon_cases")},
                kind="number",
                alarming=1,
            ),
            Panel("Overdue", "", {"{{process}}": gauge("casework_overdue_cases")}, kind="number", alarming=1),
        ],
        "Over time": [
            Panel(
                "Waiting for people",
                "And at the same time a week ago.",
                {
                    "{{process}}": WAITING,
                    "{{process}}, a week ago": gauge("casework_open_cases", ago=WEEK, state="waiting"),
                },
            ),
            Panel("Oldest wait", "", {"{{process}}": gauge("casework_oldest_wait_seconds")}, "s"),
            Panel(
                "Asked and decided",
                "In an hour. When more is asked than decided for long, deadlines will pass.",
                {
                    "asked": acts("approval.open", "kind"),
                    "decided": acts("person.decision", "kind", result="approve|reject|correct"),
                },
            ),
            Panel("What people did", "In an hour.", {"{{result}}": acts("person.decision")}),
            Panel(
                "Reminded, escalated, handed to the owner",
                "In an hour.",
                {"{{kind}}": acts("approval[.](reminded|escalated|handed)", "kind")},
            ),
            Panel("Expired", "Undecided, in a day.", {"{{process}}": acts("case.ended", "process", "1d", "expired")}),
            Panel(
                "Corrected",
                "Share of the votes of a day.",
                {"{{process}}": share(acts("person.decision", "process", "1d", "correct"), VOTES)},
                "percentunit",
            ),
            Panel(
                "Refused decisions",
                "Who was not asked, late, wrongly signed, about another draft. In an hour.",
                {"{{process}}": acts("person.decision", "process", result="refused")},
            ),
        ],
    },
)
