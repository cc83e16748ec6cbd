from importlib.resources import files
from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.places import place_in
from nlp.query import understand
from ontology.concept import load_ontology
from ontology.linker import Linker
from ontology.table import read_table
from registry.hospital import trusts

ROWS = [
    row.cells for row in read_table(files("nlp") / "places.tsv", "name also kind ordinary latitude longitude")
]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("studier i Bergen", "Bergen"), ("nær Tromsø", "Tromsø"), ("i tromso", "Tromsø"), ("in Oslo", "Oslo"),
        ("på Haukeland", "Haukeland universitetssjukehus"), ("kols trondheim", "Trondheim"),
        ("St. Olavs i Trondheim", "St. Olavs hospital"), ("på UNN", "Universitetssykehuset Nord-Norge"),
        ("jeg bor i Bø i Vesterålen", "Bø i Vesterålen"), ("vi bur på Os", "Os"), ("i Ås", "Ås"),
        ("aurskog høland", "Aurskog-Høland"), ("Mo i Rana", "Rana"), ("i nærheten av Førde", "Sunnfjord"),
    ],
)  # fmt: skip
def test_places_are_read(text: str, name: str) -> None:
    place = place_in(text)
    assert place is not None
    assert place.name == name


@pytest.mark.parametrize(
    "text",
    [
        "i time hos legen", "Time hos legen", "JEG ER I TIME", "vond i nes", "vondt på os", "sus i ørene",
        "mosjon",
        "på ski i Østerrike", "stad og land", "i sola hele dagen", "in the long time", "mistet synet på kinn",
        "bare sol og strand", "diabetes", "Hol", "i hol. Time", "ha kols", "vi bor i Våler", "unn", "",
    ],
)  # fmt: skip
def test_ordinary_words_are_no_places(text: str) -> None:
    assert place_in(text) is None


def test_every_municipality_is_there_and_found_by_its_own_name() -> None:
    municipalities = [row for row in ROWS if row["kind"] == "municipality"]
    assert len(municipalities) == 357
    for row in ROWS:
        found = place_in(f"vi bor i {row['name']}")
        assert found is not None, row["name"]
        assert found.name == row["name"]
        assert 57.9 < found.latitude < 81
        assert 4 < found.longitude < 31.6


@pytest.mark.parametrize("name", trusts())
def test_every_health_trust_is_where_the_register_says(name: str) -> None:
    place, site = place_in(f"behandles ved {name}"), trusts()[name]
    assert place is not None
    assert site.latitude is not None
    assert site.longitude is not None
    east = (place.longitude - site.longitude) * cos(radians(site.latitude))
    assert hypot(place.latitude - site.latitude, east) * 111 < 2


def test_no_name_of_a_disease_is_a_place() -> None:
    linker = Linker(load_ontology())
    forms = [form.text for concept in load_ontology().concepts.values() for form in concept.forms]
    assert [text for text in forms if place_in(text) and understand(text, linker).place] == []


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    place_in(text)


def test_a_question_carries_its_place() -> None:
    place = understand("sukkersyke nær Tromsø", Linker(load_ontology())).place
    assert place is not None
    assert (round(place.latitude), round(place.longitude)) == (70, 19)
