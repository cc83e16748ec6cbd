"""The command that measures speed and memory."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def bench(
    records: Annotated[list[Path], typer.Argument(help="Files of ClinicalTrials.gov records.")],
    queries: Annotated[Path, typer.Option(help="A jsonl file with a field `query`.")],
    size: Annotated[int, typer.Option(min=1, help="How many studies, of those in the files.")] = 5000,
    install: Annotated[bool, typer.Option(help="Also install into an empty environment.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Speed and memory beside sentence-transformers + FAISS and bm25s."""
    from api.settings import Settings
    from api.show import show_rows
    from eval.speed.bench import bench as measure
    from eval.speed.bench import setup

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


@app.command()
def scale(
    records: Annotated[list[Path], typer.Argument(help="Files of ClinicalTrials.gov records.")],
    queries: Annotated[Path, typer.Option(help="A jsonl file with a field `query`.")],
    sizes: Annotated[str, typer.Option(help="How many studies, rising.")] = "5000,25000,100000",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """What more studies cost: search, a change, and room; records repeat with other words."""
    from api.settings import Settings
    from api.show import show_rows
    from eval.speed.bench import read_queries, read_studies
    from eval.speed.scale import grow

    asked, wanted = read_queries(queries), [int(each) for each in sizes.split(",")]
    measured = list(grow(read_studies(records), wanted, asked, Settings()))
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in measured]))
        return
    rows = [
        (
            f"{each.studies}",
            f"{each.p50_ms:.1f}",
            f"{each.p95_ms:.1f}",
            f"{each.live_seconds:.2f}",
            f"{each.indexed_per_second:.0f}",
            f"{each.megabytes:.0f}",
            f"{each.vectors} {'in lists' if each.in_lists else 'flat'}",
            f"{each.recall:.3f}",
        )
        for each in measured
    ]
    titles = ("studies", "p50 ms", "p95 ms", "a change s", "indexed a s", "MB", "passages", "recall@100")
    show_rows(f"{len(asked)} queries, one thread; without encoding passages", titles, rows)


@app.command()
def inbox(
    interests: Annotated[int, typer.Option(min=1, help="How many a study has.")] = 10_000,
    database: Annotated[str, typer.Option(help="The URL of an empty database, instead of SQLite.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """How fast the pages of a study team answer, through the whole application."""
    from api.show import show_rows
    from eval.speed.inbox import measure

    pages = measure(interests, database)
    if as_json:
        typer.echo(json.dumps([asdict(page) for page in pages]))
        return
    rows = [(page.name, f"{page.p50:.1f}", f"{page.p95:.1f}") for page in pages]
    show_rows(f"{interests} interests in one study", ("page", "p50 ms", "p95 ms"), rows)


@app.command()
def sending(
    interests: Annotated[int, typer.Option(min=1, help="How many are taken in.")] = 1_000,
    database: Annotated[str, typer.Option(help="The URL of an empty database, instead of SQLite.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """How many interests are taken in, and how many messages leave, in a second."""
    from eval.speed.sending import measure

    rates = measure(interests, database)
    if as_json:
        typer.echo(json.dumps(asdict(rates)))
        return
    typer.echo(
        f"{rates.database}: {rates.interests_per_second:.0f} interests taken in a second, "
        f"{rates.messages_per_second:.0f} messages sent a second"
    )
