"""Which CRM stands behind the port, as the settings say, and whether it is as the mapping expects it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import httpx2
import yaml
from pydantic import ValidationError
from sqlalchemy import Engine

from activities.crms.embedded import EmbeddedCrm
from activities.crms.hubspot import HubspotCrm
from activities.crms.port import CrmError, CrmPort, Unauthorised
from activities.crms.tryton import TrytonCrm
from schemas.crm_mapping import CrmMapping
from workers.settings import BadSettings, Settings

PATIENCE = timedelta(seconds=20)
"""Less than a step has, so that it hears of a CRM that does not answer."""
LOG = logging.getLogger(__name__)
ADAPTERS: Mapping[str, tuple[type[TrytonCrm | HubspotCrm], str]] = {
    "tryton": (TrytonCrm, "/rest/model/"),
    "hubspot": (HubspotCrm, "/"),
}
"""Of each CRM that is spoken to over HTTP: who speaks, and where below its address."""


@contextmanager
def crm_of(settings: Settings, engine: Engine) -> Iterator[CrmPort]:
    if settings.crm == "embedded":
        yield EmbeddedCrm(engine)
        return
    key = settings.crm_key.get_secret_value()
    if not key.isascii() or not key.isprintable() or not key.strip():
        raise BadSettings(f"CASEWORK_CRM_KEY: {settings.crm} needs the key of a user, in printable ASCII")
    if not settings.crm_url.startswith(("http://", "https://")):
        raise BadSettings(f"CASEWORK_CRM_URL: the address of {settings.crm} begins with http:// or https://")
    adapter, room = ADAPTERS[settings.crm]
    address = settings.crm_url.rstrip("/") + room
    headers = {"Authorization": f"Bearer {key}"}
    try:
        client = httpx2.Client(base_url=address, headers=headers, timeout=PATIENCE.total_seconds())
    except httpx2.InvalidURL as error:
        raise BadSettings(f"CASEWORK_CRM_URL: {error}") from None
    with client:
        yield adapter(client, mapping_of(settings))


def mapping_of(settings: Settings) -> CrmMapping:
    path = settings.crm_map
    try:
        return CrmMapping.model_validate(yaml.safe_load(path.read_text()))
    except OSError as error:
        raise BadSettings(f"CASEWORK_CRM_MAPPING: {path}: {error.strerror}") from None
    except yaml.YAMLError:
        raise BadSettings(f"CASEWORK_CRM_MAPPING: {path} is not YAML") from None
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, it['loc']))}: {it['msg']}".lstrip(": ") for it in error.errors())
        raise BadSettings(f"CASEWORK_CRM_MAPPING: {path}: {said}") from None


def check_crm(port: CrmPort) -> None:
    """Refuse a CRM that would take no case; one that is out of reach is waited for, as every case does."""
    try:
        faults = port.describe().faults
    except Unauthorised as error:
        raise BadSettings(f"CASEWORK_CRM_KEY: {error}") from None
    except CrmError as error:
        LOG.warning("the CRM of CASEWORK_CRM_URL cannot be checked now: %s; cases wait for it", error)
        return
    if faults:
        raise BadSettings(f"CASEWORK_CRM_MAPPING: {'; '.join(faults)}")
