"""Every route answers what its OpenAPI description says, whatever is sent (schemathesis)."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings

from hub.api import api
from hub.members.tokens import new_token

SCHEMA = api.get_openapi_schema()
METHODS = ("get", "post", "patch", "delete", "put")
schema = schemathesis.openapi.from_dict(SCHEMA)
schema.app = lambda environ, start: get_wsgi_application()(environ, start)  # made under the tests' settings


def test_every_route_declares_its_refusals():
    missing = [
        f"{method} {path}"
        for path, methods in SCHEMA["paths"].items()
        for method, operation in methods.items()
        if method in METHODS and path != "/api/v1/ping" and not {"422", 422} & set(operation["responses"])
    ]

    assert missing == []


@pytest.fixture
def token(cast):
    """Keeps the test's transaction: as in Django's test client, a request must not close the connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield new_token(cast.misaki, "schema")[1]
    for signal in signals:
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(
    max_examples=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
def test_route_answers_as_described(case, token):
    case.call_and_validate(headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"})
