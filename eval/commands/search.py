"""Commands that measure search: how good the hits are."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


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
