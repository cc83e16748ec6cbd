"""What a study is. Importers make these values, the store keeps them, the index reads them."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The four recruitment statuses of R43, and one for records that fit none of them.

    A record its register calls terminated, suspended, withdrawn or unknown is UNDER_REVIEW until a
    person has looked at it. It is never shown as open.
    """

    OPEN = "open"
    AWAITING = "awaiting"
    ONGOING = "ongoing"
    COMPLETED = "completed"
    UNDER_REVIEW = "under_review"


class Sex(StrEnum):
    """The sex a study accepts."""

    ALL = "all"
    FEMALE = "female"
    MALE = "male"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number some register gave the study; `kind` is nct, euct, eudract, rek, sponsor or other."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Contact:
    """A public point of contact. An empty string means that the register gave none."""

    name: str = ""
    role: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A place where the study runs. Coordinates are WGS 84 degrees; status None means not stated."""

    facility: str
    city: str = ""
    country: str = ""
    status: Status | None = None
    latitude: float | None = None
    longitude: float | None = None
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is tried; `kind` is drug, device, procedure, behavioral, biological, diet, radiation or other."""

    kind: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Study:
    """One clinical study, with the fields of R41 and R42.

    Texts are plain (no HTML, no Markdown escapes). Ages are in years. Dates are ISO 8601 and may be
    partial ("2026-03"). Empty strings, empty tuples and None mean "not stated", never "no".
    """

    id: str
    source: str
    title: str
    status: Status
    language: str = "en"
    registry_status: str = ""
    official_title: str = ""
    acronym: str = ""
    identifiers: tuple[Identifier, ...] = ()
    summary: str = ""
    description: str = ""
    conditions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    hrcs: tuple[str, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    study_type: str = ""
    phases: tuple[str, ...] = ()
    enrollment: int | None = None
    criteria: str = ""
    sex: Sex | None = None
    minimum_age: float | None = None
    maximum_age: float | None = None
    healthy_volunteers: bool | None = None
    sponsor: str = ""
    sponsor_kind: str = ""
    institutions: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    contacts: tuple[Contact, ...] = ()
    mailbox: str = ""
    start: str = ""
    end: str = ""
    has_results: bool = False
    other_information: str = ""
    url: str = ""
    last_confirmed: str = ""
    is_sample: bool = False
    origins: tuple[tuple[str, str], ...] = ()
    """(field, where its value came from), for the fields that came from somewhere else than `source`."""
