"""The API against its own description, by schemathesis: no input makes it fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.conftest import CHANNELS, KEY
from tests.web.serving import serving

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OPERATIONS = [
    ("/api/v1/reports", "POST"),
    ("/api/v1/reports", "GET"),
    ("/api/v1/reports/{reference}", "GET"),
]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("hub"), CHANNELS) as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_the_api_never_fails(url: str, path: str, method: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")[path][method]
    key = st.sampled_from([{"X-API-Key": KEY}, {}])

    @settings(
        max_examples=50,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), headers=key)
    def attempt(case: schemathesis.Case, headers: dict[str, str]) -> None:
        answer = case.call(headers=headers, timeout=40)
        assert answer.status_code < 500
        case.validate_response(answer, checks=CHECKS)

    attempt()
