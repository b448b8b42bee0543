"""The import rule: rooms look inward only, and the settings alone read the environment."""

import ast
import sys
from pathlib import Path

ROOMS = ("starters", "workers", "workflows", "activities", "schemas")
ROOT = Path(__file__).parents[2]
TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for room in ROOMS for path in (ROOT / room).rglob("*.py")}


def imported(file: Path) -> set[str]:
    nodes = list(ast.walk(TREES[file]))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    named = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0]
    return {name.partition(".")[0] for name in plain + named}


def test_rooms_import_inward_only() -> None:
    outer = {file: {"tests", *ROOMS[: ROOMS.index(file.parts[0])]} for file in TREES}

    assert {str(file): found for file in TREES if (found := imported(file) & outer[file])} == {}


def test_schemas_need_pydantic_alone_and_tables_sqlmodel_too() -> None:
    library = {"schemas", "pydantic", *sys.stdlib_module_names}
    extra = {Path("schemas/tables.py"): {"sqlmodel", "sqlalchemy"}}
    schemas = [file for file in TREES if file.parts[0] == "schemas"]

    assert {str(file): found for file in schemas if (found := imported(file) - library - extra.get(file, set()))} == {}


def test_only_the_settings_read_the_environment() -> None:
    ways = {"environ", "environb", "getenv", "getenvb", "envvar"}
    names = {
        file: {getattr(node, part, None) for node in ast.walk(tree) for part in ("attr", "id", "name", "arg")}
        for file, tree in TREES.items()
    }

    assert [str(file) for file in TREES if names[file] & ways] == ["workers/settings.py"]
