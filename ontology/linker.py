"""A text in anybody's words -> the concepts it mentions, each with its place, its reason and its score."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from itertools import islice

from ontology.concept import Kind, Ontology
from ontology.context import Context
from ontology.descriptions import Descriptions
from ontology.forms import NO_CONCEPT, FormIndex
from ontology.found import Found, How, Scan, longest, scan
from ontology.misspelt import Misspelt
from ontology.names import Names
from ontology.phrases import Phrases
from ontology.shared import Shared
from ontology.table import read_roles

__all__ = ["How", "Linker", "Mention"]

_KIND_LOSS = {Kind.CONDITION: 0.0, Kind.SYMPTOM: 0.3, Kind.DRUG: 0.2, Kind.PROCEDURE: 0.35}
_MOST_DESCRIBED = 2
_TOLD_BEFORE = 0.5
_BROADER_LOSS = 0.1
_CHAPTER_LOSS = {"R": 0.2, "Z": 0.4}
"""Signs and circumstances say less of what somebody has than illnesses do."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept in a text: `text[start:end]` is `matched`; `score` is the belief in it, 0 to 1."""

    concept: str
    start: int
    end: int
    matched: str
    how: How
    score: float
    negated: bool = False
    family: bool = False


class Linker:
    """Finds mentions of an ontology's concepts. Built once; `link` keeps no state.

    Words meet in a dictionary of stems. spaCy was measured for this on 25,000 forms: its PhraseMatcher took
    0.8 s and 150 MB to build, and its tokens 23 µs a query against 1 µs; it reads patterns in nlp/query.py.
    """

    def __init__(self, ontology: Ontology) -> None:
        ordinary = read_roles(files("ontology") / "ordinary.tsv")
        cues = read_roles(files("ontology") / "cues.tsv")
        self._ontology = ontology
        self._names = Names(FormIndex(ontology, ordinary["hides"]), ordinary, cues)
        self._misspelt = Misspelt(self._names)
        self._shared = Shared(self._names)
        self._filler, self._common = cues["filler"], cues["common"]
        self._undescribing = cues["filler"] | cues["talk"] | cues["negates"]
        self._context = Context(cues)

    def link(
        self,
        text: str,
        language: str | None = None,
        *,
        forgiving: bool = True,
        describing: bool = False,
    ) -> tuple[Mention, ...]:
        """The concepts that `text` mentions, in order of belief; denied ones last.

        Mentions do not overlap, except that the readings of one ambiguous form share its place.

        Args:
            text: any text; time grows linearly with its length.
            language: nb, nn, en, sv or da; settles what a form means where languages differ.
            forgiving: also find misspelt and split words, abbreviations in small letters and loose
                phrases, as people type them. False for the text of registers, where names also share parts
                («lever- og nyresykdom»).
            describing: also guess what the text as a whole describes, overlapping the mentions. Good for
                searching; nothing that a person can be held to.
        """
        read = scan(text, language, forgiving)
        if not forgiving:
            return self._in_order(self._in_context(read, self._named(read)))
        read = self._names.levelled(read)
        found = longest(self._names.find(read))
        found = longest([*found, *self._misspelt.find(read, found)])
        if len(read.words) > 1:
            found = self._phrases.join(read, found)
            found = [each for each in found if not self._context.figurative(read.words, each.end)]
        if describing:
            found = [*found, *self._described(read, found)]
        return self._in_order(self._in_context(read, found))

    def names(self, text: str, language: str | None = None) -> Iterator[Mention]:
        """The concepts that the `text` of a register names, in order of place, whoever is said to have them.

        They are those of `link` when it is not forgiving, all with their first belief and none denied.
        """
        read = scan(text, language, False)
        for each in sorted(self._named(read)):
            yield from _mentions(read, each)

    def _named(self, read: Scan) -> list[Found]:
        found = longest(self._names.find(read))
        shortened = list(self._shared.find(read, found))
        return longest([*found, *shortened]) if shortened else found

    def _described(self, read: Scan, found: Sequence[Found]) -> Iterator[Found]:
        """What the text describes: nothing known already, and more than the conditions it names.

        Where the tables know what the same words mean, that is believed more.
        """
        known = {reading.concept for each in found for reading in each.readings}
        named = {i for each in found if self._names_condition(each) for i in range(each.first, each.end)}
        if len(named) == len(read.words):
            return
        fresh = (
            (at, described)
            for at, described in self._descriptions.find(read)
            if at > named and described.readings[0].concept not in known
        )
        for at, described in islice(fresh, _MOST_DESCRIBED):
            told = any(at <= set(range(each.first, each.end)) for each in found)
            if not self._means_nothing(read, found, at):
                yield described.rescored(How.DESCRIBED, _TOLD_BEFORE) if told else described

    def _means_nothing(self, read: Scan, found: Iterable[Found], at: frozenset[int]) -> bool:
        """Whether some of these words are no illness where they stand: «mistet hodet»."""
        hidden = (each for each in found if all(r.concept == NO_CONCEPT for r in each.readings))
        return self._context.figurative(read.words, max(at) + 1) or any(
            not at.isdisjoint(range(each.first, each.end)) for each in hidden
        )

    def _names_condition(self, found: Found) -> bool:
        return any(
            r.how is not How.PHRASE
            and r.concept != NO_CONCEPT
            and self._ontology.get(r.concept).kind is Kind.CONDITION
            for r in found.readings
        )

    @cached_property
    def _descriptions(self) -> Descriptions:
        return Descriptions(self._ontology, self._undescribing, self._common)

    @cached_property
    def _phrases(self) -> Phrases:
        return Phrases(self._ontology, self._filler)

    def warm(self) -> None:
        """Load what the first loose phrase and misspelt word would wait for (0.7 s; 75 MB of dictionary)."""
        nothing = scan("", None, True)
        self._phrases.join(nothing, ())
        next(self._descriptions.find(nothing), None)
        self._misspelt.warm()

    def _in_context(self, read: Scan, found: Iterable[Found]) -> list[Mention]:
        mentions: list[Mention] = []
        end_of_denied = -1
        for each in sorted(found):
            negated = self._context.negated(read.words, each.first) or (
                end_of_denied >= 0 and self._context.carries_on(read.words, end_of_denied, each.first)
            )
            end_of_denied = each.end if negated else -1
            family = self._context.family(read.words, each.first, each.end)
            mentions.extend(_mentions(read, each, negated=negated, family=family))
        return mentions

    def _in_order(self, mentions: list[Mention]) -> tuple[Mention, ...]:
        if len(mentions) > 1:
            narrow = {above for each in mentions for above in self._ontology.ancestors(each.concept)}
            mentions = [
                replace(each, score=each.score - _BROADER_LOSS) if each.concept in narrow else each
                for each in mentions
            ]
        return tuple(sorted(mentions, key=self._doubt))

    def _doubt(self, mention: Mention) -> tuple[bool, float, int]:
        concept = self._ontology.get(mention.concept)
        chapter = concept.icd10[0][0] if concept.icd10 else ""
        loss = max(_KIND_LOSS[concept.kind], _CHAPTER_LOSS.get(chapter, 0.0))
        return mention.negated, loss - mention.score, mention.start


def _mentions(read: Scan, found: Found, *, negated: bool = False, family: bool = False) -> Iterator[Mention]:
    """A mention for each reading of the words found."""
    start, end = read.words[found.first].start, read.words[found.end - 1].end
    return (
        Mention(each.concept, start, end, read.text[start:end], each.how, each.score, negated, family)
        for each in found.readings
        if each.concept != NO_CONCEPT
    )
