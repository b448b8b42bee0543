"""Telemetry, each kind off until a setting asks for it: metrics for Prometheus or a collector, traces, logs as JSON."""

import json
import logging
import traceback
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.runtime import LoggingConfig, OpenTelemetryConfig, PrometheusConfig, Runtime, TelemetryConfig

from activities.counters import CONFIDENCE, EXPECTED, MODEL_SECONDS, expect
from workers.settings import BadSettings, Settings
from workflows.options import notices_queue

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from temporalio.client import Interceptor

BUCKETS = {
    CONFIDENCE: (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0),
    MODEL_SECONDS: (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0),
}
PERIOD = timedelta(seconds=10)
"""Between two deliveries to a collector."""
TAKEN_WITHIN = 2
"""Seconds: a collector that is away holds up no command for longer as it ends; what it does not take is dropped."""
SERVICE = "casework"
TRACE: ContextVar[int] = ContextVar("TRACE", default=0)
"""That of the last span that this step began."""


CORE_LOG = LoggingConfig(filter="ERROR,temporalio_client=WARN")
"""What the SDK's core says by itself on standard error: at WARN it repeats the words of errors, past every codec."""


def runtime(settings: Settings) -> Runtime:
    """What a worker's client is built on; with metrics, Temporal's and ours, where somebody reads them."""
    metrics: PrometheusConfig | OpenTelemetryConfig | None = None
    if settings.metrics:
        metrics = PrometheusConfig(
            settings.metrics,
            counters_total_suffix=True,
            unit_suffix=True,
            durations_as_seconds=True,
            histogram_bucket_overrides=BUCKETS,
        )
    elif settings.otlp:
        metrics = OpenTelemetryConfig(
            f"{settings.otlp.rstrip('/')}/v1/metrics",
            http=True,
            metric_periodicity=PERIOD,
            durations_as_seconds=True,
            histogram_bucket_overrides=BUCKETS,
        )
    try:
        return Runtime(
            telemetry=TelemetryConfig(
                logging=CORE_LOG, metrics=metrics, attach_service_name=False, global_tags={"service_name": SERVICE}
            )
        )
    except ValueError as error:
        variable = "CASEWORK_METRICS" if settings.metrics else "CASEWORK_OTLP"
        raise BadSettings(f"{variable}={settings.metrics or settings.otlp}: {error}") from None


def expecting(measured: Runtime, namespace: str, task_queue: str, processes: Iterable[str]) -> None:
    """Tell of each process that nothing has happened yet, in the words in which it will be told."""
    for name in EXPECTED:
        queue = notices_queue(task_queue) if name == "notices.send" else task_queue
        meter = measured.metric_meter.with_additional_attributes({"namespace": namespace, "task_queue": queue})
        for process in processes:
            expect(meter, process, name)


def tracing(settings: Settings) -> "list[Interceptor]":
    """What a client carries when traces go to a collector: a span for each step of a case, from whoever started it."""
    if not settings.otlp:
        return []
    from temporalio.contrib.opentelemetry import TracingInterceptor  # a tenth of a second, for who has a collector

    _provider(settings.otlp)
    return [TracingInterceptor()]


@cache
def _provider(otlp: str) -> "TracerProvider":
    """Once for each process: OpenTelemetry takes no second provider."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
    from opentelemetry.trace import Status

    class Wordless(OTLPSpanExporter):
        """Spans say that a step failed, and never in whose words: those may quote a document."""

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return super().export([without_words(span) for span in spans])

    class Remembering(SpanProcessor):
        """The SDK logs that a step failed once its span is over: the line names its trace all the same."""

        def on_start(self, span: ReadableSpan, parent_context: object = None) -> None:  # noqa: ARG002
            TRACE.set(span.context.trace_id if span.context else 0)

    def without_words(span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=span.attributes,
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(Remembering())
    provider.add_span_processor(BatchSpanProcessor(Wordless(f"{otlp.rstrip('/')}/v1/traces", timeout=TAKEN_WITHIN)))
    trace.set_tracer_provider(provider)
    return provider


def logging_as(settings: Settings) -> None:
    """From now on, logs are lines of JSON on standard error, and go to the collector, as the settings say."""
    shown = logging.StreamHandler()
    if settings.log == "json":
        shown.setFormatter(AsJson())
    if settings.log == "json" or settings.otlp:
        sent = [_sending(settings.otlp)] if settings.otlp else []
        logging.basicConfig(level=logging.WARNING, handlers=[shown, *sent], force=True)


class AsJson(logging.Formatter):
    """A line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat()
        return json.dumps({"at": at, "message": _words(record), **_about(record)})


def _sending(otlp: str) -> logging.Handler:
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    class Sending(logging.Handler):
        """The SDK's own is on its way out, and would send the words of errors."""

        def emit(self, record: logging.LogRecord) -> None:
            if record.name.startswith("opentelemetry"):
                return  # that a collector is away is not for the collector
            number = SeverityNumber.ERROR if record.levelno >= logging.ERROR else SeverityNumber.WARN
            about = {name: str(value) for name, value in _about(record).items()}
            trace = int(about.pop("trace", "0"), 16)
            at, words = int(record.created * 1e9), _words(record)
            logger.emit(
                LogRecord(timestamp=at, severity_number=number, body=words, attributes=about, trace_id=trace or None)
            )

    provider = LoggerProvider(resource=Resource.create({"service.name": SERVICE}))
    exporter = OTLPLogExporter(f"{otlp.rstrip('/')}/v1/logs", timeout=TAKEN_WITHIN)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger(SERVICE)
    return Sending()


def _words(record: logging.LogRecord) -> str:
    if record.exc_info:  # what it would be filled with, and a message that is the error itself, may quote a document
        return record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return record.getMessage()


def _about(record: logging.LogRecord) -> dict[str, object]:
    """Whence a line comes. Of an error it tells the kind and the place: its words may quote a document."""
    told = {"level": record.levelname.lower(), "logger": record.name, **_where(record)}
    if record.exc_info and (error := record.exc_info[1]):
        frames = traceback.extract_tb(error.__traceback__)
        told["error"] = type(error).__name__
        told["in"] = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return told


def _where(record: logging.LogRecord) -> dict[str, object]:
    """The case, its process and the trace, where there is one."""
    of_activity = getattr(record, "temporal_activity", None) or getattr(record, "temporal_workflow", None) or {}
    case = activity.info().workflow_id if activity.in_activity() else of_activity.get("workflow_id")
    told: dict[str, object] = {"case": case, "process": str(case).partition("/")[0]} if case else {}
    from opentelemetry import trace

    found = trace.get_current_span().get_span_context().trace_id or (activity.in_activity() and TRACE.get())
    return {**told, "trace": f"{found:032x}"} if found else told
