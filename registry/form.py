"""Form B.1 (R41-R43), a TOML file or a mapping -> Study; and the sample studies, written in that form."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ontology.errors import BadInput, BadRecord
from ontology.hrcs import CATEGORIES, canonical
from ontology.icd10 import written
from ontology.wording import catalogue
from registry.hospital import NORWAY, trust, trusts
from registry.plain_text import clean, one_line
from registry.store import Store
from registry.study import Contact, Identifier, Intervention, Sex, Site, Status, Study

SOURCE = "form"
SAMPLE = "sample"
UNCHANGED = "ikke endret"
"""What a field may say in change mode (R41)."""

_INTERVENTIONS: Final = (
    "drug",
    "device",
    "procedure",
    "behavioral",
    "biological",
    "diet",
    "radiation",
    "other",
)
_STUDY_TYPES: Final = ("INTERVENTIONAL", "OBSERVATIONAL")
_PHASES: Final = ("EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4", "PHASE5")
_LANGUAGES: Final = ("nb", "nn", "en")
_OLDEST_AGE = 120

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_REK = re.compile(r"\d{3,7}|\d{4}/\d{1,5}", re.ASCII)
_CT_NUMBERS: Final = {
    "euct": re.compile(r"\d{4}-\d{6}-\d\d-\d\d", re.ASCII),
    "eudract": re.compile(r"\d{4}-\d{6}-\d\d", re.ASCII),
    "nct": re.compile(r"NCT\d{8}", re.ASCII),
}
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)


def read_form(form: Path | Mapping[str, object], *, previous: Study | None = None) -> Study:
    """The study of a filled-in form; with `previous`, the study as changed by it (change mode).

    The title and a REK-ID or CT number are always required. In change mode «ikke endret» keeps the value
    that `previous` has, and what the form does not ask for is kept too. A field left out is empty.
    A status left out is UNDER_REVIEW.

    Raises:
        BadInput: unknown keys (names the allowed ones), or fields that cannot be used (names them all).
    """
    filled = _load(form) if isinstance(form, Path) else form
    unknown = sorted(set(filled) - set(_FIELDS))
    if unknown:
        raise BadInput(f"The form has no {', '.join(unknown)}. Its fields are {', '.join(_FIELDS)}.")
    kept = {key for key, value in filled.items() if _is_unchanged(value)}
    values = _values({key: value for key, value in filled.items() if key not in kept}, kept, previous)
    study = _study(values, kept, previous)
    return study if previous is None else _with_origins(study, previous)


def read_forms(paths: Iterable[Path], store: Store) -> Iterator[Study | BadRecord]:
    """The study of each TOML file, as a change of the stored one where the form has its id or number.

    A form that cannot be used comes as a BadRecord «file name: why».
    """
    for path in paths:
        try:
            filled = _load(path)
            yield read_form(filled, previous=_stored(filled, store))
        except BadInput as reason:
            yield BadRecord(f"{path.name}: {reason}")


@cache
def sample_studies() -> tuple[Study, ...]:
    """The invented studies of registry/samples, marked as samples, in the order of their file names."""
    folder = files("registry") / "samples"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    return tuple(
        replace(read_form(_parse((folder / name).read_text("utf-8"), name)), source=SAMPLE, is_sample=True)
        for name in names
    )


def _stored(filled: Mapping[str, object], store: Store) -> Study | None:
    """The study that a form speaks of: by its id, else by the id that one of its numbers gives."""
    if "id" in filled:
        ids = [_id(filled["id"])]
    else:
        numbers = (_rek(filled.get("rek_id", "")), _ct_number(filled.get("ct_number", "")))
        ids = [_own_id(number) for number in numbers if number is not None]
    return next(iter(store.get_many(ids).values()), None)


def _load(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be opened ({error.strerror}). Check the name.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text. Save it as UTF-8.") from error
    return _parse(text, path.name)


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{name} is not TOML: {error}.") from error


def _is_unchanged(value: object) -> bool:
    return isinstance(value, str) and one_line(value).casefold() == UNCHANGED


def _values(filled: Mapping[str, object], kept: set[str], previous: Study | None) -> dict[str, Any]:
    """Every field but the kept ones, read and checked."""
    problems = _missing(filled, kept, previous)
    values: dict[str, Any] = {}
    for key, (read, empty) in _FIELDS.items():
        try:
            values[key] = read(filled[key]) if key in filled else empty
        except BadInput as problem:
            problems.append(f"{key} {problem}")
    if problems:
        raise BadInput(f"The form cannot be used: {'; '.join(problems)}.")
    return values


def _missing(filled: Mapping[str, object], kept: set[str], previous: Study | None) -> list[str]:
    problems = []
    if "title" not in filled:
        problems.append("title is always required")
    if not {"rek_id", "ct_number"} & set(filled):
        problems.append("rek_id or ct_number is always required")
    if kept and previous is None:
        problems.append(f"«{UNCHANGED}» ({', '.join(sorted(kept))}) is only for changing a study that exists")
    return problems


def _study(values: dict[str, Any], kept: set[str], previous: Study | None) -> Study:
    direct = {field: values[key] for key, field in _DIRECT.items() if key not in kept}
    identifiers = _identifiers(values, previous)
    base = previous or Study(
        id=values["id"] or _own_id(identifiers[0]),
        source=SOURCE,
        title=values["title"],
        status=Status.UNDER_REVIEW,
    )
    if previous is not None and values["id"] not in {"", previous.id}:
        raise BadInput(f"The form is of study {values['id']}, not of {previous.id}.")
    sites = _sites(values, kept, base)
    if not {"hospitals", "private_hospitals"} <= kept:
        direct |= {"sites": sites, "institutions": tuple(site.facility for site in sites)}
    study = replace(base, identifiers=identifiers, **direct)
    if (
        study.minimum_age is not None
        and study.maximum_age is not None
        and study.minimum_age > study.maximum_age
    ):
        raise BadInput("The form cannot be used: minimum_age is above maximum_age.")
    return study


def _own_id(number: Identifier) -> str:
    return f"REK-{number.value.replace('/', '-')}" if number.kind == "rek" else number.value


def _identifiers(values: dict[str, Any], previous: Study | None) -> tuple[Identifier, ...]:
    """The numbers of the form first, then those that the study has beside them."""
    given = tuple(number for number in (values["rek_id"], values["ct_number"]) if number is not None)
    if previous is None:
        return given
    if not set(given) & set(previous.identifiers):
        raise BadInput(f"No number of the form belongs to {previous.id}. Check rek_id and ct_number.")
    kinds = {number.kind for number in given}
    return given + tuple(number for number in previous.identifiers if number.kind not in kinds)


def _sites(values: dict[str, Any], kept: set[str], base: Study) -> tuple[Site, ...]:
    named = tuple(site for site in base.sites if trust(site.facility) is not None)
    private = tuple(site for site in base.sites if trust(site.facility) is None)
    return (named if "hospitals" in kept else values["hospitals"]) + (
        private if "private_hospitals" in kept else values["private_hospitals"]
    )


def _with_origins(study: Study, previous: Study) -> Study:
    """Notes that the changed fields came from the form, where the study itself came from elsewhere."""
    if previous.source == SOURCE:
        return study
    changed = {
        field.name for field in fields(Study) if getattr(study, field.name) != getattr(previous, field.name)
    }
    others = tuple((name, origin) for name, origin in previous.origins if name not in changed)
    return replace(study, origins=others + tuple((name, SOURCE) for name in sorted(changed)))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadInput("must be a text")
    return clean(value)


def _line(value: object) -> str:
    return " ".join(_text(value).split())


def _title(value: object) -> str:
    title = _line(value)
    if not title:
        raise BadInput("is always required")
    return title


def _lines(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        raise BadInput("must be a list of texts")
    return tuple(dict.fromkeys(line for line in map(_line, value) if line))


def _id(value: object) -> str:
    return _matching(_ID, "letters, digits, dot, hyphen or underscore, at most 64")(value)


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _line(value)
        if text and not pattern.fullmatch(text):
            raise BadInput(f"{text!r} is not {what}")
        return text

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _line(value)
        if text and text not in choices:
            raise BadInput(f"{text!r} is not one of {', '.join(choices)}")
        return text

    return read


def _rek(value: object) -> Identifier | None:
    number = _matching(_REK, "a REK number such as 123456 or 2018/702")(value)
    return Identifier("rek", number) if number else None


def _ct_number(value: object) -> Identifier | None:
    number = _line(value).upper()
    for kind, pattern in _CT_NUMBERS.items():
        if pattern.fullmatch(number):
            return Identifier(kind, number)
    if number:
        raise BadInput(f"{number!r} is not a CT number such as 2026-512345-11-00 or NCT01234567")
    return None


def _status(value: object) -> Status:
    text = _line(value)
    if not text:
        return Status.UNDER_REVIEW
    try:
        return _statuses()[_status_words(text)]
    except KeyError:
        texts = (f"«{catalogue()[f'status_full.{status}']['nb']}»" for status in Status)
        raise BadInput(f"{text!r} is not one of {', '.join(texts)}") from None


@cache
def _statuses() -> dict[str, Status]:
    texts = {
        _status_words(text): status
        for status in Status
        for text in catalogue()[f"status_full.{status}"].values()
    }
    return texts | {_status_words(status): status for status in Status}


def _status_words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _icd10(value: object) -> tuple[str, ...]:
    codes = {text: written(text.upper()) for text in _lines(value)}
    wrong = [text for text, code in codes.items() if code is None]
    if wrong:
        raise BadInput(f"{', '.join(wrong)} is not an ICD-10 code such as E11 or E11.9")
    return tuple(dict.fromkeys(code for code in codes.values() if code is not None))


def _hrcs(value: object) -> tuple[str, ...]:
    labels = {label: canonical(label) for label in _lines(value)}
    wrong = [label for label, known in labels.items() if known is None]
    if wrong:
        known = ", ".join(category.label for category in CATEGORIES)
        raise BadInput(f"{', '.join(wrong)} is not a category. They are {known}")
    return tuple(dict.fromkeys(label for label in labels.values() if label is not None))


def _hospitals(value: object) -> tuple[Site, ...]:
    found = {name: trust(name) for name in _lines(value)}
    wrong = [name for name, site in found.items() if site is None]
    if wrong:
        raise BadInput(
            f"{', '.join(wrong)} is not a named trust. They are {', '.join(trusts())}; "
            "write others in private_hospitals"
        )
    return tuple(site for site in found.values() if site is not None)


def _private_hospitals(value: object) -> tuple[Site, ...]:
    return tuple(Site(facility=name, country=NORWAY) for name in _lines(value))


def _table(value: object, allowed: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadInput(f"must be a table with {', '.join(allowed)}")
    unknown = sorted(set(value) - set(allowed))
    if unknown:
        raise BadInput(f"has no {', '.join(unknown)}; it has {', '.join(allowed)}")
    return {key: _line(each) for key, each in value.items()}


def _contacts(value: object) -> tuple[Contact, ...]:
    contact = _table(value, ("person", "phone", "email"))
    email = _email(contact.get("email", ""))
    return (Contact(name=contact.get("person", ""), email=email, phone=contact.get("phone", "")),)


def _interventions(value: object) -> tuple[Intervention, ...]:
    if not isinstance(value, list | tuple):
        raise BadInput("must be a list of tables with kind, name, description")
    found = []
    for each in value:
        table = _table(each, ("kind", "name", "description"))
        kind = _one_of(_INTERVENTIONS)(table.get("kind", "other"))
        found.append(Intervention(kind or "other", table.get("name", ""), table.get("description", "")))
    return tuple(found)


def _phases(value: object) -> tuple[str, ...]:
    return tuple(_one_of(_PHASES)(phase) for phase in _lines(value))


def _sex(value: object) -> Sex | None:
    stated = _one_of(tuple(Sex))(value)
    return Sex(stated) if stated else None


def _age(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _OLDEST_AGE:
        raise BadInput(f"must be a number of years from 0 to {_OLDEST_AGE}")
    return float(value)


def _enrollment(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInput("must be a whole number")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadInput("must be true or false")
    return value


def _date(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    return _matching(_DATE, "a date such as 2026-03 or 2026-03-01")(value)


_email = _matching(_EMAIL, "an e-mail address")

_FIELDS: Final[dict[str, tuple[Callable[[object], object], object]]] = {
    "id": (_id, ""),
    "language": (_one_of(_LANGUAGES), "nb"),
    "title": (_title, ""),
    "rek_id": (_rek, None),
    "ct_number": (_ct_number, None),
    "status": (_status, Status.UNDER_REVIEW),
    "lay_description": (_text, ""),
    "description": (_text, ""),
    "disease_name": (_lines, ()),
    "icd10": (_icd10, ()),
    "hrcs": (_hrcs, ()),
    "search_words": (_lines, ()),
    "hospitals": (_hospitals, ()),
    "private_hospitals": (_private_hospitals, ()),
    "coordinating_institution": (_line, ""),
    "mailbox": (_email, ""),
    "contact": (_contacts, ()),
    "inclusion_start": (_date, ""),
    "inclusion_end": (_date, ""),
    "study_type": (_one_of(_STUDY_TYPES), ""),
    "phases": (_phases, ()),
    "interventions": (_interventions, ()),
    "sex": (_sex, None),
    "minimum_age": (_age, None),
    "maximum_age": (_age, None),
    "healthy_volunteers": (_flag, None),
    "enrollment": (_enrollment, None),
    "criteria": (_text, ""),
    "other_information": (_text, ""),
    "last_confirmed": (_date, ""),
}
"""Each field of the form: how its value is read, and what it is when the form leaves it out."""

_DIRECT: Final = {
    "language": "language",
    "title": "title",
    "status": "status",
    "lay_description": "summary",
    "description": "description",
    "disease_name": "conditions",
    "icd10": "icd10",
    "hrcs": "hrcs",
    "search_words": "keywords",
    "coordinating_institution": "sponsor",
    "mailbox": "mailbox",
    "contact": "contacts",
    "inclusion_start": "start",
    "inclusion_end": "end",
    "study_type": "study_type",
    "phases": "phases",
    "interventions": "interventions",
    "sex": "sex",
    "minimum_age": "minimum_age",
    "maximum_age": "maximum_age",
    "healthy_volunteers": "healthy_volunteers",
    "enrollment": "enrollment",
    "criteria": "criteria",
    "other_information": "other_information",
    "last_confirmed": "last_confirmed",
}
"""Field of the form -> field of Study, where one becomes the other."""
