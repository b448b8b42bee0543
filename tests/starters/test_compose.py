"""The image and the compose file, as far as they can be judged without a container engine."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.settings import REPOSITORY, Settings
from workflows.attributes import ALL

DEPLOY = REPOSITORY / "deploy"
DOCKERFILE = DEPLOY / "image" / "Dockerfile"
TOOLS = Path(sys.executable).parent


def run(*words: str | Path, cwd: Path = REPOSITORY, **env: str) -> str:
    done = subprocess.run(words, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """As compose reads them, set up by the lines at the head of the file."""
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copytree(DEPLOY, folder, dirs_exist_ok=True)
    compose = folder / "compose"
    shutil.copy(compose / "casework.env.example", compose / "casework.env")
    told = run(
        *(TOOLS / "docker-compose", "--file", compose / "compose.yaml", "config", "--format", "json"),
        POSTGRES_PASSWORD="one",
        GRAFANA_PASSWORD="another",
    )
    found: dict[str, Any] = json.loads(told)["services"]
    return found


def test_dockerfile_passes_its_linter() -> None:
    run(TOOLS / "hadolint", DOCKERFILE)


def test_every_image_is_of_one_version_and_none_runs_as_root(services: dict[str, Any]) -> None:
    assert [name for name, one in services.items() if not re.search(r":v?\d+\.\d+", one["image"])] == []
    assert [name for name, one in services.items() if re.match(r"root|0\b", one.get("user", "root"))] == []
    assert {(tuple(one["cap_drop"]), tuple(one["security_opt"])) for one in services.values()} == {
        (("ALL",), ("no-new-privileges:true",))
    }


def test_ports_are_open_on_this_machine_alone(services: dict[str, Any]) -> None:
    ports = [port["host_ip"] for one in services.values() for port in one.get("ports", [])]

    assert set(ports) == {"127.0.0.1"}


def test_every_file_that_is_mounted_is_there(services: dict[str, Any]) -> None:
    mounted = [v["source"] for one in services.values() for v in one.get("volumes", []) if v["type"] == "bind"]

    assert len(mounted) >= 8
    assert [path for path in mounted if not Path(path).exists()] == []


def test_worker_is_given_settings_that_exist(services: dict[str, Any]) -> None:
    given = {name: value for name, value in services["worker"]["environment"].items() if name.startswith("CASEWORK_")}
    examples = re.findall(r"(CASEWORK_\w+)=", (DEPLOY / "compose" / "casework.env.example").read_text())
    known = {f"CASEWORK_{name.upper()}" for name in Settings.model_fields}

    assert {*given, *examples} <= known
    assert Settings.from_env(given).metrics.endswith(":9464")


def test_namespace_gets_the_attributes_that_cases_are_found_by() -> None:
    made = re.findall(
        r"^(Casework\w+) (\w+)$", (DEPLOY / "compose" / "temporal-namespace.sh").read_text(), re.MULTILINE
    )

    assert [(name, kind.upper()) for name, kind in made] == [
        (key.name, key.indexed_value_type.name.replace("_", "")) for key in ALL
    ]


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("Prometheus is not installed")
    for path in (DEPLOY / "compose" / "prometheus.yaml", DEPLOY / "prometheus" / "casework.rules.yaml"):
        shutil.copy(path, tmp_path)

    run("promtool", "check", "config", tmp_path / "prometheus.yaml")


def test_image_has_the_versions_that_are_tested() -> None:
    ours, tested = (
        set(re.findall(r"^(\S+==\S+)", path.read_text(), re.MULTILINE))
        for path in (DEPLOY / "image" / "requirements.lock", REPOSITORY / "requirements.lock")
    )

    assert ours <= tested
    assert not [name for name in ours if name.startswith(("pytest", "mypy", "selenium"))]


def test_what_the_image_copies_is_all_that_the_command_needs(tmp_path: Path) -> None:
    for source, target in re.findall(r"^COPY (\S+) /app/(\S+)$", DOCKERFILE.read_text(), re.MULTILINE):
        shutil.copytree(REPOSITORY / source, tmp_path / target)
    there = {"PYTHONPATH": str(tmp_path), "CASEWORK_HOME": str(tmp_path / "home")}
    command = (sys.executable, "-m", "starters.entry")

    charter = run(*command, "charter", "request-triage", cwd=tmp_path, **there)
    settings = run(*command, "settings", "--json", cwd=tmp_path, **there)

    assert "request-triage" in charter
    assert str(tmp_path / "deploy" / "charters") in settings


def test_collector_sends_on_whatever_it_is_sent() -> None:
    told = yaml.safe_load((DEPLOY / "compose" / "collector.yaml").read_text())

    for name, pipeline in told["service"]["pipelines"].items():
        for part in ("receivers", "processors", "exporters"):
            assert set(pipeline[part]) <= set(told[part]), name
