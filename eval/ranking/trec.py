"""TREC's forms: topics (XML, and the older tagged text), qrels, and runs.

A run line is `topic Q0 document rank score name`, a qrels line `topic 0 document grade`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from eval.ranking.topics import Judgment, Topic
from ontology.errors import BadInput

Rankings = Mapping[str, tuple[str, ...]]
"""Document ids, best first, by the id of the wording that was searched (`Topic.runs`)."""

_TOP = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(\w+)>([^<]*)")
_LABEL = re.compile(r"^\s*(?:Number|Topic|Description|Narrative)\s*:\s*", re.IGNORECASE)


def read_topics(path: Path, field: str = "text") -> list[Topic]:
    """The topics of a file, each with the words of one field.

    XML: `<topic number="1" type="…">` with text, or with elements such as summary or disease; `text` is then
    all of them together. Older tagged text: `<top>` with num, title, desc and narr; `text` is the title.

    Raises:
        BadInput: the file is missing or malformed, or no topic has the field.
    """
    content = _content(path)
    found = list(_tagged(content) if _TOP.search(content) else _elements(content, path))
    topics = [Topic(name, (fields[field],), kind) for name, kind, fields in found if fields.get(field)]
    if not topics:
        known = sorted({name for _, _, fields in found for name in fields})
        raise BadInput(f"No topic of {path} has the field {field!r}. There are: {', '.join(known)}.")
    return topics


def read_qrels(path: Path) -> tuple[Judgment, ...]:
    """The judgments of a qrels file; negative grades (not judged as usual) count as 0.

    Raises:
        BadInput: the file is missing or malformed.
    """
    return tuple(_judgment(fields, where) for fields, where in _lines(path, 4))


def write_qrels(path: Path, qrels: Iterable[Judgment]) -> None:
    """Write a qrels file; it is never half there."""
    _write(path, (f"{each.topic} 0 {each.document} {each.grade}" for each in qrels))


def read_run(path: Path) -> Rankings:
    """The rankings of a run, ordered as trec_eval does: by score, equal scores by document id, highest first.

    Raises:
        BadInput: the file is missing or malformed, or ranks a document twice.
    """
    scored: dict[str, dict[str, float]] = {}
    for fields, where in _lines(path, 6):
        own = scored.setdefault(fields[0], {})
        if fields[2] in own:
            raise BadInput(f"{where}: {fields[2]} is ranked twice for {fields[0]}.")
        own[fields[2]] = _number(fields[4], where)
    return {
        name: tuple(sorted(own, key=lambda document: (own[document], document), reverse=True))
        for name, own in scored.items()
    }


def write_run(path: Path, rankings: Rankings, name: str) -> None:
    """Write a run. The scores are 1/rank, so that every reader orders it as it was."""
    tag = "-".join(name.split())
    _write(
        path,
        (
            f"{wording} Q0 {document} {rank} {1 / rank:.8f} {tag}"
            for wording, ranking in rankings.items()
            for rank, document in enumerate(ranking, 1)
        ),
    )


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}).") from error


def _tagged(content: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    for top in _TOP.findall(content):
        fields = {tag.lower(): " ".join(_LABEL.sub("", text).split()) for tag, text in _TAG.findall(top)}
        yield fields.pop("num", ""), "", {"text": fields.get("title", ""), **fields}


def _elements(content: str, path: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - the evaluator's own file, and expat caps entities
    except ElementTree.ParseError as error:
        raise BadInput(f"{path} is neither XML nor TREC's tagged text: {error}.") from None
    for topic in root.iter("topic"):
        fields = {child.tag: " ".join("".join(child.itertext()).split()) for child in topic}
        whole = " ".join(" ".join(topic.itertext()).split())
        yield topic.get("number", ""), topic.get("type", ""), {"text": whole, **fields}


def _lines(path: Path, columns: int) -> Iterator[tuple[list[str], str]]:
    for number, line in enumerate(_content(path).splitlines(), 1):
        fields = line.split()
        if fields:
            if len(fields) != columns:
                raise BadInput(f"{path}, line {number} has {len(fields)} columns, not {columns}.")
            yield fields, f"{path}, line {number}"


def _judgment(fields: list[str], where: str) -> Judgment:
    try:
        return Judgment(fields[0], fields[2], max(0, int(fields[3])))
    except ValueError:
        raise BadInput(f"{where}: the grade {fields[3]!r} is not a whole number.") from None


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{where}: the score {text!r} is not a number.") from None


def _write(path: Path, lines: Iterable[str]) -> None:
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror}). Name another file.") from error
