"""Answers to questions back: what a word means, and what taking part in a study is like."""

from collections.abc import Callable

from chatbot.phrases import phrase, plain, rows
from ontology.concept import load_ontology
from ontology.linker import Mention
from ontology.wording import say

TOPICS = ("safe", "privacy", "money", "withdraw", "length", "several", "joining", "robot", "eligible")


def explanation(words: str, language: str, link: Callable[[str], tuple[Mention, ...]]) -> str:
    """What `words` mean: from the glossary, or another name for the disease; "" when neither knows them."""
    if not words.strip():
        return ""
    text = plain(words)
    for row in rows("glossary.tsv"):
        if phrase(row["words"]).search(text):
            return say(f"glossary.{row['term']}", language)
    mentions = link(words)
    if not mentions:
        return ""
    name = load_ontology().get(mentions[0].concept).label(language)
    word = mentions[0].matched.strip()
    return say("chat.same_as", language, word=word, name=name) if name.casefold() != word.casefold() else ""


def about(topic: str, language: str) -> str:
    """What is true of all studies: privacy, money, risk, how to leave (R19, R22)."""
    return say(f"about_studies.{topic}", language)
