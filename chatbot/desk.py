"""What the dialogue needs from the rest of Studievei, as functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from chatbot import safety
from chatbot.facts import Facts, Reader
from nlp.eligibility.criteria import Criterion
from nlp.embeddings.search import Hit
from ontology.concept import Ontology
from ontology.linker import Linker
from registry.study import Study


@dataclass(frozen=True, slots=True)
class Desk:
    """The functions. None of them changes or sends anything.

    find: (words, language) -> hits, best first, the same as on every other surface.
    marks: (hits, words, language) -> what to know of each: how far it is, what it does not state.
    study: id -> Study; raises BadInput for an id that is not there.
    page: study id -> the address of its page.
    sending: (study id, language) -> the address where an interest is seen, changed, consented to and sent.
    complete, rephrase: what a language model adds (language_model.py), where there is one.
    """

    find: Callable[[str, str], Sequence[Hit]]
    marks: Callable[[Sequence[Hit], str, str], Sequence[Sequence[str]]]
    linker: Linker
    ontology: Ontology
    study: Callable[[str], Study]
    criteria_of: Callable[[Study], tuple[Criterion, ...]]
    page: Callable[[str], str]
    sending: Callable[[str, str], str]
    today: Callable[[], date]
    complete: Callable[[str, Facts, Reader], Facts] | None = None
    rephrase: Callable[[str], str] | None = None

    def warm(self) -> None:
        """Load what the first messages would wait for: loose phrases, misspelt words, ages, alarms."""
        self.linker.warm()
        safety.warm()
        Reader(self.linker, self.ontology, self.today()).read("67 år")

    def for_one_turn(self) -> "Desk":
        """The same desk, which fetches each study once: for as long as one message is answered."""
        study = cache(self.study)
        criteria = cache(lambda study_id: self.criteria_of(study(study_id)))
        return replace(self, study=study, criteria_of=lambda each: criteria(each.id))
