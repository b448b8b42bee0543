"""Where people are reached: an apprise configuration file, with the ids of people as tags.

It holds secrets, and so may whatever apprise says of it: neither is logged, nor quoted in an error.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a quarter of a second, which only a worker has to spend
    from apprise import NotifyBase


class BadAddresses(Exception):
    """What is wrong with the file, and how to see more."""


@dataclass(frozen=True)
class Addresses:
    file: Path | None

    def check(self) -> None:
        """Refuse a file of which any part is not understood: it may be the part that somebody waits for."""
        if self.file is None:
            return
        from apprise import LogCapture

        quiet()
        with LogCapture(level=logging.WARNING, fmt="%(levelname)s") as faults:  # type: ignore[no-untyped-call]
            found = self._all()
        if not found or faults.getvalue():
            raise BadAddresses(
                f"apprise does not understand all of {self.file}: run 'apprise --dry-run -vv --config' on it"
            )

    def of(self, person: str) -> list["NotifyBase"]:
        """Every address of a person, in the file's order; read each time, so that a mended one counts at once."""
        quiet()
        return [address for address in self._all() if person in map(str, address.tags)]

    def _all(self) -> list["NotifyBase"]:
        from apprise import AppriseAsset
        from apprise.config.file import ConfigFile

        if self.file is None:
            return []
        try:
            self.file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not UTF-8"
            raise BadAddresses(f"{self.file} cannot be read: {why}") from None
        asset = AppriseAsset(storage_mode="memory")  # else it keeps files in the home of whoever runs the worker
        try:
            return list(ConfigFile(path=str(self.file), asset=asset).services())  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  (its words may quote an address)
            raise BadAddresses(f"apprise breaks on {self.file} ({type(error).__name__})") from None


def quiet() -> None:
    """Keep to itself what apprise logs: addresses, and at its lower levels what was sent to them."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())  # without any, Python prints what is left to standard error
    logging.getLogger("urllib3").setLevel(logging.INFO)
