"""Commands that measure search: how good the hits are, which system's are better, and what is right."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eval.ranking.collection import Collection
    from eval.ranking.comparison import Comparison
    from eval.ranking.retrieval import Scores

app = typer.Typer()

Folder = Annotated[
    Path,
    typer.Argument(help="A BEIR folder (corpus, queries.jsonl, qrels/test.tsv) or a name in ir_datasets."),
]
Field = Annotated[str, typer.Option("--queries", help="The field of the queries to search with.")]
Topics = Annotated[Path | None, typer.Option(help="Topics in TREC form, instead of the folder's queries.")]
Qrels = Annotated[Path | None, typer.Option(help="Judgments in TREC form, instead of the folder's own.")]
JudgedOnly = Annotated[bool, typer.Option(help="Leave hits that nobody judged out of the rankings.")]
Report = Annotated[Path | None, typer.Option(help="Write an HTML report, and its JSON twin beside it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def retrieval(
    folder: Folder,
    *,
    queries: Field = "text",
    topics: Topics = None,
    qrels: Qrels = None,
    judged_only: JudgedOnly = False,
    run_out: Annotated[
        Path | None, typer.Option(help="Also write the rankings as a run in TREC form.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Search quality on a test collection: nDCG@10, R@50, RR and P@10."""
    from api.settings import Settings
    from eval.ranking.retrieval import answer, score
    from eval.ranking.systems import studievei
    from eval.ranking.trec import write_run

    collection = _open(folder, queries, topics, qrels)
    rankings = answer(collection, studievei(collection, Settings()))
    if run_out:
        write_run(run_out, rankings, "studievei")
    scores = score(collection.qrels, rankings, judged_only=judged_only)
    if as_json:
        told = {"collection": collection.name, "queries": queries, "documents": len(collection.documents)}
        typer.echo(json.dumps({**told, "topics": len(scores.per_topic), **asdict(scores)}))
        return
    _show_scores(f"{collection.name} · {queries} · {len(scores.per_topic)} topics", scores)


@app.command()
def compare(
    folder: Folder,
    *,
    systems: Annotated[
        str, typer.Option(help="bm25, dense, fusion, plain, full, shown; each also as dense:ENCODER.")
    ] = "bm25,dense,fusion,full",
    queries: Field = "text",
    topics: Topics = None,
    qrels: Qrels = None,
    judged_only: JudgedOnly = False,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Systems side by side: means, wins and losses per query, and how sure the differences are."""
    from api.settings import Settings
    from eval.ranking.retrieval import evaluate
    from eval.ranking.systems import open_systems

    collection = _open(folder, queries, topics, qrels)
    opened = open_systems(_names(systems), collection, Settings())
    scores = {name: evaluate(collection, search, judged_only=judged_only) for name, search in opened.items()}
    _tell(collection, scores, queries, judged_only=judged_only, report=report, as_json=as_json)


@app.command()
def score(
    qrels: Annotated[Path, typer.Argument(help="Judgments in TREC form.")],
    runs: Annotated[list[Path], typer.Argument(help="Runs in TREC form, of any system.")],
    *,
    judged_only: JudgedOnly = False,
    report: Report = None,
    as_json: AsJson = False,
) -> None:
    """Score run files against judgments; several are compared."""
    from eval.ranking.collection import of_judgments
    from eval.ranking.retrieval import score as measure
    from eval.ranking.trec import read_qrels, read_run

    collection = of_judgments(qrels.name, read_qrels(qrels))
    scores = {
        str(run): measure(collection.qrels, read_run(run), judged_only=judged_only)
        for run in dict.fromkeys(runs)
    }
    _tell(collection, scores, "", judged_only=judged_only, report=report, as_json=as_json)


@app.command()
def judge(
    queries: Annotated[
        Path, typer.Argument(help="New queries: one a line, queries.jsonl, or topics in TREC form.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="The folder that keeps pool and grades; run again to go on.")],
    collection: Annotated[
        Path | None, typer.Option(help="A BEIR folder with the documents; by default the stored studies.")
    ] = None,
    systems: Annotated[str, typer.Option(help="Whose hits are graded.")] = "bm25,dense,fusion,full",
    depth: Annotated[int, typer.Option(min=1, max=100, help="How many hits of each system are graded.")] = 10,
    port: Annotated[int, typer.Option(help="Where the page is served on this machine.")] = 8010,
) -> None:
    """A page on this machine where you grade hits for new queries; writes qrels in TREC form."""
    from api.settings import Settings
    from eval.ranking.judging import open_session
    from eval.ranking.judging_page import serve

    session = open_session(
        queries, out, documents=collection, systems=_names(systems), depth=depth, settings=Settings()
    )
    typer.echo(f"{len(session.pairs)} hits to grade, {session.graded} are graded: http://127.0.0.1:{port}")
    serve(session, port)


@app.command()
def tune(
    *,
    collection: Annotated[Path, typer.Option(help="A judged BEIR folder of development topics.")],
    fields: Annotated[list[str], typer.Option("--field", help="Fields of its queries.jsonl.")],
    records: Annotated[
        Path, typer.Option(help="ClinicalTrials.gov records (jsonl.gz) for everyday questions.")
    ],
    questions: Annotated[
        list[Path], typer.Option(help="Everyday questions: id, query, lang, icd10, acceptable.")
    ],
    split: Annotated[
        str, typer.Option(help="Only the questions of this half, or that belong to none.")
    ] = "dev",
    halves: Annotated[
        int, typer.Option(min=0, help="How often to learn from half of the topics and measure on the other.")
    ] = 0,
) -> None:
    """Find weights for the legs of the search, on development questions only."""
    from api.settings import Settings
    from eval.ranking.proxy import read_questions
    from eval.ranking.tune import cases_of_collection, cases_of_records, held_out, tune
    from ontology.concept import load_ontology

    settings, ontology = Settings(), load_ontology()
    cases = [case for field in fields for case in cases_of_collection(collection, field, settings)]
    cases += cases_of_records(records, read_questions(questions, split), ontology, settings)
    for tuned in held_out(cases, halves) if halves else tune(cases):
        shown = " ".join(f"{group} {value:.3f}" for group, value in tuned.groups.items())
        typer.echo(f"{tuned.mean:.4f}  {shown}  {json.dumps(dict(tuned.weights))}")


def _open(folder: Path, queries: str, topics: Path | None, qrels: Path | None) -> "Collection":
    from eval.ranking.collection import read_collection
    from eval.ranking.irds import load_collection

    if folder.is_dir():
        collection = read_collection(folder, queries, topics, qrels)
    else:
        collection = load_collection(folder.as_posix(), queries)
    if collection.absent:
        typer.echo(
            f"Not on this machine: {', '.join(collection.absent)}. Its documents are left out.", err=True
        )
    return collection


def _names(systems: str) -> list[str]:
    return [name.strip() for name in systems.split(",") if name.strip()]


def _tell(
    collection: "Collection",
    scores: "dict[str, Scores]",
    queries: str,
    *,
    judged_only: bool,
    report: Path | None,
    as_json: bool,
) -> None:
    from eval.ranking.comparison import compare as side_by_side
    from eval.ranking.report import write_report

    comparison = side_by_side(collection, scores, queries, judged_only=judged_only)
    if report:
        write_report(comparison, report)
    if as_json:
        typer.echo(json.dumps(asdict(comparison), ensure_ascii=False))
    else:
        _show_comparison(comparison)


def _show_scores(title: str, scores: "Scores") -> None:
    from api.show import show_rows

    rows = [(topic, *_three(values)) for topic, values in scores.per_topic.items()]
    show_rows(title, ("topic", *scores.mean), [*rows, ("mean", *_three(scores.mean))])
    if scores.shown_for_nothing is not None:
        typer.echo(f"Queries that no study answers get {scores.shown_for_nothing:.1f} of ten hits.")


def _show_comparison(comparison: "Comparison") -> None:
    from api.show import show_rows
    from eval.ranking.report import chance

    topics = len(comparison.outcomes)
    rows = [
        (
            each.name,
            *_three(each.mean),
            "{:.3f} to {:.3f}".format(*each.interval[comparison.measure]),
            "-" if each.shown_for_nothing is None else f"{each.shown_for_nothing:.1f}",
        )
        for each in comparison.systems
    ]
    header = ("system", *comparison.systems[0].mean, f"95 % of {comparison.measure}", "hits for nothing")
    titles = [comparison.collection, comparison.queries, f"{topics} topics"]
    show_rows(" · ".join(filter(None, titles)), header, rows)
    if not comparison.duels:
        return
    duels = [
        (
            f"{duel.first} - {duel.second}",
            f"{duel.difference:+.3f}",
            "{:+.3f} to {:+.3f}".format(*duel.interval),
            f"{duel.wins} / {duel.losses} / {duel.ties}",
            chance(duel.p),
            chance(duel.corrected),
        )
        for duel in comparison.duels
    ]
    header = ("pair", "difference", "95 %", "wins / losses / ties", "p", "p, Holm")
    show_rows(f"{comparison.measure}, paired randomisation test", header, duels)


def _three(values: dict[str, float]) -> list[str]:
    return [f"{value:.3f}" for value in values.values()]
