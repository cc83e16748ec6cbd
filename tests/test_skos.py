import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ontology.concept import CONDITION_COLUMNS, Concept, FormKind, Kind, load_ontology
from ontology.errors import BadInput
from ontology.skos import export_skos, import_skos, read_skos

PREFIXES = """@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix sv: <urn:studievei:> .
@prefix own: <https://hospital.example/words#> .
"""
SNOW = (
    'own:Snow_Fever a skos:Concept; skos:prefLabel "snøfeber"@nb; skos:altLabel "vintersott"@no; '
    'skos:altLabel "snöfeber"@sv; skos:hiddenLabel "fryser i snøen"; skos:notation "B33"^^sv:icd10; '
    "skos:broader sv:diabetes ."
)


@pytest.fixture
def turtle(tmp_path: Path) -> Path:
    return tmp_path / "words.ttl"


def alike(concept: Concept) -> tuple[object, ...]:
    """What must survive: everything; of unordered lists the first is the main one."""
    lists = (concept.hrcs, concept.icd10, concept.icpc2, concept.atc)
    return (
        concept.id,
        concept.kind,
        (concept.nb, concept.nn, concept.en, concept.mesh),
        frozenset(concept.forms),
        frozenset(concept.parents),
        frozenset(concept.suggests),
        tuple((each[:1], frozenset(each)) for each in lists),
    )


def test_what_is_exported_is_read_back_whole(turtle: Path) -> None:
    concepts = load_ontology().concepts
    export_skos(concepts.values(), turtle)
    read = {concept.id: alike(concept) for concept in read_skos(turtle)}
    assert read == {concept.id: alike(concept) for concept in concepts.values()}


def test_a_hospitals_concepts_of_every_kind_come_back_from_its_tables(turtle: Path, tmp_path: Path) -> None:
    shipped = load_ontology().concepts
    own = [
        replace(
            next(each for each in shipped.values() if each.kind is kind and each.forms[3:]),
            id=f"own-{kind}",
        )
        for kind in Kind
    ]
    export_skos(own, turtle)
    folder = tmp_path / "ontology"
    assert import_skos(turtle, folder) == (4, 0)
    loaded = load_ontology(folder).concepts
    assert [alike(loaded[each.id]) for each in own] == [alike(each) for each in own]
    assert import_skos(turtle, folder) == (4, 0)


def test_what_is_shipped_is_left_out_and_counted(turtle: Path, tmp_path: Path) -> None:
    shipped = load_ontology().concepts
    export_skos([shipped["diabetes"]], turtle)
    assert import_skos(turtle, tmp_path / "ontology") == (0, 1)


def test_a_plain_vocabulary_of_others_becomes_a_table(turtle: Path, tmp_path: Path) -> None:
    turtle.write_text(PREFIXES + SNOW, "utf-8")
    folder = tmp_path / "ontology"
    assert import_skos(turtle, folder) == (1, 0)
    concept = load_ontology(folder).get("snow-fever")
    assert (concept.nn, concept.en, concept.kind, concept.icd10) == (
        "snøfeber",
        "snøfeber",
        Kind.CONDITION,
        ("B33",),
    )
    assert concept.parents == ("diabetes",)
    said = {(form.text, form.language, form.kind) for form in concept.forms}
    assert ("vintersott", "nb", FormKind.SYNONYM) in said
    assert ("snöfeber", "sv_da", FormKind.SYNONYM) in said
    assert ("fryser i snøen", "any", FormKind.PHRASE) in said


def test_the_hospitals_other_rows_stay_as_they_are(turtle: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ontology"
    folder.mkdir()
    row = dict.fromkeys(CONDITION_COLUMNS.split(), "-") | {
        "id": "zebra-cough", "nb": "sebrahoste", "nn": "sebrahoste", "en": "zebra cough",
        "icd10": "R05", "hrcs": "Generell helserelevans",
    }  # fmt: skip
    line = "\t".join(row.values())
    table = folder / "generic.tsv"
    table.write_text("\t".join(row) + f"\n{line}\n", "utf-8")
    turtle.write_text(PREFIXES + SNOW, "utf-8")
    import_skos(turtle, folder)
    assert line in table.read_text("utf-8").splitlines()
    assert load_ontology(folder).get("snow-fever").nb == "snøfeber"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("this is not turtle", "is no Turtle file"),
        (PREFIXES, "holds no skos:Concept"),
        (
            PREFIXES + 'own:a a skos:Concept; skos:prefLabel "neige"@fr .',
            "has no skos:prefLabel in nb, nn or en",
        ),
        (PREFIXES + SNOW.replace("sv:diabetes", "own:nowhere"), "'nowhere' is no other concept"),
        (PREFIXES + SNOW.replace("B33", "33"), "'33' is no ICD-10 code"),
        (PREFIXES + SNOW + 'own:Snow_Fever sv:kind "symptom" .', "has no column for these forms: snöfeber"),
        (PREFIXES + SNOW + 'own:Snow_Fever sv:kind "weather" .', "Write one of condition"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(
    turtle: Path, tmp_path: Path, text: str, message: str
) -> None:
    turtle.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=message):
        import_skos(turtle, tmp_path / "ontology")
    assert not (tmp_path / "ontology").exists()


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.ttl cannot be read"):
        read_skos(tmp_path / "nowhere.ttl")


def test_a_missing_package_names_its_extra() -> None:
    code = "import sys; sys.modules['pyoxigraph'] = None\nimport ontology.skos"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Unavailable: SKOS needs pyoxigraph" in answer.stderr
    assert "studievei[skos]" in answer.stderr
