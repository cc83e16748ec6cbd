from collections.abc import Iterator

import pytest
from served import EVIL, Page, served
from starlette.testclient import TestClient

from nlp.embeddings.encoder import Encoder
from ontology.wording import say


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("gp"), toy_encoder) as client:
        yield client


def _sections(text: str, title: str) -> str:
    """The part of the page about one study."""
    return next(part for part in text.split('<section class="card patient">') if title in part)


def test_criteria_come_out_as_met_not_met_and_unknown(client: TestClient) -> None:
    response = client.post(
        "/lege", data={"age": "54", "sex": "female", "diagnoses": "diabetes type 2, hjerteinfarkt"}
    )
    assert response.status_code == 200
    assert say("gp.has", "nb", label="hjerteinfarkt") in response.text
    about = Page(_sections(response.text, "A tablet for type 2 diabetes")).words
    assert say("outcome.probably_not", "nb") in about
    for truth in ("met", "not_met", "unknown"):
        assert say(f"truth.{truth}", "nb") in about
    assert say("truth.exclusion_not_met", "nb") in about


def test_what_was_not_said_is_unknown_and_does_not_exclude(client: TestClient) -> None:
    text = client.post("/lege", data={"diagnoses": "diabetes type 2"}).text
    about = Page(_sections(text, "A tablet for type 2 diabetes")).words
    assert say("outcome.probably_not", "nb") not in about
    assert say("truth.not_met", "nb") not in about


def test_what_the_patient_does_not_have_counts_as_not_having(client: TestClient) -> None:
    text = client.post("/lege", data={"diagnoses": "diabetes type 2, ikke hjerteinfarkt"}).text
    assert say("gp.has_not", "nb", label="hjerteinfarkt") in text


def test_only_open_studies_come_those_that_may_fit_first(client: TestClient) -> None:
    text = client.post("/lege", data={"age": "30", "sex": "male", "diagnoses": "diabetes"}).text
    marks = [m["class"] for m in Page(text).all("span") if m.get("class", "").startswith("mark ")]  # type: ignore[union-attr]
    outcomes = [str(mark).removeprefix("mark ") for mark in marks]
    order = [each for each in outcomes if each in {"may_fit", "unclear", "probably_not"}]
    assert order == sorted(order, key=["may_fit", "unclear", "probably_not"].index)
    assert order
    assert say("status.completed", "nb") not in text


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"age": "abc", "diagnoses": "kols"}, "gp.wrong_age"),
        ({"age": "121", "diagnoses": "kols"}, "gp.wrong_age"),
        ({"age": "-1", "diagnoses": "kols"}, "gp.wrong_age"),
        ({"sex": "x", "diagnoses": "kols"}, "gp.wrong_sex"),
        ({"diagnoses": " "}, "gp.wrong_diagnoses"),
        ({}, "gp.wrong_diagnoses"),
        ({"diagnoses": "a" * 2_001}, "gp.wrong_diagnoses"),
        ({"diagnoses": "kols 010190 12345"}, "gp.identity_number"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_the_rest_is_kept(
    client: TestClient, fields: dict[str, str], key: str
) -> None:
    response = client.post("/lege", data={"age": "54"} | fields)
    assert response.status_code == 422
    message = say(key, "nb", maximum=2000) if "diagnoses" in key else say(key, "nb")
    assert message in response.text
    assert Page(response.text).all("input", name="age")[0]["value"] == ({"age": "54"} | fields)["age"]


def test_nothing_is_kept_in_the_address_a_cookie_a_cache_or_a_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.post("/lege", data={"age": "54", "diagnoses": "sjelden plantadiagnose"})
    assert str(response.url) == "https://studievei.example/lege"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-robots-tag"] == "noindex"
    assert "set-cookie" not in response.headers
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert "plantadiagnose" not in " ".join(ours)


def test_what_is_written_is_never_run(client: TestClient) -> None:
    assert "<script>" not in client.post("/lege", data={"diagnoses": f"diabetes {EVIL}"}).text
