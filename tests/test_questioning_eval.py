from pathlib import Path

from api.chat import open_desk
from api.library import open_library
from api.settings import Settings
from eval.talking.questioning import ask_people, median
from nlp.embeddings.encoder import Encoder
from registry.form import sample_studies


def test_fewer_questions_are_asked_than_there_are(tmp_path: Path, toy_encoder: Encoder) -> None:
    settings = Settings(data_dir=tmp_path)
    with open_library(settings, toy_encoder) as library:
        library.store.put_many(sample_studies())
        library.index.update(library.store.all())
        searches = ["kreft", "hjertesvikt", "depresjon"]
        asked = list(ask_people(open_desk(library, settings), searches))
        again = list(ask_people(open_desk(library, settings), searches))
    assert asked == again
    saved = median(asked)
    assert saved.people == len(searches)
    assert 0 < saved.asked < saved.questions
    assert saved.criteria > saved.questions / 2
