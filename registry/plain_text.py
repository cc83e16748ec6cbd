"""Texts of other registers -> plain text: NFC, nothing invisible, no HTML, no Markdown escapes."""

import html
import re
import unicodedata
from itertools import pairwise

WRAPPED_WIDTH = range(60, 101)
"""Widest line of a text that its register broke into lines; other texts have longer or shorter ones."""

_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]\w{1,30});")
_TAG = re.compile(r"</?(?:a|b|br|div|em|font|i|li|mark|ol|p|span|strong|sub|sup|u|ul)(?:\s[^<>]*)?/?>", re.I)
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2060\ufeff\ud800-\udfff]")
_SPACE = re.compile(r"[\t\u00a0\u2000-\u200a\u202f\u3000]")
_LINE_END = re.compile(r"\r\n?|[\u2028\u2029]")
_BULLET = re.compile(r"\s*(?:[-*•·–o]\s|\(?[0-9]{1,2}[.):]|\(?[a-zA-Z][.)]\s|[ivxIVX]+[.)]\s)")


def clean(text: str) -> str:
    """Plain text with its lines kept: line ends and spaces made ordinary, at most one blank line in a row."""
    text = _LINE_END.sub("\n", text)
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0]), _TAG.sub("", text))
    text = _INVISIBLE.sub("", _SPACE.sub(" ", text))
    lines = (line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """A cleaned text on one line."""
    return " ".join(clean(text).split())


def unescape_markdown(text: str) -> str:
    r"""Markdown's backslashes removed: `\>` is `>`, `\[` is `[`. A backslash before a letter stays."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def unwrap(text: str) -> str:
    """A cleaned text whose register broke its lines at a fixed width, with those lines joined again.

    A line is joined to the next when the next one's first word had no room left on it. Other texts, and
    list items, stay as they are.
    """
    lines = text.split("\n")
    width = max(map(len, lines))
    if width not in WRAPPED_WIDTH or not any(
        _continues(line, following, width) and following[0].islower() for line, following in pairwise(lines)
    ):
        return text
    joined = lines[:1]
    for line, following in pairwise(lines):
        if _continues(line, following, width):
            joined[-1] += " " + following.strip()
        else:
            joined.append(following)
    return "\n".join(joined)


def _continues(line: str, following: str, width: int) -> bool:
    if not line.strip() or not following.strip() or _BULLET.match(following):
        return False
    return len(line) + 1 + len(following.split(maxsplit=1)[0]) > width - 12
