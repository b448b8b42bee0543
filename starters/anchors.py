"""Where anchors are kept, and the keys that they are signed and judged by."""

from pathlib import Path

import fsspec
import typer

from activities.anchors import Anchors
from activities.audit import Audit
from starters.refused import Refused
from starters.signing import private_key, public_half
from workers.settings import Settings

NAME = "anchor"
"""The installation's key is kept in its home under this name."""
PUBLIC_KEY_HEX = 64


def anchors(settings: Settings, audit: Audit) -> Anchors:
    files, root = fsspec.url_to_fs(settings.anchor_folder)
    return Anchors(audit, files, root)


def public_key(named: str) -> str:
    """A key in hexadecimal, or what a file of this name holds."""
    said = named if len(named) == PUBLIC_KEY_HEX or not Path(named).is_file() else Path(named).read_text()
    try:
        whole = len(bytes.fromhex(said.strip())) == PUBLIC_KEY_HEX // 2
    except ValueError:
        whole = False
    if not whole:
        raise typer.BadParameter(f"64 hexadecimal digits, or a file of them: {named!r} is neither", param_hint="--key")
    return said.strip()


def own_key(settings: Settings) -> str:
    """The public half of the installation's own key."""
    if found := private_key(settings.home, NAME):
        return public_half(found)
    raise Refused("no anchor was made from this home: name the public key with --key")
