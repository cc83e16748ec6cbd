"""What a search was understood to say and what was chosen beside it, each with the address without it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request

from api.choices import MANY, Choices
from api.labels import label
from api.pages.render import number
from nlp.query import HEALTHY, Query
from ontology.concept import Ontology
from ontology.linker import Mention
from ontology.wording import say

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a search, what it is called when it is taken away, and the address without it."""

    name: str
    text: str
    without: str


class Address:
    """The address of a search page, and those of the same search changed; all start at the first hit."""

    def __init__(self, request: Request) -> None:
        self._path = request.url.path
        dropped = {"limit", "lang"}
        self._pairs = [(k, v) for k, v in request.query_params.multi_items() if v and k not in dropped]

    @property
    def pairs(self) -> Pairs:
        """The names and values that say something, in their order."""
        return self._pairs

    def setting(self, name: str, value: str) -> str:
        """With one value of one name; "" takes it away."""
        kept = [(k, v) for k, v in self._pairs if k != name]
        return self._written([*kept, (name, value)] if value else kept)

    def without_reading(self, reading: str, **changes: str) -> str:
        """Without one more thing that the words were read as."""
        kept = [(k, v) for k, v in self._pairs if k not in changes]
        added = [] if ("without", reading) in kept else [("without", reading)]
        return self._written([*kept, *changes.items(), *added])

    def showing(self, status: str, *, open_stated: bool) -> str:
        """With studies of another status, also where the words ask for open ones."""
        if open_stated and status != "open":
            return self.without_reading("open", status=status)
        return self.setting("status", "" if status == "all" else status)

    def without_choice(self, name: str, value: str = "") -> str:
        """Without one chosen value, or without all of a name."""
        return self._written([(k, v) for k, v in self._pairs if k != name or (value and v != value)])

    def without_choices(self) -> str:
        """With the words, and with how they are read."""
        return self._written([(k, v) for k, v in self._pairs if k in {"q", "without"}])

    def _written(self, pairs: Pairs) -> str:
        return f"{self._path}?{urlencode(pairs)}"


def readings(
    asked: Query, choices: Choices, ontology: Ontology, language: str, address: Address
) -> list[Part]:
    """What the words were understood to say, in the reader's language, where nothing else was chosen."""
    found = [_concept(mention, ontology, language) for mention in asked.mentions]
    found += _about_the_person(asked, choices, language)
    return [Part(name, text, address.without_reading(reading)) for reading, name, text in found]


def chosen(choices: Choices, asked: Query, language: str, address: Address) -> list[Part]:
    """What was chosen beside the words, in the reader's language; status and order show themselves."""
    parts = []

    def part(text: str, name: str, value: str = "") -> None:
        parts.append(Part(text, text, address.without_choice(name, value)))

    if choices.near and asked.place:
        part(say("filters.near_is", language, place=asked.place.name), "near")
    if asked.filters.within is not None:
        part(say("filters.within_km", language, km=number(asked.filters.within, language)), "within")
    if choices.age is not None:
        part(say("hits.age", language, age=number(choices.age, language)), "age")
    if choices.sex is not None:
        part(say(f"hits.sex_{choices.sex}", language), "sex")
    for facet in MANY:
        for value in getattr(choices, facet):
            part(label(facet, value, language), facet, value)
    return parts


def _concept(mention: Mention, ontology: Ontology, language: str) -> tuple[str, str, str]:
    name, codes = ontology.get(mention.concept).label(language), ontology.codes(mention.concept)
    key = "hits.not_having" if mention.negated else "hits.reading"
    text = say(key, language, matched=mention.matched, label=name)
    return f"concept:{mention.concept}", name, f"{text} ({', '.join(codes)})" if codes else text


def _about_the_person(asked: Query, choices: Choices, language: str) -> Iterator[tuple[str, str, str]]:
    age, sex = asked.filters.age, asked.filters.sex
    if age is not None and choices.age is None:
        key, shown = ("hits.age_months", round(age * 12)) if age < 1 else ("hits.age", age)
        text = say(key, language, age=number(shown, language))
        yield "age", text, text
    if sex is not None and choices.sex is None:
        text = say(f"hits.sex_{sex}", language)
        yield "sex", text, text
    if asked.place is not None and not choices.near:
        yield "place", asked.place.name, say("hits.place", language, place=asked.place.name)
    if asked.healthy_volunteer and HEALTHY not in {mention.concept for mention in asked.mentions}:
        text = say("hits.healthy", language)
        yield "healthy", text, text
    if asked.open_stated:
        text = say("hits.open", language)
        yield "open", text, text
