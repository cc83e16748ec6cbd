"""Names and abbreviations of concepts in a text: whole, written apart, or inside a compound."""

from collections.abc import Iterator, Mapping, Sequence

from ontology.concept import FormKind
from ontology.forms import SHORTEST_PART, Entry, FormIndex, spoken
from ontology.found import Found, How, Reading, Scan
from ontology.words import inflects, is_spoken, same_marks, stem

_SHORTEST_COMPOUND = 8
_JOINTS = ("", "s", "e", "r")
_MOST_JOINED = 3
_SHORTEST_END = 4
_SHORTEST_FOREIGN = 6
_SURE_UNMARKED = 7


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

    def find(self, scan: Scan) -> Iterator[Found]:
        """Every name in the text; they may overlap."""
        for first, key in enumerate(scan.stems):
            if key in self.index.begun:
                yield from self.run_at(scan, first)
            if len(scan.spelt[first]) >= _SHORTEST_COMPOUND and scan.language != "en":
                yield from self._compound_at(scan, first)
            if scan.forgiving:
                yield from self.split_at(scan, first)

    def run_at(self, scan: Scan, first: int) -> Iterator[Found]:
        """The longest name that begins with word `first`."""
        for end, run in reversed(self._runs_at(scan.stems, first)):
            entries = self.index.runs(run)
            if any(word.opens for word in scan.words[first + 1 : end]):
                entries = _written_so(scan, entries, first, end)
            if entries:
                readings = self._readings(scan, entries, first, end)
                if readings:
                    yield Found(first, end, readings)
                    return

    def _runs_at(self, stems: Sequence[str], first: int) -> list[tuple[int, str]]:
        """(end, stems joined by spaces) of each run of forms that starts at word `first`, shortest first."""
        found: list[tuple[int, str]] = []
        run = stems[first]
        for end in range(first + 1, len(stems) + 1):
            if self.index.is_run(run):
                found.append((end, run))
            if end == len(stems) or (run := f"{run} {stems[end]}") not in self.index.begun:
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

    def _readings(self, scan: Scan, entries: list[Entry], first: int, end: int) -> tuple[Reading, ...]:
        start = scan.words[first].start
        text = scan.text[start : scan.words[end - 1].end]
        low, spelt = text.casefold(), " ".join(scan.spelt[first:end])
        barred = (
            low in self.everyday
            or (not scan.forgiving and low in self._told)
            or (low in self._in_company and not self._has_company(scan, first, end))
        )
        judged = []
        for entry in entries:
            if entry.form.kind is FormKind.ABBREVIATION:
                score = self._abbreviated(scan, entry.form.text, text, first, end)
                reading = Reading(entry.concept, How.ABBREVIATION, score) if score else None
            elif barred or (entry.form.kind is FormKind.PHRASE and not scan.forgiving):
                reading = None
            else:
                reading = _named(entry, low, spelt, scan, start)
            if reading:
                judged.append((entry, reading))
        return self.index.settle(judged, scan.language)

    def _abbreviated(self, scan: Scan, form: str, text: str, first: int, end: int) -> float:
        """The belief in an abbreviation: high in its own capitals, less in company («har ms»), else none."""
        if scan.cased and text in {form, f"{form}s"}:
            return 0.95
        low = text.casefold()
        if scan.forgiving and low == form.casefold() and low not in self.everyday:
            return 0.8 if self._has_company(scan, first, end) else 0.0
        return 0.0

    def _has_company(self, scan: Scan, first: int, end: int) -> bool:
        if len(scan.words) <= end - first + 1:
            return True
        before = scan.words[first - 1].text.casefold() if first else ""
        after = scan.words[end].text.casefold() if end < len(scan.words) else ""
        return before in self._before or after in self._after

    def _compound_at(self, scan: Scan, at: int) -> Iterator[Found]:
        spelt, key = scan.spelt[at], scan.stems[at]
        if self.index.is_run(key) or not spelt.isalpha():
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


def _written_so(scan: Scan, entries: list[Entry], first: int, end: int) -> list[Entry]:
    """The entries that have the signs of the text: «E. coli», which would else be two clauses."""
    text = scan.text[scan.words[first].start : scan.words[end - 1].end].casefold()
    return [entry for entry in entries if entry.form.text.casefold().startswith(text)]


def _named(entry: Entry, low: str, spelt: str, scan: Scan, start: int) -> Reading | None:
    form = entry.form.text.casefold()
    if form == low:
        return _reading(entry, How.EXACT, 1.0)
    foreign = scan.language and entry.form.language not in spoken(scan.language)
    if not same_marks(low, form, strictly=bool(foreign)):
        return None
    if entry.plain == spelt:
        return _reading(entry, How.EXACT, 0.98)
    if (foreign and len(spelt) < _SHORTEST_FOREIGN) or not _is_inflected(entry, low, spelt):
        return None
    if not scan.forgiving and _is_chance(entry.form.text, scan.text[start:], spelt):
        return None
    return _reading(entry, How.INFLECTED, 0.95)


def _is_chance(form: str, written: str, spelt: str) -> bool:
    """Whether words of a register's text only happen to be forms of a name: «device» is not Devic's disease.

    Registers write the names of people with a capital and no everyday words for diseases.
    """
    return (form[0].isupper() and not written[0].isupper()) or any(map(is_spoken, spelt.split()))


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
