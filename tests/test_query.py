from dataclasses import replace
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.language import detect
from nlp.people import Asker, Subject, asker_in, person_in
from nlp.query import LONGEST, Chosen, Filters, clean, stated_age, understand
from ontology.concept import load_ontology
from ontology.errors import BadInput
from ontology.linker import Linker
from ontology.table import read_table
from registry.study import Sex

LINKER = Linker(load_ontology())
OPEN = Filters(status="open")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("jeg har vondt i leddene hver morgen", "nb"),
        ("har du noe for migrene", "nb"),
        ("eg har ikkje sove på fleire veker", "nn"),
        ("kva kan eg gjere med hjartesjukdommen min", "nn"),
        ("is there a study for people with heart failure", "en"),
        ("tired all the time", "en"),
        ("jag har ont i magen och är trött hela tiden", "sv"),
        ("hvad kan jeg gøre ved min sygdom", "da"),
        ("min mor har haft kræft", "da"),
        ("diabetes", "nb"),
        ("", "nb"),
    ],
)
def test_language_of_short_texts(text: str, language: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("kvinne 54", 54), ("gutt på 9", 9), ("jenta mi på 7 har epilepsi", 7), ("54-åring med ms", 54),
        ("9-årig gutt", 9), ("mann 70år", 70), ("61-year-old man with gout", 61), ("ungen er 8 år", 8),
        ("baby 6 mnd", 0.5), ("54 år gammel kvinne, type 2 diabetes", 54),
        ("hatt diabetes i 20 år", None), ("for 3 år siden fikk jeg slag", None), ("gravid i uke 30", None),
        ("kvinne 70 kg", None), ("type 2 diabetes", None), ("kvinne 54 og mann 60", None),
        ("jente 900", None), ("har 2 barn", None), ("HbA1c er 58", None), ("tja 67", None),
        ("hatt kols, 20 år siden", None), ("født i uke 28", None), ("i snart 20 år", None),
        ("kvinne 6 mnd gravid", None), ("mor er gravid, 3 barn", None), ("født 12 uker for tidlig", None),
        ("æ e fem og seksti", 65), ("Kvinne, 54, kols", 54), ("seksti år gammel", 60),
        ("to år gammel jente", 2),
        ("I'm sixty-seven", 67), ("født 1958", 68), ("fødd i 58", 68), ("født 12.03.1990", 36),
        ("født den 3. mai 2020", 6), ("mann født 1958, 67 år", 67), ("alder: 71", 71), ("kols, 71 år", 71),
        ("far har hatt diabetes i 20 år, er 71 år", 71),
    ],
)  # fmt: skip
def test_age_is_read_only_where_it_is_one(text: str, age: float | None) -> None:
    assert stated_age(text, 2026) == age


def test_a_year_of_birth_is_read_against_this_year() -> None:
    this_year = date.today().year
    assert understand("født 1980, astma", LINKER).filters.age == this_year - 1980
    assert understand("født 1980, astma", LINKER, year=2000).filters.age == 20


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("kvinne 54", Sex.FEMALE), ("mannen min har als", Sex.MALE), ("gutt på 9", Sex.MALE),
        ("kan man delta", None), ("jeg er mann, moren min har ms", None), ("a man with gout", Sex.MALE),
        ("diabetes", None), ("what is good for my gut so far", None), ("mor til gutt på 9", Sex.MALE),
        ("gravid med migrene", Sex.FEMALE),
    ],
)  # fmt: skip
def test_sex_is_read_only_where_it_is_clear(text: str, sex: Sex | None) -> None:
    assert person_in(text, detect(text)).sex == sex


@pytest.mark.parametrize(
    ("text", "subject", "asker"),
    [
        ("jeg har astma", Subject.SELF, Asker.SELF),
        ("I have asthma", Subject.SELF, Asker.SELF),
        ("moren min er blitt glemsk", Subject.PARENT, Asker.RELATIVE),
        ("jeg er mor til en gutt på 9", Subject.CHILD, Asker.RELATIVE),
        ("pasient 72 år med hjertesvikt", Subject.PATIENT, Asker.HEALTH_PERSONNEL),
        ("jeg er fastlege og har en mann med als", Subject.SELF, Asker.HEALTH_PERSONNEL),
        ("as a GP I look for asthma studies", Subject.SELF, Asker.HEALTH_PERSONNEL),
        ("jeg er pasient på Haukeland", Subject.SELF, Asker.SELF),
        ("fastlegen min sier jeg har kols", Subject.SELF, Asker.SELF),
        ("kols i Bergen", None, None),
        ("studier for pasienter med kols", None, None),
    ],
)
def test_who_asks_and_for_whom(text: str, subject: Subject | None, asker: Asker | None) -> None:
    person = person_in(text, detect(text))
    assert (person.subject, asker_in(text, person)) == (subject, asker)


def test_no_word_stands_for_two_people() -> None:
    table = [row.cells["word"] for row in read_table(files("nlp") / "people.tsv", "word who sex")]
    assert len(table) == len(set(table))


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("åpne studier om kols", True), ("opne studiar for astma", True), ("recruiting gout trials", True),
        ("astma, som rekrutterer nå", True), ("bare åpne", True),
        ("åpne sår på leggen", False), ("not yet recruiting asthma", False), ("astma", False),
        ("åpen hjerteoperasjon", False), ("hvorfor rekrutterer dere ikke, rekrutterer ikke astma", False),
    ],
)  # fmt: skip
def test_open_studies_are_asked_for_in_words(text: str, stated: bool) -> None:
    query = understand(text, LINKER)
    assert (query.open_stated, query.filters.status) == (stated, "open" if stated else "all")
    assert understand(text, LINKER, Chosen(without=frozenset(["open"]))).filters.status == "all"
    assert understand(text, LINKER, Chosen(OPEN, without=frozenset(["open"]))).filters.status == "open"


@pytest.mark.parametrize(
    ("text", "healthy"),
    [
        ("kan jeg være frisk frivillig", True),
        ("healthy volunteers in Oslo", True),
        ("bli frisk av kols", False),
    ],
)
def test_a_healthy_volunteer_is_one_who_says_so(text: str, healthy: bool) -> None:
    assert understand(text, LINKER).healthy_volunteer is healthy


def test_what_was_misunderstood_is_left_out_and_the_rest_stays() -> None:
    text = "kvinne 54 med sukkersyke i Bergen, frisk frivillig"
    whole = understand(text, LINKER)
    assert whole.place is not None
    parts = {
        "concept:diabetes": replace(whole, mentions=whole.mentions[1:]),
        "age": replace(whole, filters=replace(whole.filters, age=None)),
        "sex": replace(whole, filters=replace(whole.filters, sex=None)),
        "place": replace(whole, place=None, sort="best"),
        "healthy": replace(whole, healthy_volunteer=False),
        "nothing:known": whole,
    }
    for removed, left in parts.items():
        assert understand(text, LINKER, Chosen(without=frozenset([removed]))) == left
    everything = understand(text, LINKER, Chosen(without=frozenset([*parts, "concept:healthy-volunteers"])))
    assert (everything.mentions, everything.filters, everything.place) == ((), Filters(), None)


def test_a_question_is_understood() -> None:
    query = understand("  Kvinne 54 med\x00 sukkersyke ", LINKER, Chosen(OPEN))
    assert query.text == "Kvinne 54 med  sukkersyke"
    assert query.language == "nb"
    assert [mention.concept for mention in query.mentions] == ["diabetes"]
    assert query.text[query.mentions[0].start : query.mentions[0].end] == "sukkersyke"
    assert (query.filters.status, query.filters.age, query.filters.sex) == ("open", 54, Sex.FEMALE)


@pytest.mark.parametrize("text", ["", "   ", "\x00\ud800", "\u200b\n"])
def test_an_empty_question_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(BadInput, match=r"empty\. Write what to look for"):
        understand(text, LINKER)


def test_an_unknown_status_is_refused() -> None:
    gone: Any = "gone"  # what a caller without types sends
    with pytest.raises(BadInput, match="Use all, open, awaiting, closed"):
        understand("astma", LINKER, Chosen(Filters(status=gone)))
    with pytest.raises(BadInput, match="Use best, nearest, open"):
        understand("astma", LINKER, Chosen(sort=gone))


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_cleaning_leaves_writable_text_and_is_done_once(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert "\x00" not in cleaned
    assert clean(cleaned) == cleaned


def test_a_question_of_any_length_is_cut() -> None:
    assert len(clean("sukkersyke " * 10_000)) <= LONGEST
    assert understand("sukkersyke " * 10_000, LINKER).mentions
