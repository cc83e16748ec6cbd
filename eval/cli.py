"""`studievei eval`: how good it is, measured."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="How good it is, measured.", no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """How good it is, measured."""


@app.command()
def retrieval(
    folder: Annotated[
        Path, typer.Argument(help="A BEIR folder: corpus.jsonl[.gz], queries.jsonl, qrels/test.tsv.")
    ],
    queries: Annotated[str, typer.Option(help="The field of queries.jsonl to search with.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Search quality on a test collection: nDCG@10, R@50, RR and P@10."""
    from api.settings import Settings
    from api.show import show_rows
    from eval.collection import read_collection
    from eval.retrieval import evaluate
    from eval.systems import studievei

    collection = read_collection(folder, queries)
    scores = evaluate(collection, studievei(collection, Settings()))
    if as_json:
        answer = {"collection": collection.name, "queries": queries, "documents": len(collection.documents)}
        typer.echo(json.dumps({**answer, "topics": len(collection.topics), **asdict(scores)}))
        return
    header = ("topic", *scores.mean)
    rows = [
        (topic, *(f"{value:.3f}" for value in values.values())) for topic, values in scores.per_topic.items()
    ]
    rows.append(("mean", *(f"{value:.3f}" for value in scores.mean.values())))
    show_rows(f"{collection.name} · {queries} · {len(collection.topics)} topics", header, rows)


@app.command()
def language(
    file: Annotated[Path, typer.Argument(help="Rows: id, query, lang, type, icd10, hrcs, help, split.")],
    split: Annotated[str, typer.Option(help="Only the rows of this half.")] = "",
    missed: Annotated[bool, typer.Option(help="Also print the rows that failed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """How well everyday words are understood: hit@1, hit@3, HRCS, false concepts, emergencies."""
    from api.show import show_rows
    from eval.language import evaluate as measure
    from eval.language import read_rows

    report = measure(read_rows(file, split))
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    header = ("", "rows", *report.overall)
    groups = {"all": {"rows": report.rows, **report.overall}, **report.by_type, **report.by_language}
    rows = [(name, *(_share(values.get(column)) for column in header[1:])) for name, values in groups.items()]
    show_rows(f"{file.name} · {report.microseconds:.0f} µs a query", header, rows)
    for line in report.missed if missed else ():
        typer.echo(line)


@app.command()
def coding(
    file: Annotated[Path, typer.Argument(help="Hospital listings: id, tittel, sammendrag, kategorier.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """How well studies are coded to HRCS, from title and summary alone."""
    from api.show import show_rows
    from eval.coding import evaluate as measure

    report = measure(file)
    shares = {"precision": report.precision, "recall": report.recall}
    if as_json:
        typer.echo(json.dumps({**asdict(report), **shares}, ensure_ascii=False))
        return
    typer.echo(
        f"{report.studies} studies, {report.right} of {report.given} labels right: "
        f"precision {report.precision:.2f}, recall {report.recall:.2f}, {report.uncoded} without a label"
    )
    rows = ((title, ", ".join(gold), ", ".join(extra)) for title, gold, extra in report.wrong)
    show_rows("Labels that the hospital does not have", ("study", "hospital", "given besides"), rows)


@app.command()
def criteria(
    records: Annotated[list[Path], typer.Argument(help="Files of ClinicalTrials.gov records.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """How much of the criteria of real records is read."""
    from eval.criteria import coverage

    found = coverage(records)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    shares = ", ".join(
        f"{name} {count} ({count / max(1, found.criteria):.1%})"
        for name, count in (("whole", found.full), ("in part", found.partial), ("not", found.none))
    )
    typer.echo(f"{found.studies} studies, {found.criteria} criteria read: {shares}")
    typer.echo(f"{found.studies_per_second:.0f} studies a second on one thread")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".removesuffix(".000") if value > 1 else f"{value:.3f}"


@app.command()
def bench(
    records: Annotated[list[Path], typer.Argument(help="Files of ClinicalTrials.gov records.")],
    queries: Annotated[Path, typer.Option(help="A jsonl file with a field `query`.")],
    size: Annotated[
        int, typer.Option(min=1, help="How many studies; records repeat when they run out.")
    ] = 5000,
    install: Annotated[bool, typer.Option(help="Also install into an empty environment.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Speed and memory beside sentence-transformers + FAISS and bm25s."""
    from api.settings import Settings
    from api.show import show_rows
    from eval.bench import bench as measure
    from eval.bench import setup

    measured = measure(records, queries, size, Settings())
    installed = setup() if install else None
    if as_json:
        typer.echo(json.dumps({**asdict(measured), "setup": asdict(installed) if installed else None}))
        return
    ours = measured.speeds[0]
    rows = [(s.name, f"{s.p50:.1f}", f"{s.p95:.1f}", f"{s.p50 / ours.p50:.2f}") for s in measured.speeds]
    title = f"{measured.studies} studies, {measured.queries} queries, one thread"
    show_rows(title, ("system", "p50 ms", "p95 ms", "p50 ÷ ours"), rows)
    typer.echo(f"chunks embedded a second    {measured.chunks_per_second:.0f}")
    typer.echo(f"start to first answer       {measured.first_answer_seconds:.2f} s")
    typer.echo(f"memory of a search process  {measured.memory_mb:.0f} MB")
    if installed:
        typer.echo(f"set-up                      {installed.seconds:.0f} s, {installed.megabytes:.0f} MB")
