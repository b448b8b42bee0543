"""The processes that starters know, by name."""

import typer

from starters.contract_approval import CONTRACT_APPROVAL
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Process
from starters.request_triage import REQUEST_TRIAGE

PROCESSES = {process.name: process for process in (INVOICE_INTAKE, CONTRACT_APPROVAL, REQUEST_TRIAGE)}


def process_named(name: str) -> Process:
    if process := PROCESSES.get(name):
        return process
    raise typer.BadParameter(f"{name!r} is none of {', '.join(PROCESSES)}", param_hint="PROCESS")
