"""A text in anybody's words -> what it speaks of, what it wants, and the numbers to call."""

from dataclasses import dataclass
from enum import StrEnum

from chatbot.safety import check
from nlp.query import HEALTHY, Query, understand
from ontology.concept import Ontology
from ontology.linker import Linker


class Intent(StrEnum):
    """What a text wants; an emergency comes before everything else."""

    EMERGENCY = "emergency"
    CONDITION = "condition"
    HEALTHY_VOLUNTEER = "healthy_volunteer"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Linked:
    """A text as it was understood. `help` holds the numbers to show, the most urgent first."""

    query: Query
    intent: Intent
    help: tuple[str, ...]


def link(text: str, linker: Linker, ontology: Ontology) -> Linked:
    """Understand one text.

    Raises:
        BadInput: the text is empty.
    """
    query = understand(text, linker)
    numbers = check(query.text).help
    return Linked(query, Intent.EMERGENCY if numbers else _intent(query, ontology), numbers)


def _intent(query: Query, ontology: Ontology) -> Intent:
    if query.healthy_volunteer and not query.mentions:
        return Intent.HEALTHY_VOLUNTEER
    named = [mention.concept for mention in query.mentions if not mention.negated]
    if any(ontology.codes(each) for each in named):
        return Intent.CONDITION
    healthy = {HEALTHY, *ontology.descendants(HEALTHY)} if HEALTHY in ontology.concepts else set()
    return Intent.HEALTHY_VOLUNTEER if healthy.intersection(named) else Intent.NONE
