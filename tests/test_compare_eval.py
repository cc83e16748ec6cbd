"""Systems are compared on the same queries, in numbers, in a report and from the command line."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from served import Page
from test_encoders import lengths, service
from typer.testing import CliRunner

from api.settings import Settings
from eval.cli import app
from eval.ranking.collection import Collection, assemble
from eval.ranking.comparison import compare
from eval.ranking.irds import load_collection
from eval.ranking.report import render_report, write_report
from eval.ranking.retrieval import Scores, evaluate
from eval.ranking.systems import open_systems
from eval.ranking.topics import Judgment, Topic
from eval.ranking.trec import read_run
from ontology.errors import BadInput, Unavailable
from registry.study import Status, Study

EVIL = '<script>alert("1")</script>'


def study(name: str, title: str, language: str = "en") -> Study:
    return Study(name, "test", title, Status.OPEN, language, summary=title)


COLLECTION = assemble(
    "small",
    (
        study("asthma", "Inhaled steroids for asthma"),
        study("gout", "Allopurinol for gout"),
        study("kols", "Trening for deg med kols", "nb"),
    ),
    (
        Topic("q1", ("asthma steroids",), "lay"),
        Topic("q2", (f"gout {EVIL}",), "drug"),
        Topic("q3", ("treninga ved kols",), "lay"),
        Topic("q4", ("malaria",), "none"),
    ),
    (
        Judgment("q1", "asthma", 2),
        Judgment("q2", "gout", 2),
        Judgment("q3", "kols", 1),
        Judgment("q4", "gout", 0),
    ),
)


def scored(**values: tuple[float, float, float]) -> dict[str, Scores]:
    """Scores of systems on q1, q2 and q3, alike on every measure."""
    return {
        name: Scores(
            {"nDCG@10": sum(own) / 3},
            {topic: {"nDCG@10": value} for topic, value in zip(("q1", "q2", "q3"), own, strict=True)},
            5.0,
        )
        for name, own in values.items()
    }


def test_a_duel_counts_wins_losses_and_ties() -> None:
    comparison = compare(COLLECTION, scored(one=(1, 0.5, 0.2), two=(0.4, 0.5, 0.6)))
    (duel,) = comparison.duels
    assert (duel.first, duel.second, duel.wins, duel.losses, duel.ties) == ("one", "two", 1, 1, 1)
    assert duel.difference == pytest.approx((0.6 + 0 - 0.4) / 3)
    assert duel.p == duel.corrected == 1
    assert comparison.kinds == {"lay": 2, "drug": 1}
    assert comparison.systems[0].by_kind == pytest.approx({"lay": 0.6, "drug": 0.5})
    assert {each.topic for each in comparison.outcomes} == {"q1", "q2", "q3"}


def test_several_duels_are_corrected_together() -> None:
    comparison = compare(COLLECTION, scored(a=(1, 1, 1), b=(0, 0, 0), c=(0, 0, 0.1)))
    assert [duel.p for duel in comparison.duels] == [0.25, 0.25, 1]
    assert [duel.corrected for duel in comparison.duels] == [0.75, 0.75, 1]


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(BadInput, match="nothing to compare"):
        compare(COLLECTION, {})


def test_a_report_needs_nothing_else_and_can_be_read_without_seeing(tmp_path: Path) -> None:
    comparison = compare(COLLECTION, scored(one=(1, 0.5, 0.2), two=(0.4, 0.5, 0.6), three=(0, 0, 0)))
    write_report(comparison, tmp_path / "new" / "report.html")
    html = (tmp_path / "new" / "report.html").read_text("utf-8")
    page = Page(html)
    assert not page.all("script")
    assert not page.all("link")
    assert not [each for each in page.elements if {"src", "href"} & each[1].keys()]
    plots = page.all("svg", role="img")
    assert len(plots) == 4, "means, types, and the best against the two others"
    assert "one is better on 1 queries, two on 1, of 3." in (plots[2]["aria-label"] or "")
    headings = [each for each in page.all("th") if each.get("scope") not in {"col", "row"}]
    assert not headings
    twin = json.loads((tmp_path / "new" / "report.json").read_text("utf-8"))
    assert twin["outcomes"][1]["words"] == f"gout {EVIL}"
    assert twin["duels"][0]["wins"] == 1


def test_a_report_is_well_nested() -> None:
    """Every element that was opened is closed, in its order."""
    html = render_report(compare(COLLECTION, scored(one=(1, 0.5, 0.2), two=(0.4, 0.5, 0.6))))
    opened: list[str] = []

    class Nesting(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag != "meta":
                opened.append(tag)

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Nesting().feed(html)
    assert not opened


@pytest.fixture
def settings(tmp_path: Path, model_folder: Path) -> Settings:
    (tmp_path / "model").symlink_to(model_folder, target_is_directory=True)
    return Settings(data_dir=tmp_path)


def test_every_system_finds_what_each_can_find(settings: Settings) -> None:
    systems = open_systems(["bm25", "dense", "fusion", "plain", "full", "shown"], COLLECTION, settings)
    for name, search in systems.items():
        assert search("asthma steroids", 10)[0] == "asthma", name
        assert search("treninga ved kols", 1) == ["kols"], name
        assert search("?", 10) == search("?", 10)
    assert systems["bm25"]("malaria", 10) == systems["shown"]("malaria", 10) == []
    assert set(systems["fusion"]("gout", 10)) == set(systems["dense"]("gout", 10))
    again = open_systems(["dense", "full"], COLLECTION, settings)
    assert again["dense"]("gout", 3) == systems["dense"]("gout", 3), "vectors that were kept are the same"
    assert evaluate(COLLECTION, again["full"]).mean["nDCG@10"] == 1


def test_another_encoder_is_measured_by_its_name(settings: Settings) -> None:
    """The service finds texts of the same length near; two encoders never share vectors."""
    with service(lengths) as address:
        systems = open_systems(["dense", f"dense:{address}#a"], COLLECTION, settings)
        by_length = systems[f"dense:{address}#a"]("x" * 400, 3)
        assert by_length != systems["dense"]("gout", 3)
    longest_passage = max(COLLECTION.documents, key=lambda each: len(each.title))
    assert by_length[0] == longest_passage.id
    assert len(list((settings.data_dir / "eval").glob("*.vectors"))) == 2


def test_an_unknown_system_is_answered_with_the_known_ones(settings: Settings) -> None:
    with pytest.raises(BadInput, match="bm25, dense, fusion, plain, full, shown"):
        open_systems(["bm42"], COLLECTION, settings)


def folder_of(collection: Collection, folder: Path) -> Path:
    folder.mkdir()
    corpus = [{"_id": each.id, "title": each.title, "text": each.summary} for each in collection.documents]
    topics = [
        {"_id": each.id, "text": each.wordings[0], "metadata": {"type": each.kind}}
        for each in collection.topics
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, topics)))
    (folder / "qrels").mkdir()
    rows = [f"{each.topic}\t{each.document}\t{each.grade}\n" for each in collection.qrels]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows))
    return folder


def test_the_commands_compare_write_runs_and_score_them(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIEVEI_DATA_DIR", str(settings.data_dir))
    folder = folder_of(COLLECTION, tmp_path / "small")
    run = CliRunner()

    answer = run.invoke(
        app,
        ["compare", str(folder), "--systems", "bm25,full", "--report", str(tmp_path / "r.html"), "--json"],
    )
    told = json.loads(answer.stdout)
    assert [system["name"] for system in told["systems"]] == ["bm25", "full"]
    assert told["systems"][0]["shown_for_nothing"] == 0
    assert json.loads((tmp_path / "r.json").read_text("utf-8")) == told
    shown = run.invoke(app, ["compare", str(folder), "--systems", "bm25,fusion"]).stdout
    assert "bm25" in shown
    assert "fusion" in shown

    file = tmp_path / "run.txt"
    answer = run.invoke(app, ["retrieval", str(folder), "--run-out", str(file), "--json"])
    scores = json.loads(answer.stdout)
    assert read_run(file)["q1"][0] == "asthma"
    qrels = tmp_path / "qrels.txt"
    qrels.write_text("".join(f"{q.topic} 0 {q.document} {q.grade}\n" for q in COLLECTION.qrels))
    other = tmp_path / "other.txt"
    other.write_text("q1 Q0 gout 1 1 x\n")
    told = json.loads(run.invoke(app, ["score", str(qrels), str(file), str(other), "--json"]).stdout)
    assert [system["name"] for system in told["systems"]] == [str(file), str(other)]
    assert told["systems"][0]["mean"] == scores["mean"]
    assert told["duels"][0]["wins"] == 3
    assert told["systems"][1]["mean"]["nDCG@10"] == 0


def test_a_name_that_is_no_folder_is_looked_up_in_ir_datasets(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["retrieval", str(tmp_path / "absent")])
    assert isinstance(answer.exception, BadInput | Unavailable)
    assert "is no folder" in str(answer.exception) or "neither a folder" in str(answer.exception)


def test_a_dataset_of_ir_datasets_is_read(tmp_path: Path) -> None:
    ir_datasets = pytest.importorskip("ir_datasets", reason="ir-datasets is optional and not installed")
    (tmp_path / "docs.tsv").write_text("d1\tAsthma in adults\nd2\tGout\n")
    (tmp_path / "queries.tsv").write_text("q1\tasthma\nq2\tcough\n")
    (tmp_path / "qrels.txt").write_text("q1 0 d1 2\nq1 0 d2 -1\n")
    dataset = ir_datasets.create_dataset(
        docs_tsv=str(tmp_path / "docs.tsv"),
        queries_tsv=str(tmp_path / "queries.tsv"),
        qrels_trec=str(tmp_path / "qrels.txt"),
    )
    ir_datasets.registry.register("studievei-test", dataset)
    collection = load_collection("studievei-test")
    assert [(each.id, each.summary) for each in collection.documents] == [
        ("d1", "Asthma in adults"),
        ("d2", "Gout"),
    ]
    assert collection.topics == (Topic("q1", ("asthma",)),)
    assert collection.qrels == (Judgment("q1", "d1", 2), Judgment("q1", "d2", 0))
