import json
from datetime import date
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from chatbot.facts import Facts, Reader, When
from chatbot.language_model import LanguageModel, open_language_model
from ontology.concept import load_ontology
from ontology.errors import BadInput
from ontology.linker import Linker


@pytest.fixture(scope="module")
def reader() -> Reader:
    ontology = load_ontology()
    return Reader(Linker(ontology), ontology, date(2026, 11, 28))


def completed(message: str, answer: Any, reader: Reader) -> Facts:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    model = LanguageModel(FakeListChatModel(responses=[text]))
    return model.complete(message, reader.read(message), reader)


def test_what_the_rules_left_open_is_filled(reader: Reader) -> None:
    message = "kols er det jeg drar på"
    said = {"age": None, "sex": None, "conditions": [{"text": "kols", "status": "present"}], "drugs": []}
    assert ("copd", When.PRESENT) in [
        (c.concept, c.when) for c in completed(message, said, reader).conditions
    ]


@pytest.mark.parametrize(
    "answer",
    [
        "{not json",
        "Certainly! Here you go.",
        "[]",
        '{"conditions": "kols"}',
        '{"conditions": [1, null]}',
        '{"age": 45, "sex": "male", "conditions": [{"text": "diabetes", "status": "present"}]}',
        '{"age": 99}',
        '{"drugs": [{"text": "warfarin", "status": "current"}]}',
    ],
)
def test_broken_answers_and_invented_facts_change_nothing(answer: str, reader: Reader) -> None:
    message = "jeg har astma"
    assert completed(message, answer, reader) == reader.read(message)


def test_the_rules_decide_on_a_number_and_a_denial(reader: Reader) -> None:
    message = "jeg er 64, før det var jeg 63, og har ikke astma"
    rules = reader.read(message)
    said = {"age": 63, "conditions": [{"text": "astma", "status": "present"}]}
    assert completed(message, said, reader).conditions == rules.conditions


def test_a_model_that_is_too_slow_changes_nothing(reader: Reader) -> None:
    facts = reader.read("jeg har astma")

    class Slow(FakeListChatModel):
        def _call(self, *_args: Any, **_options: Any) -> str:
            raise TimeoutError

    slow = LanguageModel(Slow(responses=["{}"]))
    assert slow.complete("jeg har astma", facts, reader) == facts
    assert slow.rephrase("Har du astma?") == "Har du astma?"


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        ("Har du sykdommen astma?", True),
        ("Du har vel ikke astma?", False),
        ("Har du hatt astma de siste 5 årene?", False),
        ("Du er kvalifisert!", False),
        ("Har du astma? Da bør du bli med?", False),
    ],
)
def test_a_question_is_rephrased_only_when_it_asks_the_same(other: str, kept: bool) -> None:
    model = LanguageModel(FakeListChatModel(responses=[other]))
    assert model.rephrase("Har du astma?") == (other if kept else "Har du astma?")


def test_an_unknown_model_is_a_clear_error() -> None:
    with pytest.raises(BadInput, match="provider:model"):
        open_language_model("nobody:nothing")
