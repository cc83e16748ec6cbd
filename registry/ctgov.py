"""A ClinicalTrials.gov API v2 record -> Study. Older copies reshaped to v2 are read too."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ontology.errors import BadRecord
from registry.hospital import NORWAY
from registry.json_files import read_records
from registry.plain_text import unwrap
from registry.record import Record
from registry.study import Contact, Identifier, Intervention, Sex, Site, Status, Study

SOURCE = "ctgov"

STATUS: Final = {
    "RECRUITING": Status.OPEN,
    "NOT_YET_RECRUITING": Status.AWAITING,
    "ACTIVE_NOT_RECRUITING": Status.ONGOING,
    "COMPLETED": Status.COMPLETED,
}
"""The crosswalk of R43. Every other status, or none, is UNDER_REVIEW. So is ENROLLING_BY_INVITATION: it takes
in people, but only those whom it has chosen, so it is neither open to a reader nor closed."""

_SEX: Final = {"ALL": Sex.ALL, "BOTH": Sex.ALL, "FEMALE": Sex.FEMALE, "MALE": Sex.MALE}
_INTERVENTION: Final = {
    "DRUG": "drug",
    "DEVICE": "device",
    "PROCEDURE": "procedure",
    "BEHAVIORAL": "behavioral",
    "BIOLOGICAL": "biological",
    "DIETARY_SUPPLEMENT": "diet",
    "RADIATION": "radiation",
}
_PER_YEAR: Final = {"year": 1, "month": 12, "week": 52.1775, "day": 365.25, "hour": 8766, "minute": 525_960}
_AGE_GROUPS: Final = {"CHILD": (None, 17.0), "ADULT": (18.0, 64.0), "OLDER_ADULT": (65.0, None)}
_OLDEST_AGE = 120
"""A limit above this ("999 Years") limits nobody."""

_NCT = re.compile(r"NCT\d{8}", re.ASCII)
_AGE = re.compile(r"(\d+(?:\.\d+)?) (year|month|week|day|hour|minute)s?", re.ASCII | re.I)
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)
_PHASE = re.compile(r"EARLY_PHASE1|PHASE\d|^NA$")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)
_REK = re.compile(r"\bREK\b|Regional.*Ethic")
_EU_CT = re.compile(r"\d{4}-5\d{5}-\d\d-\d\d", re.ASCII)
_EUDRACT = re.compile(r"\d{4}-\d{6}-\d\d", re.ASCII)


def read_study(record: object) -> Study:
    """The study of one API v2 record (https://clinicaltrials.gov/data-api/api, "Study").

    Missing modules and fields read as "not stated". Ages become years; the age groups of older copies
    become the widest limits they allow. The mailbox is that of an open Norwegian site, else the first
    central contact's.

    Raises:
        BadRecord: not an object, no NCT number, no title, or a field of a wrong type; says which.
    """
    whole = Record(record)
    protocol = whole.at("protocolSection")
    named = protocol.at("identificationModule")
    status = protocol.at("statusModule")
    described = protocol.at("descriptionModule")
    topic = protocol.at("conditionsModule")
    design = protocol.at("designModule")
    eligibility = protocol.at("eligibilityModule")
    place = protocol.at("contactsLocationsModule")
    sponsors = protocol.at("sponsorCollaboratorsModule")
    study_id = _nct(named)
    registry_status = status.line("overallStatus")
    sites = tuple(_site(each) for each in place.each("locations"))
    central = tuple(_contact(each) for each in place.each("centralContacts"))
    minimum_age, maximum_age = _ages(eligibility)
    return Study(
        id=study_id,
        source=SOURCE,
        title=_title(named),
        status=STATUS.get(registry_status, Status.UNDER_REVIEW),
        language="en",
        registry_status=registry_status,
        official_title=named.line("officialTitle"),
        acronym=named.line("acronym"),
        identifiers=_identifiers(named, study_id),
        summary=unwrap(described.text("briefSummary")),
        description=unwrap(described.text("detailedDescription")),
        conditions=topic.lines("conditions"),
        keywords=_unique(each.strip(" ,;") for each in topic.lines("keywords")),
        interventions=tuple(_interventions(protocol.at("armsInterventionsModule"))),
        study_type=design.line("studyType"),
        phases=_phases(design),
        enrollment=design.at("enrollmentInfo").integer("count"),
        criteria=unwrap(eligibility.text("eligibilityCriteria")),
        sex=_sex(eligibility),
        minimum_age=minimum_age,
        maximum_age=maximum_age,
        healthy_volunteers=eligibility.flag("healthyVolunteers"),
        sponsor=sponsors.at("leadSponsor").line("name"),
        sponsor_kind=sponsors.at("leadSponsor").line("class").lower(),
        institutions=_unique(each.line("name") for each in sponsors.each("collaborators")),
        sites=sites,
        contacts=central + tuple(_official(each) for each in place.each("overallOfficials")),
        mailbox=_mailbox(registry_status, sites, central),
        start=_date(status.at("startDateStruct"), "date"),
        end=_date(status.at("completionDateStruct"), "date"),
        has_results=bool(whole.flag("hasResults")),
        other_information=status.text("whyStopped"),
        url=f"https://clinicaltrials.gov/study/{study_id}",
        last_confirmed=_date(status, "statusVerifiedDate"),
    )


def read_file(path: Path) -> Iterator[Study | BadRecord]:
    """Every record of a .json, .jsonl or .jsonl.gz file, in order; a broken one comes as «where: why».

    Raises:
        BadInput: the file cannot be opened.
    """
    for where, record in read_records(path):
        yield study_or_reason(where, record)


def study_or_reason(where: str, record: object) -> Study | BadRecord:
    """The study of a record, or a BadRecord whose message is «where: why it could not be read»."""
    if isinstance(record, BadRecord):
        return BadRecord(f"{where}: {record}")
    try:
        return read_study(record)
    except BadRecord as reason:
        return BadRecord(f"{where}: {reason}")


def _nct(identification: Record) -> str:
    number = identification.line("nctId").upper()
    if not _NCT.fullmatch(number):
        raise identification.wrong("nctId", f"is {number!r}, not an NCT number")
    return number


def _title(identification: Record) -> str:
    title = identification.line("briefTitle") or identification.line("officialTitle")
    if not title:
        raise identification.wrong("briefTitle", "is missing, and so is officialTitle")
    return title


def _identifiers(identification: Record, nct: str) -> tuple[Identifier, ...]:
    found = [Identifier("nct", each) for each in (nct, *identification.lines("nctIdAliases"))]
    own = identification.at("orgStudyIdInfo").line("id")
    found.append(Identifier("rek" if _REK.search(own) else "sponsor", own))
    for each in identification.each("secondaryIdInfos"):
        value = each.line("id")
        found.append(Identifier(_identifier_kind(each, value), value))
    return tuple(dict.fromkeys(each for each in found if each.value))


def _identifier_kind(info: Record, value: str) -> str:
    if info.line("type") == "CTIS" or _EU_CT.fullmatch(value):
        return "euct"
    if info.line("type") == "EUDRACT_NUMBER" or _EUDRACT.fullmatch(value):
        return "eudract"
    return "rek" if _REK.search(info.line("domain")) or _REK.search(value) else "other"


def _interventions(arms: Record) -> Iterator[Intervention]:
    for each in arms.each("interventions"):
        kind, name = each.line("type"), each.line("name")
        prefix, colon, rest = name.partition(": ")
        if colon and prefix.isupper() and (prefix in _INTERVENTION or kind == "OTHER"):
            kind, name = prefix.replace(" ", "_"), rest
        others = each.lines("otherNames")
        also = f"Other names: {', '.join(others)}." if others else ""
        description = unwrap(each.text("description"))
        yield Intervention(
            kind=_INTERVENTION.get(kind, "other"),
            name=name,
            description="\n".join(part for part in (also, description) if part),
        )


def _phases(design: Record) -> tuple[str, ...]:
    return _unique(phase for text in design.lines("phases") for phase in _PHASE.findall(text))


def _sex(eligibility: Record) -> Sex | None:
    stated = eligibility.line("sex").upper()
    if stated and stated not in _SEX:
        raise eligibility.wrong("sex", f"is {stated!r}, not one of {', '.join(_SEX)}")
    return _SEX.get(stated)


def _ages(eligibility: Record) -> tuple[float | None, float | None]:
    """Lowest and highest age in years."""
    groups = [_AGE_GROUPS[each] for each in eligibility.line("minimumAge").split(", ") if each in _AGE_GROUPS]
    if groups:
        return groups[0][0], groups[-1][1]
    return _age(eligibility, "minimumAge"), _age(eligibility, "maximumAge")


def _age(eligibility: Record, key: str) -> float | None:
    text = eligibility.line(key)
    if text.upper() in {"", "N/A", "NA"}:
        return None
    age = _AGE.fullmatch(text)
    if age is None:
        raise eligibility.wrong(key, f"is {text!r}, not an age such as '18 Years'")
    years = round(float(age[1]) / _PER_YEAR[age[2].lower()], 4)
    return years if years <= _OLDEST_AGE else None


def _site(location: Record) -> Site:
    status = location.line("status")
    point = location.at("geoPoint")
    return Site(
        facility=location.line("facility"),
        city=location.line("city"),
        country=location.line("country"),
        status=STATUS.get(status, Status.UNDER_REVIEW) if status else None,
        latitude=point.number("lat", 90),
        longitude=point.number("lon", 180),
        contacts=tuple(_contact(each) for each in location.each("contacts")),
    )


def _contact(contact: Record) -> Contact:
    phone, extension = contact.line("phone"), contact.line("phoneExt")
    return Contact(
        name=contact.line("name"),
        role=_role(contact),
        email=contact.line("email"),
        phone=f"{phone} ({extension})" if extension else phone,
    )


def _official(official: Record) -> Contact:
    named = (official.line("name"), official.line("affiliation"))
    return Contact(name=", ".join(part for part in named if part), role=_role(official))


def _role(contact: Record) -> str:
    return contact.line("role").replace("_", " ").lower()


def _mailbox(registry_status: str, sites: tuple[Site, ...], central: tuple[Contact, ...]) -> str:
    study_status = STATUS.get(registry_status, Status.UNDER_REVIEW)
    near = (
        contact
        for site in sites
        if site.country == NORWAY and (site.status or study_status) is Status.OPEN
        for contact in sorted(site.contacts, key=lambda each: each.role != "contact")
    )
    return next((email for each in (*near, *central) if (email := _email(each.email))), "")


def _email(text: str) -> str:
    """The first whole address among those that people wrote into one field."""
    return next((part for part in re.split(r"[;,\s]+", text) if _EMAIL.fullmatch(part)), "")


def _date(record: Record, key: str) -> str:
    text = record.line(key)
    if text and not _DATE.fullmatch(text):
        raise record.wrong(key, f"is {text!r}, not a date such as 2026-03")
    return text


def _unique(texts: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
