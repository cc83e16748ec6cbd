"""Schemathesis reads our own OpenAPI and asks what it allows, and what it does not."""

import warnings
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from served import served
from signed_in import account, enter
from starlette.testclient import TestClient

from nlp.embeddings.encoder import Encoder

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own dependencies warn while they are imported
    import schemathesis

EXAMPLES = 15
"""Of each operation, some as its schema has it and some against it."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("openapi"), toy_encoder) as client:
        account(client, "koordinator@sykehus.example", "coordinator")
        enter(client, "koordinator@sykehus.example")
        yield client


def test_every_operation_answers_as_it_says_and_never_with_an_error_of_ours(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 3
    modes = schemathesis.GenerationMode
    for operation in operations:
        cases = st.one_of(
            *(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE))
        )

        @seed(20261127)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def ask(case: schemathesis.Case) -> None:
            asked = case.as_transport_kwargs(base_url="https://studievei.example")
            del asked["cookies"]  # the client has its own
            case.validate_response(client.request(**asked))

        ask()
