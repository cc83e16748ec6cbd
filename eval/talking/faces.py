"""The pre-screening as programs meet it, opened so that it can be measured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from api.chat import open_desk
from api.commands.criteria import criterion_line
from api.library import open_library
from api.schemas import ScreenAnswer
from api.settings import Settings
from chatbot.desk import Desk
from chatbot.dialogue import begin, reply
from chatbot.state import State
from eval.reading.eligibility import Reader
from eval.talking.dialogue import Conversation, Line
from nlp.eligibility.criteria import read_line
from nlp.eligibility.sections import Section
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.model import load_encoder
from ontology.concept import load_ontology
from ontology.linker import Linker
from registry.form import sample_studies


def criterion_reader() -> Reader:
    """What `studievei criteria --jsonl` says of a line."""
    ontology = load_ontology()
    linker = Linker(ontology)
    linker.warm()
    return lambda section, text: criterion_line(
        "", read_line(text, Section(section), linker, ontology), ontology
    )


@contextmanager
def conversations(
    settings: Settings, encoder: Encoder | None = None
) -> Iterator[Callable[[str], Conversation]]:
    """Starts a conversation of the pre-screening at a study, over the sample studies.

    They are kept in a folder that is thrown away at the end; only the model is that of the settings, unless
    `encoder` takes its place.
    """
    model = encoder or load_encoder(settings.encoder, settings.data_dir)
    with TemporaryDirectory() as folder:
        away = settings.model_copy(update={"data_dir": Path(folder), "database_url": ""})
        with open_library(away, model) as library:
            library.store.put_many(sample_studies())
            library.index.update(library.store.all())
            desk = open_desk(library, away)
            desk.warm()
            yield lambda study: _conversation(desk, study)


def _conversation(desk: Desk, study: str) -> Conversation:
    state, _ = begin(State(), desk, study)

    def say(message: str) -> tuple[Line, str]:
        nonlocal state
        state, answer = reply(state, message, desk)
        return ScreenAnswer.of(state, answer, desk).model_dump(mode="json"), state.to_json()

    return say
