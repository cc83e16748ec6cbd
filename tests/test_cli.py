"""The commands as people and scripts run them: a process, its output and its exit status."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

STUDIEVEI = Path(sys.executable).with_name("studievei")
Records = Callable[[str], Iterator[dict[str, Any]]]


def studievei(
    home: Path, *arguments: str, stdin: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "STUDIEVEI_DATA_DIR": str(home), "COLUMNS": "200", **settings}
    return subprocess.run(
        [STUDIEVEI, *arguments], input=stdin, env=environment, capture_output=True, text=True, check=False
    )


def refusal(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    return answer.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, model_folder: Path, ctgov_records: Records) -> Path:
    """A data folder with some real Norwegian-site studies."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "model").symlink_to(model_folder, target_is_directory=True)
    records = list(ctgov_records("norway"))
    diabetes = [record for record in records if "diabet" in json.dumps(conditions(record)).lower()]
    others = [record for record in records if record not in diabetes][:8]
    file = folder / "some.jsonl"
    lines = [json.dumps(record) for record in diabetes + others]
    file.write_text("\n".join([*lines[:3], "{not json", *lines[3:], '{"protocolSection": {}}']))
    answer = studievei(folder, "import", "ctgov", str(file))
    assert answer.returncode == 0, answer.stderr
    assert f"{len(lines) + 2} read: {len(lines)} stored" in answer.stdout
    assert "2 could not be read" in answer.stdout
    assert "some.jsonl line 4" in answer.stderr
    return folder


def conditions(record: dict[str, Any]) -> list[str]:
    return list(record["protocolSection"].get("conditionsModule", {}).get("conditions", []))


def found(home: Path, query: str, *options: str) -> dict[str, Any]:
    answer = studievei(home, "search", query, "--json", *options)
    assert answer.returncode == 0, answer.stderr
    document: dict[str, Any] = json.loads(answer.stdout)
    return document


def test_everyday_words_find_the_studies_and_say_why(home: Path) -> None:
    answer = found(home, "sukkersyke")
    assert [concept["id"] for concept in answer["query"]["concepts"]] == ["diabetes"]
    assert answer["query"]["concepts"][0].keys() == {"id", "label", "icd10", "hrcs", "matched", "how"}
    assert answer["query"].keys() == {"text", "language", "concepts", "filters"}
    assert answer.keys() >= {"query", "hits", "took_ms"}
    best = answer["hits"][0]
    assert best.keys() >= {"id", "title", "status", "score", "why"}
    assert "diabet" in best["title"].lower()
    assert any("«sukkersyke» → diabetes" in reason["text"] for reason in best["why"])


def test_only_open_studies_when_asked(home: Path) -> None:
    hits = found(home, "diabetes", "--status", "open", "--limit", "50")["hits"]
    assert hits
    assert {hit["status"] for hit in hits} == {"open"}
    assert len(found(home, "diabetes", "--limit", "2")["hits"]) == 2


def test_what_is_chosen_beside_the_words_narrows_and_is_told(home: Path) -> None:
    options = ("--near", "Oslo", "--within", "100", "--phase", "3", "--facets", "--limit", "50")
    answer = found(home, "diabetes", *options)
    filters = answer["query"]["filters"]
    assert (filters["place"]["name"], filters["within"], filters["only"]) == ("Oslo", 100, {"phase": ["3"]})
    near = [hit for hit in answer["hits"] if hit["sure"] and "place" not in hit["unstated"]]
    assert near
    assert all(hit["nearest"]["km"] <= 100 or hit["nearest"]["recruits"] for hit in near)
    assert {each["facet"] for each in answer["facets"]} >= {"status", "phase", "type", "sponsor", "hrcs"}
    shown = studievei(home, "search", "diabetes", *options).stdout
    assert "km fra Oslo" in shown
    assert "Fase" in shown
    wrong = studievei(home, "search", "diabetes", "--near", "Atlantis")
    assert wrong.returncode == 2
    assert "Name a Norwegian municipality" in wrong.stderr


def test_one_process_answers_a_line_for_a_line(home: Path) -> None:
    queries = ["sukkersyke", "", "\x00🙂", "hjertesvikt"]
    answer = studievei(home, "search", "--stdin", "--json", stdin="\n".join(queries) + "\n")
    assert answer.returncode == 0, answer.stderr
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(answers) == len(queries)
    assert answers[0]["hits"] == found(home, "sukkersyke")["hits"]
    assert [bool(each["hits"]) for each in answers] == [True, False, False, True]


def test_people_read_titles_status_and_reasons(home: Path) -> None:
    answer = studievei(home, "search", "sukkersyke")
    assert "sukkersyke → diabetes (E10, E11, E12, E13, E14)" in answer.stdout
    assert "NCT" in answer.stdout


def test_a_second_import_changes_nothing(home: Path) -> None:
    answer = studievei(home, "import", "ctgov", str(home / "some.jsonl"))
    assert " 0 stored, 0 updated" in answer.stdout


@pytest.mark.parametrize("query", ["", "   ", "🙂🙂"])
def test_a_query_without_words_is_refused_or_finds_nothing(home: Path, query: str) -> None:
    answer = studievei(home, "search", query, "--json")
    assert answer.returncode == 2 or json.loads(answer.stdout)["hits"] == []


def test_a_hundred_thousand_characters_are_no_harm(home: Path) -> None:
    answer = studievei(home, "search", "--stdin", "--json", stdin="sukkersyke " * 9_000 + "\n")
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["hits"]


def test_bad_settings_and_files_are_refused_with_the_remedy(home: Path, tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    assert "STUDIEVEI_DATA_DIR" in refusal(studievei(in_the_way / "data", "search", "astma"))
    assert "encoder" in refusal(studievei(home, "search", "astma", STUDIEVEI_ENCODER="no such encoder"))
    assert "nowhere.jsonl" in refusal(studievei(home, "import", "ctgov", "nowhere.jsonl"))
    assert "--country" in refusal(studievei(home, "import", "ctgov"))
    assert "STUDIEVEI_DATABASE_URL" in refusal(
        studievei(home, "search", "astma", STUDIEVEI_DATABASE_URL="postgresql://127.0.0.1:1/none")
    )


def test_a_file_that_is_not_json_is_reported_and_imports_nothing(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text("this is\nnot json\n")
    answer = studievei(home, "import", "ctgov", str(file))
    assert "2 read: 0 stored, 0 updated, 0 unchanged, 2 could not be read" in answer.stdout
    assert "notes.jsonl line 1" in answer.stderr


def test_words_are_exported_and_a_vocabulary_of_others_is_imported(tmp_path: Path) -> None:
    file, house = tmp_path / "words.ttl", tmp_path / "house"
    assert f"concepts are in {file}" in studievei(house, "ontology", "export", str(file)).stdout
    own = '<urn:own:homemade> a skos:Concept; skos:prefLabel "fjøsnirkel"@nb .'
    file.write_text(f"@prefix skos: <http://www.w3.org/2004/02/skos/core#> . {own}", "utf-8")
    assert "1 concepts were put into" in studievei(house, "ontology", "import", str(file)).stdout
    assert '"id":"homemade"' in studievei(house, "link", "--json", stdin="har du noe mot fjøsnirkel\n").stdout
    assert "Name a Turtle file" in refusal(studievei(house, "ontology", "import", str(tmp_path / "none.ttl")))
    assert "Name another file" in refusal(studievei(house, "ontology", "export", str(tmp_path)))


def test_any_text_is_linked_a_line_for_a_line(tmp_path: Path) -> None:
    lines = ["mor er blitt senil", "", "svært vondt i brystet nå"]
    answer = studievei(tmp_path, "link", "--json", stdin="\n".join(lines) + "\n")
    assert answer.returncode == 0, answer.stderr
    senile, nothing, danger = map(json.loads, answer.stdout.splitlines())
    assert senile.keys() == {"text", "language", "intent", "help", "concepts"}
    (concept,) = senile["concepts"]
    assert (concept["id"], concept["family"], concept["negated"]) == ("dementia", True, False)
    assert "F03" in concept["icd10"]
    start, end = concept["span"]
    assert senile["text"][start:end] == concept["matched"]
    assert nothing["concepts"] == []
    assert nothing["error"]
    assert (danger["intent"], danger["help"]) == ("emergency", ["113"])


def test_the_outbox_of_a_new_house_is_empty(home: Path) -> None:
    assert studievei(home, "outbox").stdout.startswith("0 wait")
