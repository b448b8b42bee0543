"""What a worker tells of itself: to a collector, to Prometheus and in its logs; and nothing of what documents say."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from starters.demo import SAMPLES
from tests.collectors import Collector, collecting
from tests.desk import DAMAGED, ONLY_TEXT, charters
from tests.end_to_end.conftest import PATIENCE, House, free_ports
from tests.providers import Provider, providing
from workers.gauges import GAUGES

PERSONAL = (
    *(b"Harrow Lane", b"20418", b"IE51", b"4182 04", b"4,066.87", b"4066.87"),
    *(b"ap-clerk", b"not ours", ONLY_TEXT.encode()),
)
"""What stands in the document, what its file and its approver are called, and what the approver said."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


def scraped(address: str) -> str:
    with urlopen(f"http://{address}/metrics", timeout=PATIENCE) as answer:
        return str(answer.read(), "utf-8")


def until_told(address: str, series: str) -> str:
    """The metrics, once they hold this."""
    last = time.monotonic() + PATIENCE
    while not re.search(series, told := scraped(address)):
        assert time.monotonic() < last, [line for line in told.splitlines() if line.startswith("casework")]
        time.sleep(0.2)
    return told


def test_trace_leads_from_the_start_to_the_model_and_the_decision(
    house: House, collector: Collector, provider: Provider
) -> None:
    house.env.update({"CASEWORK_OTLP": collector.url, "CASEWORK_MODEL": "small", "CASEWORK_LOG": "json"})
    house.env.update({"CASEWORK_MODEL_URL": provider.url("good"), "CASEWORK_MODEL_KEY": "k"})
    with house.running() as up:
        house.run("start", "invoice-intake", str(SAMPLES / ONLY_TEXT), "--wait")
        (case,) = house.json("inbox")
        house.run("reject", case["id"], "--note", "not ours")
        house.until(lambda done: done["rejected"] == 1)
        untraced = house.run("replay", case["id"], CASEWORK_OTLP="")
        collector.until("/v1/metrics")
        up.terminate()
        said, _ = up.communicate(timeout=PATIENCE)

    begun = next(span for span in collector.spans if span.name == "StartWorkflow:invoice-intake")
    trace = {span.name: span for span in collector.spans if span.trace_id == begun.trace_id}
    assert {"RunActivity:documents.ingest", "RunActivity:model.read_invoice", "chat small"} <= set(trace)
    assert "RunActivity:cases.close" in trace
    usage = {one.key: one.value for one in trace["chat small"].attributes}
    assert usage["gen_ai.usage.output_tokens"].int_value == 21
    assert untraced.returncode == 0, untraced.stderr
    assert [words for words in PERSONAL if words in collector.everything + said.encode()] == []


def test_metrics_say_how_cases_stand_while_they_wait(house: House) -> None:
    address = f"127.0.0.1:{free_ports()[0]}"
    house.env["CASEWORK_METRICS"] = address
    with house.running():
        house.run("start", "invoice-intake", str(SAMPLES / ONLY_TEXT), str(SAMPLES / DAMAGED), "--wait")
        told = until_told(address, r'casework_open_cases\{process="invoice-intake",state="waiting",.*\} 1\n')
        again = house.run("worker")

    assert re.search(r'casework_acts_total\{.*kind="document.ingested",.*result="malformed",.*\} 1\n', told)
    assert re.search(r'casework_confidence_count\{.*rung="embedded-reader",.*\} 1\n', told)
    assert re.search(r'casework_acts_total\{.*kind="person.decision",.*result="refused",.*\} 0\n', told)
    assert "temporal_num_pollers" in told
    assert [gauge for gauge in GAUGES if not re.search("endpoint|budget|reviewed", gauge) and gauge not in told] == []
    assert [words for words in PERSONAL if words in told.encode()] == []
    assert again.returncode == 2
    assert f"CASEWORK_METRICS={address}" in again.stderr


def test_what_goes_wrong_shows(house: House, tmp_path: Path) -> None:
    """An altered chain, an old wait, a budget that runs out, a brake that is on, a decision of somebody not asked."""
    address = f"127.0.0.1:{free_ports()[0]}"
    budget = charters(tmp_path / "charters", "sample_share: 0.05", "budget: {day: {tokens: 1000}}")
    house.env.update({"CASEWORK_METRICS": address, "CASEWORK_CHARTERS": str(budget)})
    with house.running():
        house.run("start", "invoice-intake", str(SAMPLES / ONLY_TEXT), "--wait")
        (case,) = house.json("inbox")
        house.run("approve", case["id"], "--as", "finance-lead")
        house.run("stage", "invoice-intake", "--pull", "to see")
        house.write(
            "DROP TRIGGER audit_entries_no_update",
            "UPDATE audit_entries SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 2",
            "UPDATE cases SET asked_at = '2020-01-01 00:00:00', due = '2020-01-02 00:00:00'",
            "INSERT INTO model_calls (id, endpoint, process, case_id, question, at, seconds, tokens_in, tokens_out, "
            "cost_micros, failed) SELECT 'x', 'default', process, id, '', datetime('now'), 1, 900, 0, 0, '' FROM cases",
        )
        told = until_told(address, r"casework_audit_faulty_chains\{.*\} 1\n")

    of = r'\{.*process="invoice-intake".*\}'
    waited = re.search(rf"casework_oldest_wait_seconds{of} (\d+)", told)
    assert waited is not None
    assert int(waited[1]) > 86400
    assert re.search(rf"casework_overdue_cases{of} 1\n", told)
    assert re.search(rf"casework_budget_used_ratio{of} 0.9\n", told)
    assert re.search(rf"casework_brake_on{of} 1\n", told)
    assert re.search(rf"casework_next_deadline_timestamp_seconds{of} 1577923200\n", told)
    assert re.search(r'casework_acts_total\{.*kind="person.decision",.*result="refused",.*\} 1\n', told)


def test_log_lines_name_the_case_and_the_kind_of_error_and_not_its_words(
    house: House, collector: Collector, tmp_path: Path
) -> None:
    """Its blobs are taken away, so that a step fails in words of its own."""
    folder = charters(tmp_path / "charters", "stage: autonomous", "stage: supervised")
    house.env.update({"CASEWORK_LOG": "json", "CASEWORK_CHARTERS": str(folder), "CASEWORK_OTLP": collector.url})
    with house.running() as up:
        house.run("start", "invoice-intake", str(SAMPLES / ONLY_TEXT), "--wait")
        (case,) = house.json("inbox")
        (house.home / "blobs" / case["draft"][:2] / case["draft"]).unlink()
        house.run("approve", case["id"])
        house.until(lambda done: done["failed"] == 1)
        up.terminate()
        said, _ = up.communicate(timeout=PATIENCE)

    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["case"] for line in lines if "error" in line] == [case["id"]] * len(lines)
    assert {line["process"] for line in lines} == {"invoice-intake"}
    (begun,) = (span for span in collector.spans if span.name == "StartWorkflow:invoice-intake")
    assert {line["trace"] for line in lines if "error" in line} == {begun.trace_id.hex()}
    sent = [(record.body.string_value, record.trace_id.hex()) for record in collector.logs]
    assert sent == [(line["message"], line.get("trace", "")) for line in lines]
