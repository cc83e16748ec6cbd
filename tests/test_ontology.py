import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from ontology.check import check
from ontology.concept import CONDITION_COLUMNS, Kind, Ontology, load_ontology
from ontology.errors import BadInput
from ontology.hrcs import CATEGORIES, canonical, english
from ontology.icd10 import blocks, covers, exists, title, written

ROW = {
    "id": "snow-fever",
    "parents": "-",
    "nb": "snøfeber",
    "nn": "snøfeber",
    "en": "snow fever",
    "nb_also": "vinterfeber | kuldefeber",
    "nn_also": "-",
    "en_also": "winter fever",
    "sv_da": "snöfeber",
    "abbr": "SNF",
    "phrases": "hutrer hele vinteren",
    "icd10": "B34.9",
    "icpc2": "A77",
    "hrcs": "Infeksjon",
    "mesh": "-",
}


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture
def hospital(tmp_path: Path) -> Callable[..., Ontology]:
    """Load the project's tables with rows of a hospital's own infection.tsv on top."""

    def load(*rows: dict[str, str], header: str = CONDITION_COLUMNS) -> Ontology:
        lines = [
            header.split(),
            *([{**ROW, **row}[name] for name in CONDITION_COLUMNS.split()] for row in rows),
        ]
        (tmp_path / "infection.tsv").write_text("".join("\t".join(line) + "\n" for line in lines), "utf-8")
        return load_ontology(tmp_path)

    return load


def test_the_tables_hold_together(ontology: Ontology) -> None:
    assert check(ontology).problems == ()


def test_a_concept_says_what_it_is(ontology: Ontology) -> None:
    diabetes = ontology.get("diabetes")
    assert diabetes.kind is Kind.CONDITION
    assert (diabetes.label("nb"), diabetes.label("en"), diabetes.label("sv")) == ("diabetes",) * 3
    assert diabetes.icd10[0] == "E10"
    assert diabetes.hrcs[0] == "Stoffskifte og hormoner"
    assert "sukkersyke" in {form.text for form in diabetes.forms}
    assert ontology.readings("Sukkersyke") == ("diabetes",)
    assert ontology.readings("finnes ikke") == ()


def test_hierarchy_follows_the_parents_column(ontology: Ontology) -> None:
    assert ontology.parents("diabetes-type-2") == ("diabetes",)
    assert {"diabetes-type-1", "diabetes-type-2"} <= set(ontology.descendants("diabetes"))
    assert "diabetes" in ontology.ancestors("diabetes-type-1")


def test_hierarchy_follows_icd10_where_no_parent_is_named(hospital: Callable[..., Ontology]) -> None:
    ontology = hospital(
        {"icd10": "B25 B34"},
        {"id": "snow-fever-mild", "nb": "mild snøfeber", "icd10": "B34.9"},
        {"id": "snow-fever-odd", "nb": "rar snøfeber", "icd10": "B34.9 B99"},
    )
    assert "snow-fever" in ontology.parents("snow-fever-mild")
    assert "snow-fever" not in ontology.ancestors("snow-fever-odd")


def test_codes_of_a_drug_are_those_of_what_it_treats(ontology: Ontology) -> None:
    assert ontology.get("metformin").icd10 == ()
    assert "E11" in ontology.codes("metformin")


def test_codes_reach_narrower_codes_and_the_concepts_that_carry_them(
    hospital: Callable[..., Ontology],
) -> None:
    ontology = hospital({})
    assert "B34.9" in ontology.expand(["B34"])
    assert "snow-fever" in ontology.related(["B34"])
    assert "diabetes" in ontology.related(["E11.9"])


def test_a_hospital_adds_its_own_concepts(hospital: Callable[..., Ontology]) -> None:
    ontology = hospital({})
    assert ontology.readings("vinterfeber") == ("snow-fever",)
    assert ontology.get("diabetes").id == "diabetes"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"nb": ""}, "infection.tsv, line 2: a cell is empty"),
        ({"nb": " snøfeber"}, "spaces around"),
        ({"icd10": "B3"}, "'B3' is no ICD-10 code"),
        ({"icd10": "influensa"}, "3 or 4 characters"),
        ({"parents": "atlantis"}, "'atlantis' is no other concept"),
        ({"parents": "snow-fever"}, "'snow-fever' is no other concept"),
        ({"hrcs": "Infeksjon | Snø"}, "'Snø' is no HRCS label"),
        ({"hrcs": "Blod"}, "the first HRCS label is not 'Infeksjon'"),
        ({"id": "diabetes"}, "'diabetes' stands in another row"),
        ({"nb": "snø\tfeber"}, "16 cells instead of 15"),
    ],
)
def test_a_broken_row_is_refused_by_file_line_and_remedy(
    hospital: Callable[..., Ontology], broken: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=r"infection\.tsv, line \d+: .*\. .*\.") as error:
        hospital(broken)
    assert said in str(error.value)


def test_rows_out_of_order_are_refused(hospital: Callable[..., Ontology]) -> None:
    with pytest.raises(BadInput, match=r"line 3: 'a-fever' stands after 'snow-fever'\. Sort the rows"):
        hospital({}, {"id": "a-fever"})


def test_an_unknown_column_is_refused(hospital: Callable[..., Ontology]) -> None:
    with pytest.raises(BadInput, match="write the header 'id parents nb"):
        hospital({}, header=CONDITION_COLUMNS + " colour")


def test_an_unknown_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sykdommer.tsv").write_text("id\n", "utf-8")
    with pytest.raises(BadInput, match=r"sykdommer\.tsv is no table.*Rename it"):
        load_ontology(tmp_path)
    with pytest.raises(BadInput, match="is not a folder"):
        load_ontology(tmp_path / "nowhere")


def test_undeclared_ambiguity_and_unreal_codes_are_found(hospital: Callable[..., Ontology]) -> None:
    ontology = hospital({"nb_also": "sukkersyke | slagord | sy", "icd10": "B98.9", "en_also": "x"})
    problems = "\n".join(check(ontology).problems)
    assert "'sukkersyke' (nb) names diabetes snow-fever" in problems
    assert "ICD-10 has no code B98.9" in problems
    assert "'slagord' is an ordinary word" in problems
    assert "'sy' is too short" in problems


def test_a_declared_ambiguity_keeps_its_order(tmp_path: Path) -> None:
    own = Path(str(files("ontology") / "ambiguous.tsv"))
    shutil.copy(own, tmp_path / "ambiguous.tsv")
    row = {**ROW, "nb_also": "sukkersyke"}
    cells = "\t".join(row[name] for name in CONDITION_COLUMNS.split())
    (tmp_path / "infection.tsv").write_text("\t".join(CONDITION_COLUMNS.split()) + f"\n{cells}\n", "utf-8")
    (tmp_path / "ambiguous.tsv").write_text(
        "form\tlanguage\treadings\nsukkersyke\tnb\tsnow-fever diabetes\n", "utf-8"
    )
    ontology = load_ontology(tmp_path)
    assert ontology.readings("sukkersyke") == ("snow-fever", "diabetes")
    assert not [each for each in check(ontology).problems if "sukkersyke" in each]


def test_coverage_counts_concepts_and_names_empty_blocks(ontology: Ontology) -> None:
    report = check(ontology)
    assert report.concepts == len(ontology.concepts)
    assert [each.label for each in report.coverage] == [category.label for category in CATEGORIES]
    assert "E10-E14" not in {block.code for block in report.blocks_without_concept}


def test_hrcs_labels_are_recognised_however_they_are_punctuated() -> None:
    assert canonical("Munnhule mage og tarm") == "Munnhule, mage og tarm"
    assert canonical("Stroke") == "Hjerneslag"
    assert canonical("Astrologi") is None
    assert english("Kreft") == "Cancer and neoplasms"
    assert len(CATEGORIES) == 21


def test_icd10_codes_are_written_as_who_writes_them() -> None:
    assert (written("E119"), written("E11.9"), written("E11"), written("e11")) == (
        "E11.9",
        "E11.9",
        "E11",
        None,
    )
    assert exists("E11.9")
    assert not exists("E99")
    assert title("E11") == "Type 2 diabetes mellitus"
    assert covers("E11", "E11.9")
    assert not covers("E11.9", "E11")
    assert ("E10-E14", ("E10", "E11", "E12", "E13", "E14")) in [(b.code, b.categories) for b in blocks()]
