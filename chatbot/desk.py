"""What the dialogue needs from the rest of Studievei, as functions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from chatbot.facts import Facts, Reader
from nlp.eligibility.criteria import Criterion
from nlp.embeddings.search import Hit
from ontology.concept import Ontology
from ontology.linker import Linker
from recruitment.consent import ConsentText
from recruitment.person import Person
from recruitment.screening import Screening
from registry.study import Study


@dataclass(frozen=True, slots=True, repr=False)
class Sending:
    """What a person has consented to send; `consent` is the version of the text that they said yes to."""

    study: Study
    person: Person
    screening: Screening
    consent: str
    language: str
    submission: str


@dataclass(frozen=True, slots=True)
class Desk:
    """The functions. Only `register` changes anything, and it is called only after consent.

    find: (words, language) -> hits, best first, the same as on every other surface.
    study: id -> Study; raises BadInput for an id that is not there.
    page: study id -> the address of its page.
    register: stores and notifies; returns the address of the person's own page. Raises BadInput (a
        contact detail that cannot be one, a study that takes no interest) and Unavailable, with
        messages made for the person.
    complete, rephrase: what a language model adds (language_model.py), where there is one.
    """

    find: Callable[[str, str], Sequence[Hit]]
    linker: Linker
    ontology: Ontology
    study: Callable[[str], Study]
    criteria_of: Callable[[Study], tuple[Criterion, ...]]
    page: Callable[[str], str]
    consent_text: Callable[[Study, str], ConsentText]
    register: Callable[[Sending], str]
    today: Callable[[], date]
    complete: Callable[[str, Facts, Reader], Facts] | None = None
    rephrase: Callable[[str], str] | None = None

    def for_one_turn(self) -> "Desk":
        """The same desk, which fetches each study once: for as long as one message is answered."""
        study = cache(self.study)
        criteria = cache(lambda study_id: self.criteria_of(study(study_id)))
        return replace(self, study=study, criteria_of=lambda each: criteria(each.id))
