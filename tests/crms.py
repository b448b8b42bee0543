"""CRMs to test on: what lies between us and one, and each with a way to count its records on its own side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from activities.crm_port import CrmPort, Described, Written
from schemas.case import Record


@dataclass
class Through:
    """Passes everything on: what stands in the way overrides a method."""

    crm: CrmPort

    def upsert(self, record: Record) -> Written:
        return self.crm.upsert(record)

    def find(self, kind: str, values: Mapping[str, str]) -> list[str]:
        return self.crm.find(kind, values)

    def read(self, kind: str, ref: str) -> Mapping[str, JsonValue] | None:
        return self.crm.read(kind, ref)

    def describe(self) -> Described:
        return self.crm.describe()


@dataclass(frozen=True)
class Side:
    """A CRM as a test sees it: through our port, and from the other side."""

    port: CrmPort
    count: Callable[[str], int]
    """How many records of a kind stand there, asked without the adapter."""
