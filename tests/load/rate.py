"""How much of an endpoint's rate is used, when more cases want it than it takes: part of `make bench`."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from starters.command import settled
from starters.demo import SAMPLES
from starters.invoice_intake import INVOICE_INTAKE
from starters.launch import Launcher
from starters.life import running
from tests.desk import ONLY_TEXT
from tests.end_to_end.conftest import free_ports
from tests.providers import Provider, providing
from workers.build import built
from workers.settings import Settings

WARM, MINUTE = 5, 60
"""Seconds that are not counted, and those that are."""


async def _run(home: Path, provider: Provider, per_minute: int) -> list[str]:
    """Start more cases than the endpoint can take, and wait until it has been asked about all."""
    one = {"name": "main", "model": "small", "url": provider.url("main"), "requests_per_minute": per_minute}
    (home / "models.yaml").write_text(yaml.safe_dump({"as_of": "2026-11-01", "endpoints": [one]}))
    charter = yaml.safe_load((Settings().charters / f"{INVOICE_INTAKE.name}.yaml").read_text())
    charter["policy"]["rungs"] = ["endpoint:main"]
    (home / f"{INVOICE_INTAKE.name}.yaml").write_text(yaml.safe_dump(charter))
    files = [home / f"{number}.pdf" for number in range(per_minute * (WARM + MINUTE + WARM) // MINUTE)]
    for number, file in enumerate(files):
        file.write_bytes((SAMPLES / ONLY_TEXT).read_bytes() + f"\n% {number}".encode())
    port, ui_port = free_ports()
    settings = Settings(
        home=home, port=port, ui_port=ui_port, ocr=False, charters=home, models=home / "models.yaml", person="bench"
    )
    with built(settings) as parts:
        async with running(settings, parts) as client:
            started = [it async for it in Launcher(client, parts, settings, INVOICE_INTAKE).start_all(files)]
            async with asyncio.timeout(10 * MINUTE):
                await settled(parts, {it.case for it in started})
            rows = [parts.cases.get(it.case) for it in started]
            views = [parts.cases.view(row) for row in rows if row]
            return [view.proposal.rung if view.proposal else "none" for view in views]


def rate(per_minute: int = 240) -> dict[str, Any]:
    with providing(per_minute) as provider, tempfile.TemporaryDirectory() as home:
        rungs = asyncio.run(_run(Path(home), provider, per_minute))
        begun = provider.answered[0] + WARM
        counted = sum(begun <= instant < begun + MINUTE for instant in provider.answered)
    return {
        "limit a minute": per_minute,
        "answered in a minute": counted,
        "share of the limit": round(counted / per_minute, 3),
        "answered 429": provider.refused,
        "cases": len(rungs),
        "cases read by it": rungs.count("endpoint:main"),
    }


if __name__ == "__main__":
    print(json.dumps(rate(), indent=2))  # noqa: T201
