"""The description of the API is made without a complaint, and says what a reader of it needs."""

import io
from typing import Any

import pytest
import yaml
from django.core.management import call_command


@pytest.fixture(scope="module")
def description() -> Any:
    """Made as `manage.py spectacular` does; any warning fails."""
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def test_it_says_how_to_sign_in(description: Any) -> None:
    schemes = description["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    assert {"token": []} in description["paths"]["/api/v1/deviceGroups/{id}"]["get"]["security"]


def test_every_operation_has_a_name_of_its_own(description: Any) -> None:
    names = [each["operationId"] for path in description["paths"].values() for each in path.values()]
    assert len(names) == len(set(names)) > 50
