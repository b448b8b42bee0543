"""The file of endpoints: what is wrong in it is said, and no key with it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.models import models
from workers.settings import REPOSITORY, BadSettings, Settings

KEY = "sk-a-key-nobody-may-see"


def of(folder: Path, *endpoints: dict[str, Any], **more: Any) -> Settings:
    file = folder / "models.yaml"
    file.write_text(yaml.safe_dump({"as_of": "2026-11-01", "endpoints": list(endpoints), **more}))
    return Settings(home=folder, models=file)


def one(**changes: Any) -> dict[str, Any]:
    return {"name": "main", "model": "large", "url": "https://models.example.com/v1", "key": KEY, **changes}


def test_shipped_example_is_understood() -> None:
    assert [each.name for each in models(Settings(models=REPOSITORY / "deploy" / "models.example.yaml"))] == [
        "main",
        "spare",
    ]


@pytest.mark.parametrize(
    ("endpoints", "problem"),
    [
        ([one(name="Main!")], "endpoints.0.name"),
        ([one(), one()], "more than one endpoint is called main"),
        ([one(requests_per_minute=0)], "endpoints.0.requests_per_minute"),
        ([one(price=1)], "endpoints.0.price"),
        ([one(personal_data="local")], "models.example.com is no address of this machine"),
        ([one(personal_data="local", url="")], "api.openai.com is no address"),
        ([one(personal_data="redact", examples=True)], "is sent examples as they stand"),
    ],
)
def test_mistake_is_told_without_the_key(tmp_path: Path, endpoints: list[dict[str, Any]], problem: str) -> None:
    with pytest.raises(BadSettings) as refused:
        models(of(tmp_path, *endpoints))

    assert problem in str(refused.value)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8790/v1", "http://localhost:1/v1", "http://10.1.2.3/v1"])
def test_endpoint_of_ones_own_may_be_local(tmp_path: Path, url: str) -> None:
    assert models(of(tmp_path, one(personal_data="local", url=url)))[0].personal_data == "local"
