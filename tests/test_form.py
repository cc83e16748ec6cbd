from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ontology.errors import BadInput, BadRecord
from ontology.hrcs import CATEGORIES
from ontology.wording import say
from registry.form import read_form, read_forms, sample_studies
from registry.hospital import trust, trusts
from registry.store import Store
from registry.study import Contact, Identifier, Intervention, Sex, Site, Status, Study

DIABETES = '''
id = "TEST-01"
language = "nn"
title = "Ny tablett ved diabetes type 2"
ct_number = "2026-900007-11-00"
rek_id = "900007"
status = "Startet – åpen for inklusjon"
lay_description = """Vi prøver ein ny tablett."""
disease_name = ["diabetes type 2"]
icd10 = ["E11", "e11.9"]
hrcs = ["Stoffskifte og hormoner"]
search_words = ["sukkersjuke"]
hospitals = ["Oslo universitetssykehus", "st. olavs  Hospital"]
private_hospitals = ["Diakonhjemmet sykehus"]
coordinating_institution = "Oslo universitetssykehus"
mailbox = "test01@example.org"
contact = { person = "Studiesjukepleiar", phone = "", email = "test01@example.org" }
inclusion_start = 2026-02-01
inclusion_end = "2027-12"
study_type = "INTERVENTIONAL"
phases = ["PHASE3"]
interventions = [{ kind = "drug", name = "semaglutid" }]
sex = "all"
minimum_age = 18
maximum_age = 75
healthy_volunteers = false
enrollment = 120
criteria = """
Kven kan delta?
- Du er over 18 år.

Kven kan ikkje delta?
- Du er gravid.
"""
other_information = "Reisa blir dekt."
last_confirmed = "2026-10-01"
'''

MINIMAL: dict[str, Any] = {"title": "Søvn hos skiftarbeidere", "rek_id": "900008"}


@pytest.fixture
def diabetes(tmp_path: Path) -> Study:
    path = tmp_path / "diabetes.toml"
    path.write_text(DIABETES, "utf-8")
    return read_form(path)


def test_every_field_of_the_form_reaches_the_study(diabetes: Study) -> None:
    assert diabetes == Study(
        id="TEST-01",
        source="form",
        title="Ny tablett ved diabetes type 2",
        status=Status.OPEN,
        language="nn",
        identifiers=(Identifier("rek", "900007"), Identifier("euct", "2026-900007-11-00")),
        summary="Vi prøver ein ny tablett.",
        conditions=("diabetes type 2",),
        keywords=("sukkersjuke",),
        icd10=("E11", "E11.9"),
        hrcs=("Stoffskifte og hormoner",),
        interventions=(Intervention("drug", "semaglutid"),),
        study_type="INTERVENTIONAL",
        phases=("PHASE3",),
        enrollment=120,
        criteria="Kven kan delta?\n- Du er over 18 år.\n\nKven kan ikkje delta?\n- Du er gravid.",
        sex=Sex.ALL,
        minimum_age=18,
        maximum_age=75,
        healthy_volunteers=False,
        sponsor="Oslo universitetssykehus",
        institutions=("Oslo universitetssykehus", "St. Olavs hospital", "Diakonhjemmet sykehus"),
        sites=(
            Site("Oslo universitetssykehus", "Oslo", "Norway", None, 59.9494, 10.7141),
            Site("St. Olavs hospital", "Trondheim", "Norway", None, 63.4206, 10.3881),
            Site("Diakonhjemmet sykehus", country="Norway"),
        ),
        contacts=(Contact("Studiesjukepleiar", email="test01@example.org"),),
        mailbox="test01@example.org",
        start="2026-02-01",
        end="2027-12",
        other_information="Reisa blir dekt.",
        last_confirmed="2026-10-01",
    )


def test_a_title_and_a_number_are_enough() -> None:
    study = read_form(MINIMAL)
    assert (study.id, study.language, study.status) == ("REK-900008", "nb", Status.UNDER_REVIEW)
    assert (study.sites, study.icd10, study.contacts) == ((), (), ())
    assert read_form({"title": "x", "ct_number": "nct01234567"}).id == "NCT01234567"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Startet – åpen for inklusjon", Status.OPEN),
        ("Startet - avventer å åpnes for inklusjon", Status.AWAITING),
        ("AVSLUTTET – inklusjon avsluttet, men fortsatt pågående", Status.ONGOING),
        ("Avsluttet – inklusjon avsluttet, studien er ferdigstilt", Status.COMPLETED),
        ("Starta – open for inklusjon", Status.OPEN),
        ("under_review", Status.UNDER_REVIEW),
        ("open", Status.OPEN),
    ],
)
def test_a_status_is_its_full_text_or_its_key(text: str, status: Status) -> None:
    assert read_form(MINIMAL | {"status": text}).status is status


def test_every_status_has_a_label_and_a_full_text() -> None:
    labels = Counter(say(f"status.{status}", "nb") for status in Status)
    assert labels == {"Åpen": 1, "Åpner snart": 1, "Avsluttet": 2, "Under avklaring": 1}
    assert say("status_full.awaiting", "nb") == "Startet – avventer å åpnes for inklusjon"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("title", "  ", "title is always required"),
        ("rek_id", "abc", "rek_id 'abc' is not a REK number"),
        ("ct_number", "12", "ct_number '12' is not a CT number"),
        ("status", "åpen kanskje", "status .*Startet – åpen for inklusjon"),
        ("icd10", ["sukker"], "sukker is not an ICD-10 code"),
        ("hrcs", ["Sukker"], "Sukker is not a category.*Stoffskifte og hormoner"),
        ("hospitals", ["Ringerike"], "Ringerike is not a named trust.*Vestre Viken.*private_hospitals"),
        ("language", "fr", "language 'fr' is not one of nb, nn, en"),
        ("mailbox", "a@b@example.org", "mailbox .*not an e-mail address"),
        ("contact", "Kari", "contact must be a table with person, phone, email"),
        ("contact", {"navn": "Kari"}, "contact has no navn; it has person, phone, email"),
        ("interventions", [{"kind": "magic", "name": "x"}], "'magic' is not one of drug"),
        ("interventions", "x", "interventions must be a list of tables"),
        ("inclusion_start", "2026-13", "inclusion_start '2026-13' is not a date"),
        ("minimum_age", "18", "minimum_age must be a number of years"),
        ("minimum_age", True, "minimum_age must be a number of years"),
        ("maximum_age", 121, "maximum_age must be a number of years"),
        ("enrollment", -1, "enrollment must be a whole number"),
        ("healthy_volunteers", "nei", "healthy_volunteers must be true or false"),
        ("sex", "both", "sex 'both' is not one of all, female, male"),
        ("phases", ["3"], "phases '3' is not one of"),
        ("id", "../x", "id '../x' is not letters"),
        ("criteria", 3, "criteria must be a text"),
        ("search_words", 3, "search_words must be a list of texts"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(field: str, value: object, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_form(MINIMAL | {field: value})


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(BadInput, match=r"title is always.*rek_id or ct_number is always.*sex 'x'"):
        read_form({"sex": "x"})


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(BadInput, match="minimum_age is above maximum_age"):
        read_form(MINIMAL | {"minimum_age": 70, "maximum_age": 18})


def test_unknown_fields_are_refused_with_the_allowed_ones() -> None:
    with pytest.raises(BadInput, match=r"has no tittel\. .*title, rek_id"):
        read_form(MINIMAL | {"tittel": "x"})


def test_ikke_endret_keeps_the_previous_value(diabetes: Study) -> None:
    form = {
        "title": "Ny tittel",
        "rek_id": "900007",
        "ct_number": "2026-900007-11-00",
        "status": "Ikke endret",
        "hospitals": "ikke endret",
        "private_hospitals": ["Lovisenberg"],
        "minimum_age": "ikke endret",
        "criteria": " IKKE ENDRET ",
    }
    changed = read_form(form, previous=diabetes)
    assert (changed.id, changed.title, changed.status) == ("TEST-01", "Ny tittel", Status.OPEN)
    assert (changed.criteria, changed.minimum_age) == (diabetes.criteria, 18)
    assert [site.facility for site in changed.sites] == [
        "Oslo universitetssykehus",
        "St. Olavs hospital",
        "Lovisenberg",
    ]
    assert (changed.maximum_age, changed.mailbox) == (None, "")


def test_a_change_needs_the_title_and_a_number_of_the_same_study(diabetes: Study) -> None:
    with pytest.raises(BadInput, match="title is always required"):
        read_form({"title": "ikke endret", "rek_id": "900007"}, previous=diabetes)
    with pytest.raises(BadInput, match="No number of the form belongs to TEST-01"):
        read_form(MINIMAL, previous=diabetes)
    with pytest.raises(BadInput, match="of study OTHER, not of TEST-01"):
        read_form({"title": "x", "rek_id": "900007", "id": "OTHER"}, previous=diabetes)


def test_ikke_endret_means_nothing_for_a_new_study() -> None:
    with pytest.raises(BadInput, match="only for changing a study that exists"):
        read_form(MINIMAL | {"status": "ikke endret"})


def test_a_change_of_another_registers_study_says_which_fields_came_from_the_form() -> None:
    fetched = Study(
        id="NCT01234567",
        source="ctgov",
        title="Asthma",
        status=Status.OPEN,
        identifiers=(Identifier("nct", "NCT01234567"), Identifier("sponsor", "A-1")),
        url="https://example.org",
        criteria="18 Years and older",
    )
    form = {"title": "Astma", "ct_number": "NCT01234567", "status": "ikke endret", "criteria": "ikke endret"}
    changed = read_form(form, previous=fetched)
    assert changed == replace(
        fetched, title="Astma", language="nb", origins=(("language", "form"), ("title", "form"))
    )


def test_forms_change_what_is_stored_and_a_broken_one_is_named(tmp_path: Path, diabetes: Study) -> None:
    (tmp_path / "change.toml").write_text(
        'id = "TEST-01"\ntitle = "Ny tittel"\nrek_id = "900007"\ncriteria = "ikke endret"\n', "utf-8"
    )
    (tmp_path / "new.toml").write_text('title = "Søvn"\nrek_id = "2018/702"\n', "utf-8")
    (tmp_path / "broken.toml").write_text("title = ", "utf-8")
    (tmp_path / "latin.toml").write_bytes("title = 'søvn'".encode("latin-1"))
    names = ["change", "new", "broken", "latin", "none"]
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        store.put(diabetes)
        items = list(read_forms([tmp_path / f"{name}.toml" for name in names], store))
    studies = [item for item in items if isinstance(item, Study)]
    assert [study.id for study in studies] == ["TEST-01", "REK-2018-702"]
    assert studies[0].criteria == diabetes.criteria
    reasons = [str(item) for item in items if isinstance(item, BadRecord)]
    assert [reason.split(": ")[0] for reason in reasons] == ["broken.toml", "latin.toml", "none.toml"]
    assert "not TOML" in reasons[0]
    assert "UTF-8" in reasons[1]


def test_the_twenty_trusts_lie_in_norway() -> None:
    assert len(trusts()) == 20
    for name, site in trusts().items():
        assert trust(name.upper()) == site
        assert site.city
        assert 57.9 < (site.latitude or 0) < 71.3
        assert 4.4 < (site.longitude or 0) < 31.2


def test_the_sample_studies_are_marked_and_cover_every_category() -> None:
    studies = sample_studies()
    assert {(study.source, study.is_sample) for study in studies} == {("sample", True)}
    categories = {category.label for category in CATEGORIES} - {"Annet"}
    assert categories <= {label for study in studies for label in study.hrcs}
