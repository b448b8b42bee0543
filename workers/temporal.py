"""The one way to Temporal: the client and what every client, worker and replayer carries."""

import asyncio
from dataclasses import replace

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverterWithEncodedAttributes as SealedFailures
from temporalio.converter import PayloadCodec
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy as Imports

from workers.codec import codec_of
from workers.settings import Settings
from workers.telemetry import tracing
from workers.troubles import NoServer
from workflows.contract_approval import ContractApproval
from workflows.invoice_intake import InvoiceIntake
from workflows.missed_target import MissedTargetCase
from workflows.notice import Notice
from workflows.payload import OnePayload
from workflows.reconciliation import Reconciliation
from workflows.request_triage import RequestTriage
from workflows.watch import DriftWatch
from workflows.weekly_review import WeeklyReview

WORKFLOWS = [InvoiceIntake, ContractApproval, RequestTriage, Notice, Reconciliation]
SCHEDULED = [DriftWatch, WeeklyReview, MissedTargetCase]
# A forgotten pass-through import then stops the worker at start, not a case at midnight.
STRICT = SandboxedWorkflowRunner(
    SandboxRestrictions.default.with_import_notification_policy(
        Imports.WARN_ON_DYNAMIC_IMPORT | Imports.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
)


def plugin(codec: PayloadCodec | None = None) -> SimplePlugin:
    converter = pydantic_data_converter
    if codec:
        converter = replace(converter, payload_codec=codec, failure_converter_class=SealedFailures)
    return SimplePlugin(
        "casework",
        data_converter=converter,
        interceptors=[OnePayload()],
        workflows=[*WORKFLOWS, *SCHEDULED],
        workflow_runner=STRICT,
    )


async def connect(settings: Settings, address: str | None = None, runtime: Runtime | None = None) -> Client:
    """Connect to `address`, else where Temporal's own settings say, else to the embedded server."""
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = address or config.get("target_host") or f"127.0.0.1:{settings.port}"
    codec = await asyncio.to_thread(codec_of, settings)
    try:
        return await Client.connect(**config, plugins=[plugin(codec)], interceptors=tracing(settings), runtime=runtime)
    except RuntimeError as error:
        raise NoServer(
            f"no Temporal server answers at {config['target_host']}: start the embedded one with 'casework up', "
            "or set TEMPORAL_ADDRESS"
        ) from error
