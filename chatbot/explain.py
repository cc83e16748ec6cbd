"""Answers to questions back: what a word means, and what taking part in a study is like."""

from chatbot.desk import Desk
from chatbot.phrases import phrase, plain, rows
from ontology.wording import say

TOPICS = ("safe", "privacy", "money", "withdraw", "length", "several", "joining", "robot", "eligible")


def explanation(words: str, language: str, desk: Desk) -> str:
    """What `words` mean: from the glossary, or another name for the disease; "" when neither knows them."""
    if not words.strip():
        return ""
    text = plain(words)
    for row in rows("glossary.tsv"):
        if phrase(row["words"]).search(text):
            return say(f"glossary.{row['term']}", language)
    mentions = desk.linker.link(words)
    if not mentions:
        return ""
    name = desk.ontology.get(mentions[0].concept).label(language)
    word = mentions[0].matched.strip()
    return say("chat.same_as", language, word=word, name=name) if name.casefold() != word.casefold() else ""


def about(topic: str, language: str) -> str:
    """What is true of all studies: privacy, money, risk, how to leave (R19, R22)."""
    return say(f"about_studies.{topic}", language)
