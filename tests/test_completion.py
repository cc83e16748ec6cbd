"""What a question may become while it is written, and what a misspelt one may have meant."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served import DIABETES, EVIL, served

from api.pages.render import highlight
from nlp.completion import Completer, Kind, Title, forms_of, titles_of
from nlp.embeddings.encoder import Encoder
from ontology.concept import load_ontology
from ontology.wording import say

COMPLETER = Completer(
    forms_of(load_ontology(), {"diabetes": 5, "asthma": 3}),
    titles_of(
        [
            Title("A", "Semaglutid som tablett for deg med diabetes type 2", "nb"),
            Title("B", "Fjøsnirkelprøven", "nb"),
        ]
    ),
)


def texts(text: str, language: str = "nb") -> list[str]:
    return [each.text for each in COMPLETER.complete(text, language)]


@pytest.mark.parametrize(
    ("written", "language", "offered"),
    [
        ("sukk", "nb", "sukkersyke"),
        ("SUKKERSY", "nb", "sukkersyke"),
        ("sukkersk", "nb", "sukkersyke"),
        ("brystkrett", "nb", "brystkreft"),
        ("kvinne 54 med mig", "nb", "kvinne 54 med migrene"),
        ("asth", "en", "asthma"),
        ("semag", "nb", "semaglutid"),
        ("tablett for", "nb", "Semaglutid som tablett for deg med diabetes type 2"),
        ("fjosnirk", "nb", "Fjøsnirkelprøven"),
    ],
)
def test_the_beginning_of_a_word_is_completed(written: str, language: str, offered: str) -> None:
    assert offered in texts(written, language)


def test_each_is_offered_once_and_studies_last() -> None:
    found = COMPLETER.complete("diab", "nb")
    assert len(found) == 8
    assert len({each.text for each in found}) == len({each.id for each in found}) == 8
    kinds = [each.kind for each in found]
    assert kinds == sorted(kinds)
    assert kinds[-1] is Kind.STUDY


@pytest.mark.parametrize("written", ["", " ", "d", "qzxqzx", "!!", "\U0010ffff"])
def test_nothing_is_offered_for_what_nobody_knows(written: str) -> None:
    assert texts(written) == []


@settings(deadline=None)  # the first one builds the speller
@given(st.text(max_size=80))
def test_any_text_is_answered_with_few(text: str) -> None:
    assert len(COMPLETER.complete(text, "nb", 5)) <= 5


def test_what_was_meant_is_asked_and_similar_studies_are_shown(toy_encoder: Encoder, tmp_path: Path) -> None:
    with served(tmp_path, toy_encoder) as client:
        best = client.get("/api/complete", params={"q": "sukkersy"}).json()["completions"][0]
        assert {"text": "sukkersyke", "kind": "concept", "language": "nb"}.items() <= best.items()
        page = client.get("/sok", params={"q": "sukersyke i Bergen"}).text
        assert say("hits.meant", "nb") in page
        assert "q=sukkersyke+i+Bergen" in page
        assert say("hits.meant", "nb") not in client.get("/sok", params={"q": "sukkersyke"}).text

        similar = client.get(f"/api/studies/{DIABETES.id}/similar").json()
        assert "EKS-01" in {each["id"] for each in similar}
        assert DIABETES.id not in {each["id"] for each in similar}
        assert all(set(each) == {"id", "title", "status"} for each in similar)
        assert client.get("/api/studies/NONE/similar").status_code == 404
        assert say("study.similar", "nb") in client.get(f"/studier/{DIABETES.id}").text


def test_matched_words_are_marked_and_nothing_else_is_markup() -> None:
    text = f"{'word ' * 60}Diabetes <b> {EVIL} and more"
    marked = str(highlight(text, ["diabetes"]))
    assert "<mark>Diabetes</mark> &lt;b&gt;" in marked
    assert "<script>" not in marked
    assert marked.startswith("… ")
    assert str(highlight("short <i>", [])) == "short &lt;i&gt;"
