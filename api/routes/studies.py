"""One study, as a page and as JSON."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from api.deps import Language, LibraryDep, SettingsDep, named_study
from api.library import Library
from api.pages.render import at_home, number, render
from api.schemas import SimilarRead, StudyAnswer
from nlp.eligibility.criteria import Criterion
from nlp.eligibility.sections import Section
from ontology.wording import say
from registry.study import Sex, Site, Status, Study

router = APIRouter()

_SURE = frozenset({"exact", "inflected", "abbreviation"})
"""How words were linked when an explanation of them can be trusted."""
_RECRUITMENT = {
    Status.OPEN: "https://schema.org/Recruiting",
    Status.AWAITING: "https://schema.org/NotYetRecruiting",
    Status.ONGOING: "https://schema.org/ActiveNotRecruiting",
    Status.COMPLETED: "https://schema.org/Completed",
}


@router.get("/api/studies/{study_id}")
def study(study_id: str, library: LibraryDep) -> StudyAnswer:
    """A study and the criteria that were read from its text."""
    found = named_study(library, study_id)
    return StudyAnswer.of(found, library.criteria_of(found))


@router.get("/api/studies/{study_id}/similar")
def similar(
    study_id: str, library: LibraryDep, limit: Annotated[int, Query(ge=1, le=20)] = 4
) -> list[SimilarRead]:
    """Studies about the same things, the likest first."""
    found = library.similar(named_study(library, study_id).id, limit)
    return [SimilarRead(id=each.study_id, title=each.title, status=each.status) for each in found]


@router.get("/studier/{study_id}", include_in_schema=False)
def study_page(
    request: Request, study_id: str, library: LibraryDep, settings: SettingsDep, language: Language
) -> Response:
    """The page of a study (R9): what, who, where, status, and how to show interest."""
    found = named_study(library, study_id)
    return render(
        request,
        "study.html",
        study=found,
        basics=basics(found, language),
        sections=sections(library.criteria_of(found)),
        words=words(found, library, language),
        at_home=[site for site in found.sites if at_home(site.country)],
        abroad=Counter(site.country for site in found.sites if not at_home(site.country)),
        similar=library.studies(library.similar(found.id)),
        kind=kind(found),
        numbers=list(dict.fromkeys([found.id, *(each.value for each in found.identifiers)])),
        source=found.url if urlsplit(found.url).scheme in {"http", "https"} else "",
        medical_trial=script_json(medical_trial(found, f"{settings.base}/studier/{quote(found.id)}")),
    )


def basics(study: Study, language: str) -> list[str]:
    """Age, sex and health as sentences; what the register does not say is said to be unsaid, or left out."""
    low, high = (number(age, language) if age else "" for age in (study.minimum_age, study.maximum_age))
    ages = {(True, True): "between", (True, False): "from", (False, True): "to", (False, False): "none"}
    sentences = [say(f"study.age_{ages[bool(low), bool(high)]}", language, low=low, high=high)]
    if study.sex:
        sentences.append(say(f"study.sex_{Sex(study.sex)}", language))
    if study.healthy_volunteers:
        sentences.append(say("study.healthy", language))
    return sentences


def sections(criteria: Iterable[Criterion]) -> list[tuple[str, list[Criterion]]]:
    """The criteria of the text under the heading they belong to; the fields of the record are `basics`."""
    criteria = list(criteria)
    grouped = [
        (section.value, [each for each in criteria if each.section is section])
        for section in (Section.INCLUSION, Section.EXCLUSION, Section.OTHER)
    ]
    return [(name, members) for name, members in grouped if members]


def words(study: Study, library: Library, language: str) -> list[tuple[str, str]]:
    """Hard words of the criteria with what they mean in the reader's language (R11), each once."""
    meanings: dict[str, tuple[str, str]] = {}
    for mention in library.linker.link(study.criteria, study.language, forgiving=False):
        label = library.ontology.get(mention.concept).label(language)
        if mention.how in _SURE and label.casefold() != mention.matched.casefold():
            meanings.setdefault(mention.matched.casefold(), (mention.matched, label))
    return [meanings[word] for word in sorted(meanings)]


def kind(study: Study) -> str:
    """What to expect (R22): observational, drug or other."""
    if "observational" in study.study_type.casefold():
        return "observational"
    drugs = {"drug", "biological"}
    return "drug" if any(each.kind in drugs for each in study.interventions) else "other"


def medical_trial(study: Study, address: str) -> dict[str, Any]:
    """The study as schema.org MedicalTrial, for search engines; what is not known is left out."""
    trial = {
        "@context": "https://schema.org",
        "@type": "MedicalTrial" if kind(study) != "observational" else "MedicalObservationalStudy",
        "name": study.title,
        "description": study.summary,
        "url": address,
        "inLanguage": study.language,
        "identifier": study.id,
        "status": _RECRUITMENT.get(study.status, ""),
        "healthCondition": [{"@type": "MedicalCondition", "name": name} for name in study.conditions],
        "sponsor": {"@type": "Organization", "name": study.sponsor} if study.sponsor else None,
        "studyLocation": [_place(site) for site in study.sites[:50]],
        "sameAs": study.url,
    }
    return {name: value for name, value in trial.items() if value}


def script_json(value: object) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above, the way JSON can be


def _place(site: Site) -> dict[str, Any]:
    return {
        "@type": "AdministrativeArea",
        "name": ", ".join(part for part in (site.facility, site.city, site.country) if part),
    }
