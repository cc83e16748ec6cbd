import json
import re
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, quote

import pytest
from served import DIABETES, EVIL, Page, served
from starlette.testclient import TestClient

from nlp.embeddings.encoder import Encoder
from ontology.wording import catalogue, say

PAGES = (
    "/",
    "/sok",
    "/sok?q=sukkersyke",
    "/sok?q=qzxqzx",
    "/studier/NCT-1",
    "/lege",
    "/om",
    "/personvern",
    "/gone",
)
_KEY = re.compile(r't\("([a-z_]+\.[a-z_]+)"[,)]')


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("pages"), toy_encoder) as client:
        yield client


@pytest.fixture(autouse=True)
def _forget_the_language(client: TestClient) -> None:
    client.cookies.clear()


def test_every_text_that_a_template_names_is_in_the_catalogue() -> None:
    folder = files("api.pages") / "templates"
    named = {key for item in folder.iterdir() for key in _KEY.findall(item.read_text("utf-8"))}
    assert named
    assert named <= set(catalogue())


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_in_every_language(client: TestClient, path: str, language: str) -> None:
    page = Page(client.get(path, headers={"cookie": f"language={language}"}).text)
    assert page.all("html", lang=language)
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    labelled = {label.get("for") for label in page.all("label")}
    for field in page.all("input") + page.all("textarea"):
        assert field.get("type") in {"hidden", "radio"} or field.get("id") in labelled
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PAGES)
def test_no_page_fetches_or_runs_anything_from_another_site(client: TestClient, path: str) -> None:
    page = Page(client.get(path).text)
    fetched = [link["href"] for rel in ("stylesheet", "icon") for link in page.all("link", rel=rel)]
    assert fetched
    assert all(str(address).startswith("/static/") for address in fetched)
    assert all(client.get(str(address)).status_code == 200 for address in fetched)
    assert not any("style" in attributes for _, attributes in page.elements)
    run = [script for script in page.all("script") if script.get("type") != "application/ld+json"]
    assert all(str(script["src"]).startswith("/static/") for script in run)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_only_a_choice_of_language_sets_a_cookie_and_it_is_remembered(client: TestClient) -> None:
    assert "set-cookie" not in client.get("/").headers
    assert "set-cookie" not in client.get("/?lang=xx").headers
    assert client.get("/?lang=nn").headers["set-cookie"].startswith("language=nn;")
    assert Page(client.get("/om").text).all("html", lang="nn")


def test_the_examples_of_the_front_page_lead_to_hits(client: TestClient) -> None:
    page = Page(client.get("/").text)
    examples = [str(link["href"]) for link in page.all("a") if "/sok?q=" in str(link.get("href"))]
    assert f"/sok?q={quote('sukkersyke')}" in examples
    assert 'class="hits"' in client.get(f"/sok?q={quote('sukkersyke')}").text


def test_a_hit_shows_both_statuses_and_marks_an_invented_study(client: TestClient) -> None:
    text = client.get("/sok", params={"q": "diabetes", "status": "open"}).text
    for key in ("status.open", "status_full.open", "site.sample", "hits.doubt"):
        assert say(key, "nb") in text
    assert say("status_full.completed", "nb") not in text


def test_a_search_without_a_word_or_with_too_many_says_so(client: TestClient) -> None:
    assert say("hits.empty", "nb") in client.get("/sok?q=%00%20").text
    response = client.get("/sok", params={"q": "a" * 2_001})
    assert response.status_code == 422
    assert say("hits.too_long", "nb", maximum=2000) in response.text


@pytest.mark.parametrize(
    "odd", ["limit=-1", "limit=many", "limit=%C2%B2", "limit=999999999999", "status=gone", "x=1"]
)
def test_odd_parameters_do_no_harm(client: TestClient, odd: str) -> None:
    response = client.get(f"/sok?q=diabetes&{odd}")
    assert response.status_code == 200
    assert 'class="hits"' in response.text


UNDERSTOOD = "åpne studier for kvinne 54 med diabetes i Bergen"
REMOVABLE = {
    "concept:diabetes": "Fjern: diabetes",
    "age": "Fjern: Alder: 54 år",
    "sex": "Fjern: Kjønn: kvinne",
    "place": "Fjern: Bergen",
    "open": "Fjern: Bare åpne studier",
}


def test_all_that_was_understood_is_shown_and_each_can_be_taken_away(client: TestClient) -> None:
    page = Page(client.get("/sok", params={"q": UNDERSTOOD, "limit": "20"}).text)
    links = page.all("a", **{"class": "remove"})
    assert [link["aria-label"] for link in links] == list(REMOVABLE.values())
    assert say("hits.place", "nb", place="Bergen") in page.words
    for link, (reading, name) in zip(links, REMOVABLE.items(), strict=True):
        address = str(link["href"])
        assert parse_qs(address.partition("?")[2]) == {"q": [UNDERSTOOD], "without": [reading]}
        left = Page(client.get(address).text).all("a", **{"class": "remove"})
        assert [each["aria-label"] for each in left] == [each for each in REMOVABLE.values() if each != name]


def test_readings_are_taken_away_one_after_another_until_none_is_left(client: TestClient) -> None:
    address = f"/sok?q={quote(UNDERSTOOD)}"
    for count in range(len(REMOVABLE), 0, -1):
        links = Page(client.get(address).text).all("a", **{"class": "remove"})
        assert len(links) == count
        address = str(links[0]["href"])
    page = client.get(address).text
    assert 'class="remove"' not in page
    assert say("hits.plain_words", "nb") in page


def test_all_studies_can_be_chosen_though_the_words_say_open(client: TestClient) -> None:
    def choices(address: str) -> list[dict[str, str | None]]:
        wanted = {"class": "choices"}
        html = client.get(address).text.partition(f'<ul class="{wanted["class"]}"')[2].partition("</ul>")[0]
        return Page(html).all("a")

    every, only, *_ = choices(f"/sok?q={quote('åpne studier om diabetes')}")
    assert ("aria-current" in every, "aria-current" in only) == (False, True)
    every, only, *_ = choices(str(every["href"]))
    assert ("aria-current" in every, "aria-current" in only) == (True, False)
    every, only, *others = choices(str(only["href"]))
    assert ("aria-current" in every, "aria-current" in only) == (False, True)
    for other in others:
        assert choices(str(other["href"])).index(dict(other, **{"aria-current": "true"})) > 1


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_what_is_taken_away_is_named_in_the_readers_language(client: TestClient, language: str) -> None:
    page = Page(client.get("/sok", params={"q": "diabetes, jente 6 mnd", "lang": language}).text)
    names = [str(link["aria-label"]) for link in page.all("a", **{"class": "remove"})]
    assert names[0] == say("hits.remove", language, name="diabetes")
    assert names[1] == say("hits.remove", language, name=say("hits.age_months", language, age=6))


def test_what_is_left_out_in_the_address_is_never_run(client: TestClient) -> None:
    response = client.get("/sok", params={"q": "diabetes i Bergen", "without": [EVIL, "", "concept:"]})
    assert response.status_code == 200
    assert "<script>" not in response.text
    assert len(Page(response.text).all("a", **{"class": "remove"})) == 2


def test_no_hits_gives_advice_and_other_registers(toy_encoder: Encoder, tmp_path: Path) -> None:
    with served(tmp_path, toy_encoder, []) as client:
        text = client.get("/sok", params={"q": "sukkersyke", "status": "open"}).text
    assert say("hits.none_text", "nb") in text
    assert (
        "https://clinicaltrials.gov/search?cond=diabetes&amp;aggFilters=status%3Arec&amp;country=Norway"
        in text
    )
    assert "%22msc%22%3A%5B578%5D" in text
    assert "https://trialsearch.who.int/" in text


def test_hits_that_only_look_alike_are_not_passed_off_as_answers(client: TestClient) -> None:
    text = client.get("/sok", params={"q": "qzxqzx"}).text
    assert say("hits.none_title", "nb") in text
    shown, _, alike = text.partition('<details class="alike">')
    assert "/studier/" not in shown
    assert "/studier/" in alike
    text = client.get("/sok", params={"q": "diabetes"}).text
    assert say("hits.none_title", "nb") not in text
    assert "/studier/" in text.partition('<details class="alike">')[0]


def test_words_of_danger_show_whom_to_call(client: TestClient) -> None:
    assert say("safety.suicide", "nb") in client.get("/sok", params={"q": "jeg vil ikke leve lenger"}).text
    assert 'role="alert"' not in client.get("/sok", params={"q": "diabetes"}).text


def test_what_is_typed_is_shown_and_never_run(client: TestClient) -> None:
    text = client.get("/sok", params={"q": EVIL}).text
    assert "<script>" not in text
    assert Page(text).all("input", name="q")[0]["value"] == EVIL


def test_what_a_register_says_is_shown_and_never_run(client: TestClient) -> None:
    text = client.get("/studier/NCT-2").text
    assert "<script>" not in text
    assert not any("javascript" in str(link.get("href")) for link in Page(text).all("a"))
    trial = re.search(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    assert trial
    assert json.loads(trial[1])["name"] == f"Hostile {EVIL}"


def test_a_study_page_says_what_who_where_and_how(client: TestClient) -> None:
    page = Page(client.get("/studier/NCT-1").text)
    for words in (
        DIABETES.title,
        DIABETES.summary,
        "Du må være mellom 18 og 75 år.",
        "Myocardial infarction",
        "hjerteinfarkt",
        "Oslo University Hospital",
        DIABETES.mailbox,
        "3. november 2026",
        say("study.exclusion", "nb"),
        say("site.disclaimer", "nb"),
        say("study.expect_drug", "nb"),
    ):
        assert words in page.words
    assert "private@hospital.example" not in page.words
    assert page.all("link", rel="canonical")[0]["href"] == "https://studievei.example/studier/NCT-1"
    assert {link["hreflang"] for link in page.all("link", rel="alternate")} == {"nb", "nn", "en"}
    assert page.all("meta", name="description")[0]["content"]


def test_an_invented_study_says_so_on_its_page(client: TestClient) -> None:
    assert say("site.sample_note", "nb") in client.get("/studier/EKS-01").text


def test_search_engines_find_real_studies_and_no_invented_or_personal_pages(client: TestClient) -> None:
    sitemap = client.get("/sitemap.xml").text
    assert "<loc>https://studievei.example/studier/NCT-1</loc><lastmod>2026-11-03</lastmod>" in sitemap
    assert "EKS-" not in sitemap
    robots = client.get("/robots.txt").text
    for path in ("/innboks/", "/interesse/", "/sok"):
        assert f"Disallow: {path}\n" in robots


def test_a_page_that_is_not_there_says_so_plainly(client: TestClient) -> None:
    response = client.get("/studier/NCT-404")
    assert response.status_code == 404
    assert say("trouble.not_found_text", "nb") in response.text
    assert "NCT-404 " not in response.text


def test_the_chat_opens_beside_the_pages_and_is_listed_nowhere(toy_encoder: Encoder, tmp_path: Path) -> None:
    with served(tmp_path, toy_encoder, [DIABETES], chat=True) as client:
        first = client.get("/chat?study=NCT-1")
        assert first.status_code in {200, 503}
        deadline = time.monotonic() + 60
        while (page := client.get("/chat/?study=NCT-1")).status_code == 503 and time.monotonic() < deadline:
            assert say("trouble.chat_opening", "nb") in page.text
            time.sleep(0.2)
        assert page.status_code == 200
        assert "gradio" in page.text
        assert page.headers["x-robots-tag"] == "noindex"
        assert "connect-src 'self'" in page.headers["content-security-policy"]
        assert "/chat?study=NCT-1" in client.get("/studier/NCT-1").text
