"""Answers to questions back: what a word means, and what taking part in a study is like."""

from collections.abc import Iterator

from chatbot.desk import Desk
from chatbot.phrases import phrase, plain, rows
from nlp.eligibility.vocabulary import tokens
from ontology.concept import Concept, FormKind
from ontology.concept import Kind as What
from ontology.found import How
from ontology.linker import Mention
from ontology.wording import LANGUAGES, catalogue, say

TOPICS = ("safe", "privacy", "money", "withdraw", "length", "several", "joining", "robot", "eligible")

_MOST_NAMES = 3
_LOOSE = (How.PHRASE, How.MISSPELT)


def explanation(words: str, language: str, desk: Desk) -> str:
    """What `words` mean: in the glossary, as something measured, as a disease or treatment; "" if unknown."""
    if not words.strip():
        return ""
    text = plain(words)
    for row in rows("glossary.tsv"):
        if phrase(row["words"]).search(text):
            return say(f"glossary.{row['term']}", language)
    return _measured(words, language) or _concept(words, language, desk)


def about(topic: str, language: str) -> str:
    """What is true of all studies: privacy, money, risk, how to leave (R19, R22)."""
    return say(f"about_studies.{topic}", language)


def _measured(words: str, language: str) -> str:
    """What a laboratory value, a measurement or a scale is."""
    helps = (f"eligibility.help_{token.name}" for token in tokens(words) if token.name)
    return next((say(key, language) for key in helps if key in catalogue()), "")


def _concept(words: str, language: str, desk: Desk) -> str:
    """What the ontology says of a disease or treatment: its names, and what it is a kind of."""
    found = sorted(desk.linker.link(words), key=lambda each: each.how in _LOOSE)
    if not found:
        return ""
    return " ".join(each[0].upper() + each[1:] for each in _sentences(found[0], language, desk))


def _sentences(mention: Mention, language: str, desk: Desk) -> Iterator[str]:
    concept = desk.ontology.get(mention.concept)
    word, name = mention.matched.strip(), concept.label(language)
    if word.casefold() != name.casefold():
        yield say("chat.same_as", language, word=word, name=name)
    if others := [each for each in _names(concept, language) if each.casefold() != word.casefold()]:
        yield say("chat.also_called", language, name=name, names=", ".join(others[:_MOST_NAMES]))
    if parents := desk.ontology.parents(concept.id):
        broader = desk.ontology.get(parents[0]).label(language)
        yield say("chat.kind_of", language, name=name, broader=broader)
    else:
        yield say(f"chat.is_a_{concept.kind}", language, name=name)
    narrower = [desk.ontology.get(each).label(language) for each in desk.ontology.descendants(concept.id)]
    if narrower and concept.kind is What.DRUG:
        yield say("chat.such_as", language, names=", ".join(narrower[:_MOST_NAMES]))


def _names(concept: Concept, language: str) -> Iterator[str]:
    """Its long name and what people call it, in the reader's language, without its label."""
    label = concept.label(language).casefold()
    spoken = language if language in LANGUAGES else "nb"
    seen = {label}
    for form in concept.forms:
        fits = form.kind is FormKind.SYNONYM and form.language == spoken
        if fits and form.text.casefold() not in seen:
            seen.add(form.text.casefold())
            yield form.text
