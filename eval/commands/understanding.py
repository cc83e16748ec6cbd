"""Commands that measure what is understood of questions, studies and criteria."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def language(
    file: Annotated[Path, typer.Argument(help="Rows: id, query, lang, type, icd10, hrcs, help, split.")],
    split: Annotated[str, typer.Option(help="Only the rows of this half.")] = "",
    missed: Annotated[bool, typer.Option(help="Also print the rows that failed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """How well everyday words are understood: hit@1, hit@3, HRCS, false concepts, emergencies."""
    from api.show import show_rows
    from eval.reading.language import evaluate as measure
    from eval.reading.language import read_rows

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
    from eval.reading.coding import evaluate as measure

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
    from eval.reading.criteria import coverage

    found = coverage(records)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    shares = ", ".join(
        f"{name} {count} ({count / max(1, found.criteria):.1%})"
        for name, count in (("whole", found.full), ("in part", found.partial), ("not", found.none))
    )
    typer.echo(f"{found.studies} studies, {found.criteria} criteria read: {shares}")
    typer.echo(f"{found.lost} of {found.characters} characters stand in no criterion, heading or gap")
    typer.echo(f"{found.studies_per_second:.0f} studies a second of processor time on one thread")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}".removesuffix(".000") if value > 1 else f"{value:.3f}"
