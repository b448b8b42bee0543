"""Charters as files: read strictly, so that whoever mends one is told the line."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from schemas.charter import Charter
from starters.refused import Refused

C = TypeVar("C", bound=Charter[Any])


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once: of two, PyYAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} stands there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def charter_in(path: Path, shape: type[C]) -> C:
    """Load a charter; raises Refused with every problem and its line."""
    try:
        text = path.read_text()
        # Strict here, where a person can mend it: in a message, unknown fields are tomorrow's.
        return shape.model_validate(yaml.load(text, _Strict), extra="forbid")  # noqa: S506  (a SafeLoader)
    except ValidationError as error:
        root = yaml.compose(text, _Strict)
        told = "\n".join(f"line {_line(root, it['loc'])}: {_named(it['loc'])}{it['msg']}" for it in error.errors())
        raise Refused(f"the charter {path} is wrong:\n{told}") from None
    except (yaml.YAMLError, OSError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(f"the charter {path} is wrong: {error}") from None


def _named(place: tuple[str | int, ...]) -> str:
    return f"{'.'.join(map(str, place))}: " if place else ""


def _line(node: yaml.Node | None, place: tuple[str | int, ...]) -> int:
    """The line of the innermost part that is there."""
    line = node.start_mark.line + 1 if node else 1
    for name in place:
        if isinstance(node, yaml.SequenceNode) and isinstance(name, int):
            node = node.value[name]
        elif isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(name)]
            if not found:
                return line
            key, node = found[0]
            line = key.start_mark.line + 1
            continue
        else:
            return line
        line = node.start_mark.line + 1
    return line
