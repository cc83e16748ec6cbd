"""Which of five languages a short text is in, and the one tokenizer (which lives with the words)."""

from collections import defaultdict
from functools import cache
from importlib.resources import files

from ontology.table import read_roles
from ontology.words import Word, words

__all__ = ["LANGUAGES", "Word", "detect", "words"]

LANGUAGES = ("nb", "nn", "en", "sv", "da")
_LONGEST_ENDING = 10
_ENDING_WEIGHT = 0.4
_LETTER_WEIGHT = 0.3
_HEAD_START = 0.6
_MOST_WORDS = 200


def detect(text: str) -> str:
    """The likeliest of nb, nn, en, sv and da; nb where nothing tells, because the readers are in Norway.

    Little words, endings and letters vote (nlp/language.tsv), each divided by the number of languages
    that share it. Only the first 200 words are read.
    """
    votes = dict.fromkeys(LANGUAGES, 0.0) | {"nb": _HEAD_START}
    for word in words(text)[:_MOST_WORDS]:
        for language, weight in _votes(word.text.casefold()).items():
            votes[language] += weight
    return max(LANGUAGES, key=lambda language: votes[language])


def _votes(word: str) -> dict[str, float]:
    votes: defaultdict[str, float] = defaultdict(float)
    signs = [
        (word, 1.0),
        *((letter, _LETTER_WEIGHT) for letter in set(word) - {word} if not letter.isascii()),
    ]
    ending = next((e for n in range(_LONGEST_ENDING, 0, -1) if (e := f"-{word[-n:]}") in _spoken_in()), "")
    if word not in _spoken_in():
        signs.append((ending, _ENDING_WEIGHT))
    for sign, weight in signs:
        languages = _spoken_in().get(sign, ())
        for language in languages:
            votes[language] += weight / len(languages)
    return votes


@cache
def _spoken_in() -> dict[str, tuple[str, ...]]:
    languages: dict[str, tuple[str, ...]] = {}
    for language, entries in read_roles(files("nlp") / "language.tsv").items():
        for entry in entries:
            languages[entry] = (*languages.get(entry, ()), language)
    return languages
