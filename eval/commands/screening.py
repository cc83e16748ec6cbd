"""Commands that measure pre-screening: how criteria are read, and how people are met."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.score import Score

app = typer.Typer()

Split = Annotated[str, typer.Option(help="Only the rows of this half.")]
Missed = Annotated[bool, typer.Option("--missed", help="Also print what was missed or wrong.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@app.command()
def eligibility(
    file: Annotated[
        Path, typer.Argument(help="Lines with what they state: our rows or the shared lct rows.")
    ],
    split: Split = "",
    missed: Missed = False,
    as_json: AsJson = False,
) -> None:
    """How well lines of criteria are read: precision, recall and F1, strict and lenient, by kind."""
    from api.show import show_rows
    from eval.reading.eligibility import evaluate, read_rows
    from eval.talking.faces import criterion_reader

    report = evaluate(read_rows(file, split), criterion_reader())
    if as_json:
        typer.echo(json.dumps(_flat(report), ensure_ascii=False))
        return
    groups = sorted(report.strict.keys() | report.lenient.keys())
    rows = [(name, *_shares(report.strict[name]), f"{report.lenient[name].f1:.3f}") for name in groups]
    title = f"{file.name} {split} · {report.lines} lines, {report.lines_right} of them wholly right"
    show_rows(title, ("", "right", "given", "gold", "precision", "recall", "F1", "lenient F1"), rows)
    typer.echo(
        f"wrong but confident        {report.wrong_but_confident_share:.1%} of {report.given} relations"
    )
    typer.echo(f"alternatives told apart    {report.joints_right} of {report.joints} pairs")
    typer.echo(f"lines a second             {report.lines / report.seconds:.0f}")
    for line in report.missed if missed else ():
        typer.echo(line)


@app.command()
def dialogue(
    file: Annotated[Path, typer.Argument(help="Invented people, in the form of eval/data/dialogues.jsonl.")],
    split: Split = "",
    missed: Missed = False,
    as_json: AsJson = False,
) -> None:
    """How the pre-screening meets people: facts understood, emergencies caught, and what is never said."""
    from api.settings import Settings
    from api.show import show_rows
    from eval.talking.dialogue import evaluate
    from eval.talking.faces import conversations
    from eval.talking.people import read_people

    with conversations(Settings()) as open_at:
        report = evaluate(read_people(file, split), open_at, date.today().year)
    if as_json:
        typer.echo(json.dumps(_flat(report), ensure_ascii=False))
        return
    rows = [(kind, *_shares(score)) for kind, score in sorted(report.facts.items())]
    title = f"{file.name} {split} · {report.people} people, {report.messages} messages"
    show_rows(title, ("facts", "right", "given", "gold", "precision", "recall", "F1"), rows)
    for demand, (met, asked) in sorted(report.held.items()):
        typer.echo(f"{demand:24s} {met} of {asked}")
    for offence in OFFENCES:
        typer.echo(f"{offence:24s} {report.broken[offence]}")
    typer.echo(f"questions to a person    {report.median_questions:g} (median)")
    typer.echo(f"a reply takes            {report.median_ms:.1f} ms (median), {report.p95_ms:.1f} ms (p95)")
    for line in report.failures if missed else ():
        typer.echo(line)


OFFENCES = ("false alarm", "promise", "pressure", "advice", "identity kept", "injection")


def _shares(score: Score) -> tuple[str, ...]:
    counts = (f"{score.right}", f"{score.given}", f"{score.gold}")
    return (*counts, f"{score.precision:.3f}", f"{score.recall:.3f}", f"{score.f1:.3f}")


def _flat(report: Any) -> dict[str, Any]:
    """A report as JSON holds it: its fields, its properties, and each score with its shares."""
    fields = {name: getattr(report, name) for name in report.__slots__}
    shares = {
        name: getattr(report, name)
        for name, value in vars(type(report)).items()
        if isinstance(value, property)
    }
    return {
        name: _scored(value)
        for name, value in (fields | shares).items()
        if name not in ("seconds", "questions")
    }


def _scored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _scored(each) for name, each in value.items()}
    return value.row() if isinstance(value, Score) else value


@app.command()
def questions(
    file: Annotated[Path, typer.Argument(help="Searches, in the form of eval/data/lay_queries.jsonl.")],
    split: Split = "",
    as_json: AsJson = False,
) -> None:
    """How many questions about ten stored studies are asked, against asking all."""
    from dataclasses import asdict

    from api.chat import open_desk
    from api.library import open_library
    from api.settings import Settings
    from eval.reading.language import read_rows
    from eval.talking.questioning import ask_people, median

    settings = Settings()
    searches = [row.query for row in read_rows(file, split) if row.icd10]
    with open_library(settings) as library:
        saved = median(list(ask_people(open_desk(library, settings), searches)))
    if as_json:
        typer.echo(json.dumps(asdict(saved)))
        return
    typer.echo(f"people                 {saved.people}")
    typer.echo(f"criteria of ten        {saved.criteria:g} (median)")
    typer.echo(f"questions in all       {saved.questions:g}")
    typer.echo(f"questions asked        {saved.asked:g}")
