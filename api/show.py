"""What commands print for people: tables, reasons and progress."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from api.labels import label, marks
from ontology.wording import say

if TYPE_CHECKING:
    from api.library import Found, Library
    from api.linking import Linked
    from nlp.query import Query
    from ontology.check import Report
    from ontology.concept import Ontology
    from recruitment.outbox import OutboxState
    from registry.importing import ImportReport

PASSAGE_SHOWN = 160
FAILURES_SHOWN = 20

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def show_linked(linked: "Linked", ontology: "Ontology") -> None:
    """A text, what it wants, the numbers to call, and what each of its words was taken to mean."""
    call = f" · call {', '.join(linked.help)}" if linked.help else ""
    out.print(f"[bold]{escape(linked.query.text)}[/] · {linked.query.language} · {linked.intent}{call}")
    _show_mentions(linked.query, ontology)


def show_found(library: "Library", found: "Found") -> None:
    """What the words were understood as, then each hit with why it is one."""
    language = found.query.language
    _show_mentions(found.query, library.ontology)
    if not found.hits:
        out.print(say("hits.none_text", language))
    for number, hit in enumerate(found.hits, start=1):
        status = say(f"status.{hit.status}", language)
        out.print(f"\n{number:>2}. [bold]{escape(hit.title)}[/]\n    {hit.study_id} · {escape(status)}")
        for mark in (
            *(() if hit.sure else (say("hits.alike", language),)),
            *marks(hit, found.query, language),
        ):
            out.print(f"    [yellow]{escape(mark)}[/]")
        for reason in hit.why:
            text = reason.text if len(reason.text) <= PASSAGE_SHOWN else reason.text[:PASSAGE_SHOWN] + " …"
            out.print(f"    [cyan]{reason.kind}[/] {escape(' '.join(text.split()))}")


def show_counts(found: "Found") -> None:
    """How many studies each further choice would leave; what a study does not state keeps it from nobody."""
    language = found.query.language
    for each in found.counts:
        shown = [f"{label(each.facet, v.value, language)} {v.count}" for v in each.values if v.count]
        if each.unstated:
            shown.append(say("filters.unstated", language, count=each.unstated))
        if shown:
            out.print(
                f"[cyan]{escape(say(f'filters.{each.facet}', language))}[/] {escape(' · '.join(shown))}"
            )


def _show_mentions(query: "Query", ontology: "Ontology") -> None:
    for mention in query.mentions:
        concept = ontology.get(mention.concept)
        codes = ", ".join(ontology.codes(concept.id)) or "-"
        marks = "".join(
            mark for mark, said in ((", denied", mention.negated), (", family", mention.family)) if said
        )
        meant = f"{mention.matched} → {concept.label(query.language)} ({codes}), {mention.how}{marks}"
        out.print(f"[dim]{escape(meant)}[/]")


def show_import(report: "ImportReport") -> None:
    """How many records were read and what became of them, and why some could not be read."""
    out.print(
        f"{report.read} read: {report.stored} stored, {report.updated} updated, "
        f"{report.unchanged} unchanged, {len(report.failed)} could not be read"
    )
    for where, why in report.failed[:FAILURES_SHOWN]:
        err.print(f"  {escape(where)}: {escape(why)}")
    if len(report.failed) > FAILURES_SHOWN:
        err.print(f"  … and {len(report.failed) - FAILURES_SHOWN} more")


def show_ontology(report: "Report") -> None:
    """What the tables cover and what is wrong in them."""
    per_concept = report.forms / max(1, report.concepts)
    out.print(f"{report.concepts} concepts, {report.forms} forms ({per_concept:.1f} a concept)")
    out.print(", ".join(f"{count} {kind}s" for kind, count in report.kinds))
    rows = ((each.label, each.concepts, each.forms) for each in report.coverage)
    show_rows("Coverage by HRCS category", ("category", "concepts", "forms"), rows)
    if report.blocks_without_concept:
        missing = ((block.code, block.title) for block in report.blocks_without_concept)
        show_rows("ICD-10 blocks without a concept", ("block", "title"), missing)
    for problem in report.problems:
        err.print(escape(problem))


def show_outbox(state: "OutboxState") -> None:
    """How many messages wait, are sent or were given up, and the newest failures."""
    since = f", the oldest since {state.waiting_since:%Y-%m-%d %H:%M} UTC" if state.waiting_since else ""
    out.print(f"{state.pending} wait{since}; {state.sent} sent; {state.dead} given up")
    for failure in state.failures:
        out.print(f"  {failure.state} {failure.kind} after {failure.attempts}: {escape(failure.reason)}")


def show_rows(title: str, header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> None:
    """A table."""
    table = Table(*header, title=title, title_justify="left")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    out.print(table)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while the block runs; call what it yields with how many are done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.update(task, completed=done)
