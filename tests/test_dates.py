"""When something last was: read from words, weighed as a stretch of days, said back, kept and sent."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from chatting import STROKE, Talker, opened_library
from hypothesis import given, settings
from hypothesis import strategies as st

from api.schemas import ScreenAnswer
from chatbot.dates import Trouble, read_when
from chatbot.desk import Desk
from chatbot.screening import open_questions, screening_of
from chatbot.state import State
from chatbot.summary import facts
from nlp.eligibility.dates import NEVER, Period, read_period
from nlp.embeddings.encoder import Encoder
from ontology.errors import BadInput
from ontology.wording import LANGUAGES, period, say

TODAY = date(2026, 11, 28)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> Iterator[Desk]:
    with opened_library(tmp_path_factory.mktemp("dates"), toy_encoder, (STROKE,)) as (_, desk):
        yield replace(desk, today=lambda: TODAY)


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("i mars", "2026-03"),
        ("desember", "2025-12"),
        ("mars 2024", "2024-03"),
        ("mars 24", "2024-03"),
        ("ja, det var i mars 2021 tror jeg", "2021-03"),
        ("3. mars i fjor", "2025-03-03"),
        ("3rd of March last year", "2025-03-03"),
        ("mai/juni 2023", "2023-05/2023-06"),
        ("17. mai", "2026-05-17"),
        ("12.03.2024", "2024-03-12"),
        ("12/3/24", "2024-03-12"),
        ("03.2024", "2024-03"),
        ("2019", "2019"),
        ("i 98", "1998"),
        ("i fjor", "2025"),
        ("eg hadde det i fjor haust", "2025-09/2025-11"),
        ("i fjor sommer", "2025-06/2025-08"),
        ("last winter", "2025-12/2026-03"),
        ("sommaren 2018", "2018-06/2018-08"),
        ("jula 2023", "2023-12"),
        ("før jul", "2025-09/2025-12"),
        ("i mars for to år siden", "2024-03"),
        ("for to år siden", "2024-05/2025-05"),
        ("for två år sedan", "2024-05/2025-05"),
        ("two years ago", "2024-05/2025-05"),
        ("ca. et halvt år siden", "2026-03/2026-08"),
        ("for tre veker sidan", "2026-11-03/2026-11-10"),
        ("2-3 år sia", "2023-11/2024-11"),
        ("for noen uker siden", "2026-10-24/2026-11-14"),
        ("tre måneder", "2026-08/2026-09"),
        ("de siste 6 månedene", "2026-05/2026-11"),
        ("forrige uke", "2026-11-15/2026-11-26"),
        ("førre månad", "2026-10"),
        ("i går", "2026-11-27"),
        ("Bruker det nå", "2026-11-28"),
        ("for over ti år siden", "../2016-11"),
        ("ikke på ti år", "../2016-11"),
        ("ikke siden 2015", "2015"),
        ("husker ikke, men det var før 2010", "../2009"),
        ("på 90-tallet", "1990/1999"),
        ("2018 eller 2019", "2018/2019"),
        ("mellom 2015 og 2017", "2015/2017"),
        ("2012, 2015 og i mars 2024", "2024-03"),
        ("da jeg var 12", "1992/1993"),
        ("aldri", NEVER),
        ("nei, det har jeg ikke", NEVER),
        ("never", NEVER),
        ("husker ikke", ""),
        ("not for a long time", ""),
        ("it may have been", ""),
        ("blomkål", ""),
        ("67", ""),
    ],
)
def test_what_people_write_is_read_as_a_stretch_of_days(words: str, when: str) -> None:
    heard = read_when(words, TODAY, "nb", 45)
    assert (heard.when, heard.trouble) == (when, None)


def test_a_number_after_a_month_is_a_day_in_english() -> None:
    assert read_when("March 24", TODAY, "en").when == "2026-03-24"
    assert read_when("March 95", TODAY, "en").when == "1995-03"


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("mars 2027", Trouble.FUTURE),
        ("desember i år", Trouble.FUTURE),
        ("neste uke", Trouble.FUTURE),
        ("om to uker", Trouble.FUTURE),
        ("31.02.2020", Trouble.IMPOSSIBLE),
        ("32. mars", Trouble.IMPOSSIBLE),
        ("for 5000 år siden", Trouble.IMPOSSIBLE),
        ("2017-2015", Trouble.IMPOSSIBLE),
        ("i 1850", Trouble.IMPOSSIBLE),
        ("i 1975", Trouble.BEFORE_BIRTH),
    ],
)
def test_what_cannot_be_is_told_apart(words: str, trouble: Trouble) -> None:
    assert read_when(words, TODAY, "nb", 45).trouble is trouble


DAYS = st.dates(date(1990, 1, 1), TODAY)


@settings(deadline=None)
@given(DAYS, st.integers(0, 900), st.booleans(), st.sampled_from([4, 7, 10]), st.sampled_from(LANGUAGES))
def test_what_is_said_back_is_read_the_same(
    day: date, length: int, open_start: bool, precision: int, language: str
) -> None:
    first = read_period((day - timedelta(length)).isoformat()[:precision]).first
    when = str(Period(None if open_start else first, read_period(day.isoformat()[:precision]).last))
    assert str(read_period(when)) == when
    for words in (when, period(when, language)):
        assert read_when(words, TODAY, language).when == when


PIECES = (
    "for i om før etter ikke over 0 1 2 3 12 31 98 1999 2024 9999 99999 . / - , "
    "år uker siden ago mars jul da jeg var"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES.split()) | st.text(max_size=3), max_size=8).map(" ".join))
def test_whatever_is_written_is_a_period_or_a_reason(words: str) -> None:
    for text in (words, words.replace(" ", "")):
        heard = read_when(text, TODAY, "nb", 45)
        if heard.when not in {"", NEVER}:
            assert str(read_period(heard.when)) == heard.when


@pytest.mark.parametrize("text", ["", "in spring", "2024-13", "24-03", "2024/", "2025/2024", "never"])
def test_what_is_no_period_is_an_error(text: str) -> None:
    with pytest.raises(BadInput):
        read_period(text)


def test_one_question_serves_every_window_and_is_said_back(desk: Desk) -> None:
    talker = Talker.about(desk, STROKE.id)
    talker.say("45")
    assert talker.last.asks == "last_condition:stroke"
    assert talker.last.question == "Når hadde du sist hjerneslag?"
    assert [each.label for each in talker.last.suggestions] == ["Aldri", "Har det nå", "Vet ikke"]
    answer = talker.say("i fjor sommer")
    assert say("chat.understood_date", "nb", date="juni 2025 til august 2025") in answer.text
    assert say("chat.outcome_may_fit", "nb") in answer.text
    assert "Du svarte: juni 2025 til august 2025." in answer.text
    assert "hjerneslag, siste gang: juni 2025 til august 2025" in facts(talker.state, desk)
    talker.say("nei forresten, oktober 2026")
    assert talker.state.given["last_condition:stroke"] == "2026-10"
    assert say("chat.outcome_probably_not", "nb") in talker.last.text


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("2019", "may_fit"),
        ("forrige uke", "probably_not"),
        ("aldri", "probably_not"),
        ("2026", "unclear"),
        ("vet ikke", "unclear"),
        ("ett år siden", "may_fit"),
    ],
)
def test_a_date_decides_what_it_can_and_no_more(words: str, outcome: str, desk: Desk) -> None:
    talker = Talker.about(desk, STROKE.id)
    talker.say("45", words)
    assert (talker.last.asks, talker.state.given["age"]) == (None, 45)
    assert say(f"chat.outcome_{outcome}", "nb") in talker.last.text


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("neste uke", "date_future"),
        ("31.02.2020", "date_impossible"),
        ("1950", "date_before_birth"),
        ("blomkål", "not_understood_date"),
        ("ja", "not_understood_date"),
    ],
)
def test_what_cannot_be_or_is_no_date_is_asked_again_with_a_reason(words: str, key: str, desk: Desk) -> None:
    talker = Talker.about(desk, STROKE.id)
    talker.say("45", words)
    assert talker.last.asks == "last_condition:stroke"
    assert say(f"chat.{key}", "nb") in talker.last.text
    assert talker.state.given == {"age": 45}


def test_what_was_told_in_passing_is_not_asked(desk: Desk) -> None:
    talker = Talker.about(desk, STROKE.id)
    assert talker.say("jeg er 45 og har hatt hjerneslag").asks == "last_condition:stroke"
    talker = Talker.about(desk, STROKE.id)
    answer = talker.say("jeg er 45 og hadde hjerneslag i mars 2019")
    assert talker.state.given["last_condition:stroke"] == "2019-03"
    assert say("chat.outcome_may_fit", "nb") in answer.text


def test_one_window_alone_is_a_yes_or_a_no_and_two_of_two_studies_are_one_date(desk: Desk) -> None:
    windows = {"A": "hjerneslag de siste 6 månedene", "B": "hjerneslag de siste 30 dagene"}
    studies = {
        name: replace(STROKE, id=name, criteria=f"Eksklusjonskriterier:\n- {text}")
        for name, text in windows.items()
    }
    both = replace(desk, study=lambda name: studies[name])

    def asked(state: State) -> list[str]:
        return [each.variable for each in open_questions(state, both)]

    assert asked(State(found=("A",))) == ["age", "history:stroke@182"]
    state = State(found=("A", "B"))
    assert asked(state) == ["age", "last_condition:stroke"]
    assert asked(state.answer("history:stroke@30", None)) == ["age", "history:stroke@182"]
    assert asked(state.answer("last_condition:stroke", None)) == ["age"]


def test_what_is_sent_and_what_programs_get_keep_the_date(desk: Desk) -> None:
    talker = Talker.about(desk, STROKE.id, "en")
    talker.say("45", "two or three years ago")
    assert ("When did you last have a stroke?", "2023-11/2024-11") in screening_of(talker.state, desk).answers
    line = ScreenAnswer.of(talker.state, talker.last, desk).model_dump(mode="json")
    assert line["facts"]["answers"]["last_condition:stroke"] == "2023-11/2024-11"
