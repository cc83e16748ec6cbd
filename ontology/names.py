"""Names and abbreviations of concepts in a text: whole, written apart, or inside a compound."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from ontology.concept import FormKind
from ontology.forms import SHORTEST_PART, Entry, FormIndex, spoken
from ontology.found import Found, How, Reading, Scan
from ontology.words import inflects, is_spoken, levelled, same_marks, stem

_SHORTEST_COMPOUND = 8
_JOINTS = ("", "s", "e", "r")
_MOST_JOINED = 3
_SHORTEST_END = 4
_SHORTEST_FOREIGN = 6
_SURE_UNMARKED = 7
_RUNS_KEPT = 1 << 14


class _Run(NamedTuple):
    """Words as written that stand together, and all that decides what they mean.

    `key` are their stems joined by spaces, `spelt` their plain spellings; `parted`: a clause ends inside.
    """

    key: str
    text: str
    spelt: str
    parted: bool
    in_company: bool
    language: str | None
    forgiving: bool
    cased: bool


class Names:
    """Finds names, guided by the words of ontology/ordinary.tsv and ontology/cues.tsv."""

    def __init__(
        self, index: FormIndex, ordinary: Mapping[str, frozenset[str]], cues: Mapping[str, frozenset[str]]
    ) -> None:
        self.index = index
        self.everyday = ordinary["everyday"]
        self.heads = frozenset(stem(word) for word in ordinary["head"])
        self._undoes, self._in_company = ordinary["undoes"], ordinary["in_company"]
        self._told = ordinary["told"]
        self._before, self._after = cues["before"], cues["after"]
        self._parts: dict[str, tuple[str, float]] = {}
        self._readings = lru_cache(_RUNS_KEPT)(self._judged)

    def find(self, scan: Scan) -> Iterator[Found]:
        """Every name in the text; they may overlap."""
        begun, compounds = self.index.begun, scan.language != "en"
        for first, (key, after) in enumerate(zip(scan.stems, [*scan.stems[1:], ""], strict=False)):
            named = begun.get(key) or (key in begun and f"{key} {after}" in begun)
            if named and (found := self.run_at(scan, first)):
                yield found
            if compounds and len(scan.spelt[first]) >= _SHORTEST_COMPOUND:
                yield from self._compound_at(scan, first)
            if scan.forgiving:
                yield from self.split_at(scan, first)

    def levelled(self, scan: Scan) -> Scan:
        """`scan` with the words of no name as bokmål writes their parts: «augesvulsten» as «øyesvulsten»."""
        spelt = [
            each if key in self.index.vocabulary else levelled(each)
            for each, key in zip(scan.spelt, scan.stems, strict=True)
        ]
        return scan if spelt == scan.spelt else scan._replace(spelt=spelt, stems=list(map(stem, spelt)))

    def run_at(self, scan: Scan, first: int) -> Found | None:
        """The longest name that begins with word `first`."""
        for end, key in reversed(self._runs_at(scan.stems, first)):
            text = scan.text[scan.words[first].start : scan.words[end - 1].end]
            spelt = " ".join(scan.spelt[first:end])
            parted = any(word.opens for word in scan.words[first + 1 : end])
            company = self._has_company(scan, first, end)
            run = _Run(key, text, spelt, parted, company, scan.language, scan.forgiving, scan.cased)
            if readings := self._readings(run):
                return Found(first, end, readings)
        return None

    def _runs_at(self, stems: Sequence[str], first: int) -> list[tuple[int, str]]:
        """(end, stems joined by spaces) of each run of forms that starts at word `first`, shortest first."""
        found: list[tuple[int, str]] = []
        begun, key = self.index.begun, stems[first]
        for end in range(first + 1, len(stems) + 1):
            if begun.get(key):
                found.append((end, key))
            if end == len(stems) or (key := f"{key} {stems[end]}") not in begun:
                break
        return found

    def split_at(self, scan: Scan, first: int) -> Iterator[Found]:
        """Names in one word that stand as two or three, from word `first` on: «prostata kreft»."""
        if scan.spelt[first] in self.everyday and len(scan.spelt[first]) < _SHORTEST_END:
            return
        for end in range(first + 2, min(first + _MOST_JOINED, len(scan.words)) + 1):
            word = scan.words[end - 1]
            if word.opens or not word.text.isalpha():
                return
            begun = "".join(scan.spelt[first : end - 1])
            whole = begun + scan.spelt[end - 1]
            key = stem(whole)
            if key in self.index.parts and len(key) > len(begun) + 1 and self._is_name(whole, key):
                yield Found(first, end, self.index.named(key, How.SPLIT, 0.9, scan.language))

    def _judged(self, run: _Run) -> tuple[Reading, ...]:
        entries = self.index.runs(run.key)
        low = run.text.casefold()
        if run.parted:  # «E. coli», which would else be two clauses, has the signs of the text
            entries = [entry for entry in entries if entry.form.text.casefold().startswith(low)]
        barred = (
            low in self.everyday
            or (not run.forgiving and low in self._told)
            or (low in self._in_company and not run.in_company)
        )
        judged = []
        for entry in entries:
            if entry.form.kind is FormKind.ABBREVIATION:
                score = self._abbreviated(run, entry.form.text, low)
                reading = Reading(entry.concept, How.ABBREVIATION, score) if score else None
            elif barred or (entry.form.kind is FormKind.PHRASE and not run.forgiving):
                reading = None
            else:
                reading = _named(entry, low, run)
            if reading:
                judged.append((entry, reading))
        return self.index.settle(judged, run.language)

    def _abbreviated(self, run: _Run, form: str, low: str) -> float:
        """The belief in an abbreviation: high in its own capitals, less in company («har ms»), else none."""
        if run.cased and run.text in {form, f"{form}s"}:
            return 0.95
        if run.forgiving and low == form.casefold() and low not in self.everyday:
            return 0.8 if run.in_company else 0.0
        return 0.0

    def _has_company(self, scan: Scan, first: int, end: int) -> bool:
        if len(scan.words) <= end - first + 1:
            return True
        before = scan.words[first - 1].text.casefold() if first else ""
        after = scan.words[end].text.casefold() if end < len(scan.words) else ""
        return before in self._before or after in self._after

    def _compound_at(self, scan: Scan, at: int) -> Iterator[Found]:
        spelt, key = scan.spelt[at], scan.stems[at]
        if self.index.begun.get(key) or not spelt.isalpha():
            return
        if spelt not in self._parts:
            self._parts[spelt] = self._part(spelt, key)
        name, score = self._parts[spelt]
        if name and scan.words[at].text.casefold() not in self.everyday:
            yield Found(at, at + 1, self.index.named(name, How.COMPOUND, score, scan.language))

    def _part(self, spelt: str, key: str) -> tuple[str, float]:
        """The longest name in a compound: before a known word («brystkreft|studie»), else at its end."""
        for cut in range(len(spelt) - 2, SHORTEST_PART - 1, -1):
            name = self.index.solid.get(spelt[:cut])
            if name and spelt[:cut] not in self.everyday and self._is_word(spelt[cut:]):
                return name, 0.88
        for start in range(3, len(key) - _SHORTEST_END + 1):
            name = key[start:]
            known = name in self.index.parts and key[:start] not in self._undoes
            if known and self._is_name(spelt[start:], name):
                return name, 0.8
        return "", 0.0

    def _is_name(self, spelt: str, key: str) -> bool:
        named = any(inflects(spelt, entry.plain) for entry in self.index.runs(key))
        return named and spelt not in self.everyday

    def _is_word(self, spelt: str) -> bool:
        keys = [stem(spelt.removeprefix(joint)) for joint in _JOINTS]
        return any(key in self.heads or (len(key) > 2 and key in self.index.vocabulary) for key in keys)


def _named(entry: Entry, low: str, run: _Run) -> Reading | None:
    form = entry.form.text.casefold()
    if form == low:
        return _reading(entry, How.EXACT, 1.0)
    foreign = run.language and entry.form.language not in spoken(run.language)
    if not same_marks(low, form, strictly=bool(foreign)):
        return None
    if entry.plain == run.spelt:
        return _reading(entry, How.EXACT, 0.98)
    if (foreign and len(run.spelt) < _SHORTEST_FOREIGN) or not _is_inflected(entry, low, run.spelt):
        return None
    if not run.forgiving and _is_chance(entry.form.text, run):
        return None
    return _reading(entry, How.INFLECTED, 0.95)


def _is_chance(form: str, run: _Run) -> bool:
    """Whether words of a register's text only happen to be forms of a name: «device» is not Devic's disease.

    Registers write the names of people with a capital and no everyday words for diseases.
    """
    return (form[0].isupper() and not run.text[0].isupper()) or any(map(is_spoken, run.spelt.split()))


def _is_inflected(entry: Entry, low: str, spelt: str) -> bool:
    """Whether a word is a form of the entry's; names of several words are sure enough by their stems."""
    form = entry.form
    if " " in spelt:
        return True
    if form.language == "any" and not spelt.startswith(entry.plain):
        return False
    short = len(spelt) <= _SURE_UNMARKED
    return inflects(spelt, entry.plain) and same_marks(low, form.text.casefold(), strictly=short)


def _reading(entry: Entry, how: How, score: float) -> Reading:
    if entry.form.kind is FormKind.PHRASE:
        return Reading(entry.concept, How.PHRASE, 0.65)
    return Reading(entry.concept, how, score)
