"""What can be chosen beside the words: it narrows, counts, and never hides what a study does not state."""

from dataclasses import replace
from math import acos, cos, radians, sin
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.choices import lenient, read_choices
from nlp.embeddings.encoder import Encoder
from nlp.embeddings.facets import FACETS, facets_of, wanted_bits
from nlp.embeddings.search import Answer, StudyIndex
from nlp.embeddings.sites import Spot, Spots
from nlp.places import Place, place_called
from nlp.query import Chosen, Filters, Sort, understand
from ontology.concept import load_ontology
from ontology.errors import BadInput
from ontology.linker import Linker
from registry.study import Intervention, Sex, Site, Status, Study

LINKER = Linker(load_ontology())
BERGEN, OSLO, TROMSO = (place_called(name) for name in ("Bergen", "Oslo", "Tromsø"))
BASE = Study("", "test", "Asthma study", Status.OPEN, conditions=("Asthma",))
DRUG = (Intervention("drug", "tablet"),)


def site(city: str, status: Status | None = None, country: str = "Norway") -> Site:
    return Site(f"{city} sykehus", city, country, status)


STUDIES = (
    replace(
        BASE, id="BERGEN", sites=(site("Bergen"), site("Oslo", Status.ONGOING)), phases=("PHASE3",),
        study_type="INTERVENTIONAL", sponsor_kind="industry", sex=Sex.FEMALE, minimum_age=18, maximum_age=60,
        interventions=DRUG,
    ),
    replace(
        BASE, id="OSLO", sites=(site("Oslo"), site("Bergen", Status.AWAITING)), phases=("PHASE2", "PHASE3"),
        study_type="INTERVENTIONAL", sponsor_kind="other", sex=Sex.ALL, minimum_age=65, interventions=DRUG,
    ),
    replace(BASE, id="SOON", status=Status.AWAITING, sites=(site("Bergen"),), study_type="OBSERVATIONAL"),
    replace(
        BASE, id="CLOSED", status=Status.COMPLETED, sites=(site("Bergen"),), sex=Sex.MALE, maximum_age=12
    ),
    replace(BASE, id="REVIEW", status=Status.UNDER_REVIEW, sites=(site("Lyon", country="France"),)),
    replace(BASE, id="SILENT"),
    replace(BASE, id="ELSEWHERE", title="Broken legs", conditions=("Fracture",), sites=(site("Bergen"),)),
)  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, toy_encoder: Encoder) -> StudyIndex:
    index = StudyIndex.open(tmp_path_factory.mktemp("index"), toy_encoder, load_ontology())
    index.update(STUDIES)
    return index


def ask(index: StudyIndex, near: Place | None = None, sort: Sort | None = None, **filters: Any) -> Answer:
    only = frozenset(filters.pop("only", ()))
    chosen = Chosen(Filters(**filters, only=only), near, sort)
    return index.answer(understand("asthma", LINKER, chosen), 20, counted=True)


def sure(answer: Answer) -> list[str]:
    return [hit.study_id for hit in answer.hits if hit.sure]


def counted(answer: Answer, facet: str) -> dict[str, int]:
    (counts,) = (each for each in answer.counts if each.facet == facet)
    return {each.value: each.count for each in counts.values if each.count}


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({}, {"BERGEN", "OSLO", "SOON", "CLOSED", "REVIEW", "SILENT"}),
        ({"status": "open"}, {"BERGEN", "OSLO", "SILENT"}),
        ({"status": "awaiting"}, {"SOON"}),
        ({"status": "closed"}, {"CLOSED"}),
        ({"sex": Sex.MALE}, {"OSLO", "SOON", "CLOSED", "REVIEW", "SILENT"}),
        ({"age": 61.0}, {"SOON", "REVIEW", "SILENT"}),
        ({"only": {("phase", "2")}}, {"OSLO", "CLOSED", "REVIEW", "SILENT"}),
        ({"only": {("phase", "2"), ("phase", "none")}}, {"OSLO", "SOON", "CLOSED", "REVIEW", "SILENT"}),
        ({"only": {("type", "observational")}}, {"SOON", "CLOSED", "REVIEW", "SILENT"}),
        ({"only": {("sponsor", "industry"), ("phase", "2")}}, {"CLOSED", "REVIEW", "SILENT"}),
        ({"only": {("ages", "child")}}, {"SOON", "CLOSED", "REVIEW", "SILENT"}),
        ({"only": {("hrcs", "Kreft")}}, set()),
    ],
)
def test_choices_narrow_and_keep_what_is_not_stated(
    index: StudyIndex, filters: dict[str, Any], left: set[str]
) -> None:
    answer = ask(index, **filters)
    assert set(sure(answer)) == left
    assert (answer.total, answer.kept_out) == (len(left), 6 - len(left))


def test_a_hit_says_what_it_does_not_state(index: StudyIndex) -> None:
    answer = ask(index, age=30.0, sex=Sex.FEMALE, near=BERGEN, within=50, only={("phase", "3")})
    unstated = {hit.study_id: set(hit.unstated) for hit in answer.hits if hit.sure}
    assert unstated["BERGEN"] == set()
    assert unstated["SILENT"] == {"ages", "sex", "phase", "place"}
    assert not any(hit.unstated for hit in ask(index).hits)


def test_near_and_open_means_a_site_that_takes_people_in(index: StudyIndex) -> None:
    assert set(sure(ask(index, near=BERGEN, within=50, status="open"))) == {"BERGEN", "SILENT"}
    assert set(sure(ask(index, near=BERGEN, within=50))) == {"BERGEN", "OSLO", "SOON", "CLOSED", "SILENT"}
    assert set(sure(ask(index, near=TROMSO, within=50))) == {"SILENT"}


def test_the_nearest_site_that_recruits_comes_first(index: StudyIndex) -> None:
    answer = ask(index, near=OSLO)
    assert sure(answer)[:2] == ["OSLO", "BERGEN"]
    assert set(sure(answer)[2:4]) == {"SOON", "CLOSED"}
    near = {hit.study_id: hit.nearest for hit in answer.hits}
    assert near["BERGEN"] is not None
    assert (near["BERGEN"].name, near["BERGEN"].recruits) == ("Bergen sykehus, Bergen", True)
    assert near["BERGEN"].km == pytest.approx(305, abs=5)
    assert near["SILENT"] is near["REVIEW"] is None
    assert answer.hits[-1].study_id == "ELSEWHERE"


def test_open_studies_come_first_only_when_that_is_chosen(index: StudyIndex) -> None:
    statuses = [hit.status for hit in ask(index, sort="open").hits if hit.sure]
    assert statuses[:4] == [Status.OPEN, Status.OPEN, Status.OPEN, Status.AWAITING]
    scores = [hit.score for hit in ask(index).hits]
    assert scores == sorted(scores, reverse=True)


def test_each_count_is_what_choosing_it_would_leave(index: StudyIndex) -> None:
    chosen = {("phase", "3")}
    answer = ask(index, sex=Sex.FEMALE, only=chosen)
    for counts in answer.counts:
        for each in counts.values:
            others = {choice for choice in chosen if choice[0] != counts.facet}
            filters: dict[str, Any] = {"sex": Sex.FEMALE, "only": others | {(counts.facet, each.value)}}
            if counts.facet == "sex":
                filters = {"sex": Sex(each.value), "only": others}
            if counts.facet == "status" and each.value != "under_review":
                filters = {"sex": Sex.FEMALE, "only": others, "status": each.value}
            assert ask(index, **filters).total == each.count + counts.unstated, (counts.facet, each)


def test_what_is_only_alike_is_neither_counted_nor_sure(index: StudyIndex) -> None:
    answer = ask(index)
    assert "ELSEWHERE" in {hit.study_id for hit in answer.hits if not hit.sure}
    assert sum(counted(answer, "status").values()) == answer.total == 6


@given(st.sampled_from(list(FACETS)), st.data())
def test_a_chosen_value_is_one_bit_of_its_facet(facet: str, data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(FACETS[facet]))
    bits = wanted_bits(Filters(only=frozenset([(facet, value)])))
    assert bits == {facet: 1 << FACETS[facet].index(value)}


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"phases": ("EARLY_PHASE1",)}, {"1"}),
        ({"phases": ("PHASE2", "PHASE3")}, {"2", "3"}),
        ({"phases": ("NA",)}, {"none"}),
        ({"study_type": "OBSERVATIONAL"}, {"none"}),
        ({"interventions": (Intervention("behavioral", "talk"),)}, {"none"}),
        ({"interventions": DRUG}, set()),
        ({}, set()),
    ],
)
def test_a_study_without_phase_is_not_one_that_hides_it(changes: dict[str, Any], phase: set[str]) -> None:
    bits = facets_of(replace(BASE, **changes), ())["phase"]
    assert {value for place, value in enumerate(FACETS["phase"]) if bits >> place & 1} == phase


POINTS = st.tuples(st.floats(57, 72), st.floats(4, 32))


@given(POINTS, st.lists(st.tuples(POINTS, st.booleans()), min_size=1, max_size=8))
def test_the_nearest_is_the_least_distance_on_the_sphere(
    here: tuple[float, float], sites: list[tuple[tuple[float, float], bool]]
) -> None:
    def km(there: tuple[float, float]) -> float:
        (a, b), (c, d) = map(radians, here), map(radians, there)
        return 6371 * acos(max(-1, min(1, sin(a) * sin(c) + cos(a) * cos(c) * cos(b - d))))

    spots = Spots([Spot(1, "", *point, recruits) for point, recruits in sites])
    found = spots.nearest(Place("", *here))[1]
    wanted = [point for point, recruits in sites if recruits] or [point for point, _ in sites]
    assert found.recruits == any(recruits for _, recruits in sites)
    assert found.km == pytest.approx(min(map(km, wanted)), abs=0.2)


def test_an_address_is_read_strictly_by_machines_and_kindly_for_people() -> None:
    odd = {"status": "gone", "age": "x", "phase": ["3", "99"], "near": "Bergen", "within": "-1", "sex": ""}
    kind = lenient(odd)
    assert (kind.status, kind.age, kind.phase, kind.near, kind.within) == ("all", None, ["3"], "Bergen", None)
    for name in ("status", "age", "phase", "within"):
        with pytest.raises(BadInput, match=name):
            read_choices({name: odd[name]})
    with pytest.raises(BadInput, match=r"Atlantis.*Name a Norwegian municipality"):
        read_choices({"near": "Atlantis"}).chosen()
    assert read_choices({"hrcs": ["cancer and neoplasms"]}).hrcs == ["Kreft"]


def test_a_removed_study_leaves_no_site_behind(tmp_path: Path, toy_encoder: Encoder) -> None:
    index = StudyIndex.open(tmp_path, toy_encoder, load_ontology())
    index.update(STUDIES)
    index.update([replace(STUDIES[0], sites=(site("Tromsø"),))])
    index.remove(["OSLO"])
    near = {hit.study_id: hit.nearest for hit in ask(index, near=BERGEN).hits}
    assert "OSLO" not in near
    assert near["BERGEN"] is not None
    assert near["BERGEN"].km > 1000
