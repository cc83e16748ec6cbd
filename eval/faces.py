"""The pre-screening as programs meet it, opened so that it can be measured."""

from api.commands.criteria import criterion_line
from eval.eligibility import Reader
from nlp.eligibility.criteria import read_line
from nlp.eligibility.sections import Section
from ontology.concept import load_ontology
from ontology.linker import Linker


def criterion_reader() -> Reader:
    """What `studievei criteria --jsonl` says of a line."""
    ontology = load_ontology()
    linker = Linker(ontology)
    linker.warm()
    return lambda section, text: criterion_line(
        "", read_line(text, Section(section), linker, ontology), ontology
    )
