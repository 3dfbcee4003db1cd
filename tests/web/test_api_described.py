"""The API keeps to its own description: Schemathesis asks it everything that the description allows, and more."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans

from pillarbox.store.connect import connect
from pillarbox.store.schema import metadata
from pillarbox.web.api import guard, openapi
from pillarbox.web.api.operations import OPERATIONS, Operation
from tests.web.asking import NAME, Desk, desk, fill

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it is built upon says of itself at import
    import schemathesis



@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A filled project, where nobody is ever told to wait."""
    folder: Path = tmp_path_factory.mktemp("api")
    store = connect("sqlite:///test.db", folder)
    metadata.create_all(store.writer)
    fill(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guard, "STRANGERS_PER_MINUTE", 1_000_000)
        yield desk(store)
    store.close()


@pytest.fixture(scope="module")
def description(asked: Desk) -> Any:
    """As the application itself serves it."""
    return schemathesis.openapi.from_asgi("/api/openapi.json", asked.client.app)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_answers_are_as_described(operation: Operation, mode: schemathesis.GenerationMode, description: Any,
                                  asked: Desk) -> None:
    """Status, headers, media type and body, for good questions and for bad ones, with a token and without."""
    described = description[operation.path]["GET"]

    @given(case=described.as_strategy(generation_mode=mode), known=booleans())
    @settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))
    def ask(case: Any, known: bool) -> None:
        if known and "name" in case.path_parameters:
            case.path_parameters["name"] = NAME  # so that half of the questions find something
        if mode is schemathesis.GenerationMode.POSITIVE and case.query:
            case.query.pop("cursor", None)  # none but our own are good, and no description can say which
        case.call_and_validate(headers={"Authorization": f"Bearer {asked.token}"})

    ask()


def test_the_description_is_openapi() -> None:
    """Valid by the standard's own schema, and every answer has a model."""
    described = openapi.describe(OPERATIONS, base_url="https://letters.example.org")
    schemathesis.openapi.from_dict(described).validate()
    assert described["servers"] == [{"url": "https://letters.example.org/api"}]
    assert set(described["paths"]) == {operation.path for operation in OPERATIONS}


def test_the_description_is_served_to_everybody(asked: Desk) -> None:
    """It holds no secret."""
    found = asked.client.get("/api/openapi.json")
    assert (found.status_code, found.json()["openapi"]) == (200, "3.1.0")
