import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontology.errors import BadInput, BadRecord
from registry.ctgov import STATUS, read_file, read_study, study_or_reason
from registry.importing import ImportReport, import_studies
from registry.plain_text import clean, unescape_markdown, unwrap
from registry.store import Store
from registry.study import Contact, Identifier, Sex, Status, Study

Records = Callable[[str], Iterator[dict[str, Any]]]


def record(**modules: Any) -> dict[str, Any]:
    named = {"nctId": "NCT01234567", "briefTitle": "Kneeling"} | modules.pop("identificationModule", {})
    return {"protocolSection": {"identificationModule": named, **modules}}


def eligibility(**fields: Any) -> Study:
    return read_study(record(eligibilityModule=fields))


@pytest.mark.parametrize(("stem", "count"), [("norway", 83), ("norway_reshaped", 136), ("world", 5453)])
def test_every_shared_record_is_read(shared_data: Path, stem: str, count: int) -> None:
    items = list(read_file(shared_data / "ctgov" / f"{stem}.jsonl.gz"))
    studies = [item for item in items if isinstance(item, Study)]
    assert len(studies) == len(items) == count
    assert all(study.title and study.url.endswith(study.id) for study in studies)
    assert all((study.status is Status.OPEN) == (study.registry_status == "RECRUITING") for study in studies)
    assert not any("\\>" in study.criteria or "\r" in study.criteria for study in studies)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("RECRUITING", Status.OPEN),
        ("NOT_YET_RECRUITING", Status.AWAITING),
        ("ACTIVE_NOT_RECRUITING", Status.ONGOING),
        ("COMPLETED", Status.COMPLETED),
        ("ENROLLING_BY_INVITATION", Status.UNDER_REVIEW),
        ("ACTIVE", Status.UNDER_REVIEW),
        ("AVAILABLE", Status.UNDER_REVIEW),
        ("NO_LONGER_AVAILABLE", Status.UNDER_REVIEW),
        ("TERMINATED", Status.UNDER_REVIEW),
        ("SUSPENDED", Status.UNDER_REVIEW),
        ("WITHDRAWN", Status.UNDER_REVIEW),
        ("UNKNOWN", Status.UNDER_REVIEW),
        (None, Status.UNDER_REVIEW),
    ],
)
def test_statuses_follow_the_crosswalk(stated: str | None, expected: Status) -> None:
    study = read_study(record(statusModule={"overallStatus": stated}))
    assert (study.status, study.registry_status) == (expected, stated or "")


def test_a_record_with_nothing_but_a_name_is_read() -> None:
    study = read_study(record())
    assert (study.id, study.title, study.language, study.source) == ("NCT01234567", "Kneeling", "en", "ctgov")
    assert study.status is Status.UNDER_REVIEW
    assert (study.sex, study.minimum_age, study.healthy_volunteers, study.enrollment) == (None,) * 4
    assert (study.sites, study.criteria, study.mailbox, study.last_confirmed) == ((), "", "", "")


def test_a_norwegian_record_becomes_its_study(ctgov_records: Records) -> None:
    study = next(read_study(raw) for raw in ctgov_records("norway") if "NCT05068830" in str(raw))
    assert study.acronym == "ExPlas"
    assert study.status is Status.OPEN
    assert Identifier("eudract", "2018-000148-24") in study.identifiers
    assert (study.phases, study.study_type, study.enrollment) == (("PHASE2",), "INTERVENTIONAL", 60)
    assert (study.start, study.end, study.last_confirmed) == ("2021-09-17", "2026-09", "2024-11")
    assert study.institutions == ("St. Olavs Hospital",)
    assert "VO2max >50 mL/kg/min" in study.summary
    assert [(site.city, site.latitude is not None) for site in study.sites] == [("Trondheim", True)]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("18 Years", 18.0),
        ("1 Year", 1.0),
        ("6 Months", 0.5),
        ("36 Weeks", 0.69),
        ("1 Day", 0.0027),
        ("N/A", None),
        ("999 Years", None),
        ("ADULT, OLDER_ADULT", 18.0),
        ("CHILD, ADULT", None),
        ("OLDER_ADULT", 65.0),
    ],
)
def test_ages_become_years(text: str, years: float | None) -> None:
    assert eligibility(minimumAge=text).minimum_age == pytest.approx(years, abs=0.001)


def test_age_groups_limit_no_more_than_they_say() -> None:
    assert eligibility(minimumAge="ADULT").maximum_age == 64
    assert eligibility(minimumAge="CHILD").maximum_age == 17
    assert eligibility(minimumAge="ADULT, OLDER_ADULT").maximum_age is None


def test_older_spellings_are_understood() -> None:
    assert eligibility(sex="BOTH").sex is Sex.ALL
    assert eligibility(healthyVolunteers="No").healthy_volunteers is False
    design = {"phases": ["PHASE2PHASE3"], "enrollmentInfo": {"count": "160"}}
    study = read_study(record(designModule=design))
    assert (study.phases, study.enrollment) == (("PHASE2", "PHASE3"), 160)
    arms = {"interventions": [{"type": "OTHER", "name": "BEHAVIORAL: Walking"}]}
    (intervention,) = read_study(record(armsInterventionsModule=arms)).interventions
    assert (intervention.kind, intervention.name) == ("behavioral", "Walking")


def test_numbers_of_other_registers_are_told_apart() -> None:
    named = {
        "orgStudyIdInfo": {"id": "2013/757(REK)"},
        "secondaryIdInfos": [
            {"id": "2018-000148-24", "type": "EUDRACT_NUMBER"},
            {"id": "2023-505599-42-00", "type": "REGISTRY"},
            {"id": "U1111-1114-0042", "type": "OTHER"},
        ],
    }
    kinds = [each.kind for each in read_study(record(identificationModule=named)).identifiers]
    assert kinds == ["nct", "rek", "eudract", "euct", "other"]


def site(country: str, status: str | None, email: str, role: str = "CONTACT") -> dict[str, Any]:
    return {"country": country, "status": status, "contacts": [{"email": email, "role": role}]}


def test_the_mailbox_is_that_of_an_open_norwegian_site_then_the_central_one() -> None:
    sites = [
        site("Sweden", "RECRUITING", "se@example.org"),
        site("Norway", "COMPLETED", "done@example.org"),
        site("Norway", "RECRUITING", "write here; no@example.org"),
    ]
    central = [{"email": "central@example.org"}]
    status = {"overallStatus": "RECRUITING"}

    def mailbox(locations: list[dict[str, Any]]) -> str:
        place = {"locations": locations, "centralContacts": central}
        return read_study(record(statusModule=status, contactsLocationsModule=place)).mailbox

    assert mailbox(sites) == "no@example.org"
    assert mailbox(sites[:2]) == "central@example.org"
    assert mailbox([site("Norway", None, "site@example.org")]) == "site@example.org"
    assert mailbox([site("Norway", "RECRUITING", "two@ats@example.org")]) == "central@example.org"


def test_sites_keep_their_place_status_and_contacts() -> None:
    location = {
        "facility": "Haukeland",
        "geoPoint": {"lat": 60.4, "lon": 5},
        "contacts": [{"name": "Study nurse", "role": "CONTACT", "phone": "55", "phoneExt": "7"}],
    }
    (found,) = read_study(record(contactsLocationsModule={"locations": [location]})).sites
    assert (found.latitude, found.longitude, found.status) == (60.4, 5.0, None)
    assert found.contacts == (Contact("Study nurse", "contact", "", "55 (7)"),)


def test_texts_are_cleaned_and_criteria_keep_their_lines() -> None:
    raw = "Inclusion:\r\n\r\n\r\n\r\n* HbA1c \\>7 \\[mmol\\]\u00a0\x00\r\n  * A\u030a &amp; &lt; 2\n* C:\\d"
    assert eligibility(eligibilityCriteria=raw).criteria == (
        "Inclusion:\n\n* HbA1c >7 [mmol]\n  * Å & < 2\n* C:\\d"
    )


def test_lines_broken_at_a_fixed_width_are_joined_and_lists_are_not() -> None:
    wrapped = (
        "Inclusion:\n\n- Patients must have histological confirmation of the diagnosis (it is recommended\n"
        "that the panel includes CD45)\n\n- Age at least 18 years"
    )
    assert unwrap(wrapped) == (
        "Inclusion:\n\n- Patients must have histological confirmation of the diagnosis (it is recommended "
        "that the panel includes CD45)\n\n- Age at least 18 years"
    )
    short = "Inclusion:\nadults\nin Norway"
    assert unwrap(short) == short


@settings(deadline=None)
@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    plain = text.replace("&", "").replace("<", "")
    assert clean(clean(plain)) == clean(plain)
    assert "\x00" not in clean(text)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_unwrapping_keeps_every_word(text: str) -> None:
    assert unwrap(clean(text)).split() == clean(text).split()


def test_a_backslash_before_a_letter_stays() -> None:
    assert unescape_markdown(r"a\>b C:\dir \\ \[x\]") == r"a>b C:\dir \ [x]"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ([], "the record is a list, not an object"),
        (None, "the record is null, not an object"),
        ({}, "nctId is '', not an NCT number"),
        (record(identificationModule={"nctId": "12"}), "nctId is '12'"),
        (record(identificationModule={"nctId": 12}), "nctId is a number, not a text"),
        (record(identificationModule={"briefTitle": " "}), "briefTitle is missing"),
        (record(conditionsModule={"conditions": "Asthma"}), "conditions is a text, not a list"),
        (record(conditionsModule={"conditions": [1]}), r"conditions\[0\] is a number, not a text"),
        (record(designModule=7), "designModule is a number, not an object"),
        (record(designModule={"enrollmentInfo": {"count": "many"}}), "count is not a whole number"),
        (record(eligibilityModule={"minimumAge": "old"}), "'old', not an age"),
        (record(eligibilityModule={"sex": "X"}), "sex is 'X'"),
        (record(eligibilityModule={"healthyVolunteers": 3}), "neither true nor false"),
        (record(statusModule={"statusVerifiedDate": "May"}), "'May', not a date"),
        (
            record(contactsLocationsModule={"locations": [{"geoPoint": {"lat": 95.0}}]}),
            r"locations\[0\].geoPoint.lat is not a number from -90 to 90",
        ),
    ],
)
def test_a_broken_record_says_what_is_wrong(broken: object, why: str) -> None:
    with pytest.raises(BadRecord, match=why):
        read_study(broken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.data())
def test_whatever_stands_in_a_module_is_read_or_refused(data: st.DataObject) -> None:
    module, fields = data.draw(
        st.sampled_from(
            [
                ("statusModule", ["overallStatus", "startDateStruct", "statusVerifiedDate"]),
                ("designModule", ["phases", "enrollmentInfo", "studyType"]),
                ("eligibilityModule", ["minimumAge", "maximumAge", "sex", "eligibilityCriteria"]),
                ("contactsLocationsModule", ["locations", "centralContacts", "overallOfficials"]),
                ("armsInterventionsModule", ["interventions"]),
            ]
        )
    )
    content = data.draw(st.dictionaries(st.sampled_from(fields), json_values) | json_values)
    outcome = study_or_reason("line 1", record(**{module: content}))
    assert isinstance(outcome, Study) or str(outcome).startswith(f"line 1: protocolSection.{module}")


LINES = [
    json.dumps(record()).encode(),
    b"{not json",
    b"",
    b'{"protocolSection": {}}',
    b"[" * 100_000,
    b"\xff\xfe\xfa",
    json.dumps(record(identificationModule={"nctId": "NCT00000002"})).encode(),
]


@pytest.mark.parametrize("packed", [False, True])
def test_a_broken_line_is_reported_with_its_number_and_stops_nothing(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("records.jsonl.gz" if packed else "records.jsonl")
    lines = b"\n".join(LINES)
    path.write_bytes(gzip.compress(lines) if packed else lines)
    items = list(read_file(path))
    assert [item.id for item in items if isinstance(item, Study)] == ["NCT01234567", "NCT00000002"]
    broken = [str(item) for item in items if isinstance(item, BadRecord)]
    assert [text.split(": ")[0] for text in broken] == [
        f"{path.name} line {number}" for number in (2, 4, 5, 6)
    ]
    assert "not JSON" in broken[0]
    assert "nctId" in broken[1]


@pytest.mark.parametrize("shape", ["one", "list", "studies"])
def test_a_json_file_holds_one_record_or_many(tmp_path: Path, shape: str) -> None:
    content: Any = {"one": record(), "list": [record(), 7], "studies": {"studies": [record(), 7]}}[shape]
    (tmp_path / "records.json").write_text(json.dumps(content, indent=1))
    items = list(read_file(tmp_path / "records.json"))
    assert isinstance(items[0], Study)
    assert [str(item) for item in items[1:]] == (
        [] if shape == "one" else ["records.json record 2: the record is a number, not an object"]
    )


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "text.json").write_text("Hei")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"\n".join(LINES * 50))[:200])
    (only,) = read_file(tmp_path / "text.json")
    assert "not JSON" in str(only)
    *_, last = read_file(tmp_path / "cut.jsonl.gz")
    assert "damaged" in str(last)
    for missing in (tmp_path / "none.json", tmp_path):
        with pytest.raises(BadInput, match="cannot be opened"):
            list(read_file(missing))


def test_an_import_counts_everything_and_names_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n".join(LINES))
    seen: list[int] = []
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        first = import_studies(store, read_file(path), progress=lambda report: seen.append(report.read))
        again = import_studies(store, read_file(path))
        changed = replace(store.get("NCT01234567"), title="Standing")
        third = import_studies(store, [changed])
    assert (first.read, first.stored, first.updated, first.unchanged) == (6, 2, 0, 0)
    assert [where for where, _ in first.failed] == [f"records.jsonl line {number}" for number in (2, 4, 5, 6)]
    assert first.failed[1][1].startswith("protocolSection.identificationModule.nctId is ''")
    assert (again.stored, again.unchanged, again.failed) == (0, 2, first.failed)
    assert third == ImportReport(updated=1)
    assert seen == [6]


def test_the_norwegian_records_are_stored_once(shared_data: Path, tmp_path: Path) -> None:
    files = [shared_data / "ctgov" / name for name in ("norway.jsonl.gz", "norway_reshaped.jsonl.gz")]
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        reports = [import_studies(store, (item for file in files for item in read_file(file))) for _ in "12"]
        statuses = Counter(study.status for study in store.all())
    assert [(report.stored, report.unchanged) for report in reports] == [(219, 0), (0, 219)]
    assert set(statuses) == set(STATUS.values()) | {Status.UNDER_REVIEW}
