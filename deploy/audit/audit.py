"""What we depend on: a bill of materials, and what is known to be wrong with it. `make audit`.

Exit status 1: a vulnerability is known. Where no database of them is within reach, it says that nothing was audited.
"""

import json
import subprocess
import sys
from pathlib import Path

TOOLS = Path(sys.executable).parent
LOCKS = ("requirements.lock", "requirements-ocr.lock")


def bill(environment: Path, file: Path) -> int:
    """Write what is installed as CycloneDX, and give how many components that is."""
    subprocess.run([TOOLS / "cyclonedx-py", "environment", environment, "-o", file], check=True)  # noqa: S603 - our own tool
    return len(json.loads(file.read_text())["components"])


def known(lock: str) -> tuple[int, list[str]]:
    """How many packages of a lock were looked up, and what is known to be wrong with them."""
    found = subprocess.run(  # noqa: S603 - our own tool
        [TOOLS / "pip-audit", "-r", lock, "--require-hashes", "--disable-pip", "--progress-spinner=off", "-f", "json"],
        check=False,
        capture_output=True,
        text=True,
    )
    if not found.stdout.strip():
        return 0, []
    packages = [one for one in json.loads(found.stdout)["dependencies"] if "skip_reason" not in one]
    wrong = [f"{one['name']} {one['version']}: {each['id']}" for one in packages for each in one["vulns"]]
    return len(packages), wrong


def main() -> None:
    file = Path(".audit/sbom.json")
    said = [f"{bill(Path('.venv'), file)} components are installed: {file}"]
    failed = False
    for lock in LOCKS:
        count, wrong = known(lock)
        looked = f"{count} packages looked up, {len(wrong)} known vulnerabilities"
        said.append(f"{lock}: {looked if count else 'NOT audited, no database of vulnerabilities is within reach'}")
        said += wrong
        failed = failed or bool(wrong)
    sys.stdout.write("\n".join([*said, ""]))
    sys.exit(failed)


if __name__ == "__main__":
    main()
