# SPDX-License-Identifier: Apache-2.0
"""The page about the interface says what the interface says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import handlers_of

from okd_payload.web.api.reference import REFERENCE_FILE, write_reference
from okd_payload.web.application import make_application

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / REFERENCE_FILE


@pytest.fixture
def application(site):
    """Everything that is served."""
    return make_application(site)


def test_the_page_is_up_to_date(application):
    """Write it anew with ``write_reference`` when a route has changed."""
    made = write_reference(application.openapi_schema.to_schema())
    assert REFERENCE.read_text(encoding="utf-8") == made


def test_everything_below_the_interface_is_described(application):
    """No route of it is left out, each has words, a name of its own, and its errors."""
    described = application.openapi_schema.to_schema()
    names = []
    for path, method, _ in handlers_of(application):
        if not path.startswith("/api/v2"):
            continue
        plain = path.replace(":str}", "}").replace(":path}", "}")
        operation = described["paths"][plain][method.lower()]
        assert operation["description"], path
        assert {"400", "401", "403", "429", "503"} <= set(operation["responses"]), path
        names.append(operation["operationId"])
    assert len(names) == len(set(names)) > 30
    assert described["openapi"].startswith("3.1")
    writing = [
        operation
        for item in described["paths"].values()
        for method, operation in item.items()
        if method in {"post", "delete"} and operation["operationId"] != "notifyPush"
    ]
    assert all(operation.get("security") for operation in writing)
