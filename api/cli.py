"""`studievei`: what can be done from a terminal. A command imports what it needs, so that help is instant."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import audit, criteria, model, retention, users, vault
from api.commands.backup import backup, restore
from api.commands.screen import screen
from api.commands.search import search
from ontology.errors import BadInput, StudieveiError

if TYPE_CHECKING:
    from registry.importing import Item
    from registry.store import Store

app = typer.Typer(
    help="Studievei: find clinical studies in everyday words, and see honestly whether one may fit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(screen)
imports = typer.Typer(help="Bring studies in from a register or a form.", no_args_is_help=True)
app.add_typer(imports, name="import")
words = typer.Typer(help="What words mean.", no_args_is_help=True)
app.add_typer(words, name="ontology")
app.command("criteria")(criteria.criteria)
app.add_typer(audit.app, name="audit")
app.add_typer(model.app, name="model")
app.add_typer(users.app, name="users")
app.add_typer(vault.app, name="vault")
app.command()(backup)
app.command()(restore)
app.add_typer(retention.app, name="retention")

Files = Annotated[list[Path], typer.Argument(help="One or more files.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def main() -> None:
    """Run the command; an error that a person can mend is one line on stderr and exit status 2."""
    for command in entry_points(group="studievei.commands"):
        app.add_typer(command.load(), name=command.name)
    try:
        app()
    except StudieveiError as error:
        typer.echo(f"studievei: {error}", err=True)
        sys.exit(2)


@app.command()
def run() -> None:
    """Set everything up (database, model, sample studies, index) and serve."""
    from registry.form import sample_studies

    with _store() as store:
        if not store.count():
            _keep(store, sample_studies())
    index()
    serve()


@app.command()
def serve() -> None:
    """Serve the pages, the API and the chat."""
    from api.app import serve as serve_app
    from api.settings import Settings

    settings = Settings()
    typer.echo(f"Studievei: {settings.base}")
    serve_app(settings)


@imports.command("ctgov")
def import_ctgov(
    files: Annotated[list[Path] | None, typer.Argument(help="API v2 records: json, jsonl, also .gz.")] = None,
    country: Annotated[str, typer.Option(help="Fetch a country's studies from the live API instead.")] = "",
) -> None:
    """ClinicalTrials.gov: records from files, or from the live API with --country."""
    from registry.ctgov import read_file

    if bool(files) == bool(country):
        raise BadInput("Name the files to read, or a --country to fetch.")
    with _store() as store:
        if country:
            _fetch(store, country)
        else:
            _keep(store, (item for file in files or () for item in read_file(file)))
    index()


@imports.command("form")
def import_form(files: Files) -> None:
    """Studies in form B.1, one TOML file each; «ikke endret» keeps what is stored."""
    from registry.form import read_forms

    with _store() as store:
        _keep(store, read_forms(files, store))
    index()


@imports.command("samples")
def import_samples() -> None:
    """The invented sample studies that come with Studievei."""
    from registry.form import sample_studies

    with _store() as store:
        _keep(store, sample_studies())
    index()


@app.command()
def index(
    rebuild: Annotated[
        bool, typer.Option(help="Start from nothing, for example with another encoder.")
    ] = False,
) -> None:
    """Make every stored study searchable."""
    from api.library import open_index
    from api.settings import Settings
    from api.show import progress

    with _store() as store:
        searchable = open_index(Settings(), rebuild=rebuild)
        with progress("Reading studies into the index", store.count()) as done:
            searchable.update(store.all(), done)
        searchable.remove(store.removed())
    typer.echo(f"{searchable.count} studies can be found.")


app.command()(search)


@app.command()
def link(as_json: AsJson = False) -> None:
    """Which concepts each line of standard input mentions, what it wants, and whether it is an emergency."""
    from api.library import open_ontology
    from api.linking import link as link_text
    from api.schemas import LinkAnswer
    from api.settings import Settings
    from api.show import show_linked
    from ontology.linker import Linker

    concepts = open_ontology(Settings())
    linker = Linker(concepts)
    for line in _lines():
        try:
            linked = link_text(line, linker, concepts)
        except BadInput as error:
            typer.echo(json.dumps({"text": line, "error": str(error), "concepts": []}, ensure_ascii=False))
            continue
        if as_json:
            typer.echo(LinkAnswer.of(linked, concepts).model_dump_json())
        else:
            show_linked(linked, concepts)


@words.command("check")
def ontology_check() -> None:
    """Check the tables thoroughly and show how much they cover."""
    from api.library import open_ontology
    from api.settings import Settings
    from api.show import show_ontology
    from ontology.check import check

    report = check(open_ontology(Settings()))
    show_ontology(report)
    if report.problems:
        raise typer.Exit(1)


@words.command("export")
def ontology_export(
    file: Annotated[Path, typer.Argument(help="The Turtle file to write.")],
) -> None:
    """Write all concepts as SKOS in Turtle, for others to use."""
    from api.library import open_ontology
    from api.settings import Settings
    from ontology.skos import export_skos

    concepts = open_ontology(Settings()).concepts
    try:
        export_skos(concepts.values(), file)
    except OSError as error:
        raise BadInput(f"{file} cannot be written ({error.strerror}). Name another file.") from error
    typer.echo(f"{len(concepts)} concepts are in {file}.")


@words.command("import")
def ontology_import(
    file: Annotated[Path, typer.Argument(help="A SKOS vocabulary in Turtle.")],
) -> None:
    """Add the concepts of a SKOS vocabulary to the hospital's own tables in the data folder."""
    from api.settings import Settings
    from ontology.skos import import_skos

    settings = Settings()
    added, known = import_skos(file, settings.ontology_dir)
    typer.echo(
        f"{added} concepts were put into {settings.ontology_dir}; {known} have ids that are known already."
    )
    typer.echo("Run `studievei index --rebuild`, so that studies are found by them too.")


@app.command()
def outbox(
    retry: Annotated[bool, typer.Option(help="Send the ones that were given up once more.")] = False,
) -> None:
    """How many messages wait, are sent, or could not be sent and why."""
    from datetime import UTC, datetime

    from api.show import show_outbox
    from recruitment.outbox import outbox_state, retry_dead

    with _store() as store:
        if retry:
            typer.echo(f"{retry_dead(store.engine, datetime.now(UTC))} messages get a new start.")
        show_outbox(outbox_state(store.engine))


@contextmanager
def _store() -> Iterator["Store"]:
    from api.library import open_store
    from api.settings import Settings

    with open_store(Settings()) as store:
        yield store


def _keep(store: "Store", items: Iterable["Item"]) -> None:
    from api.show import progress, show_import
    from registry.importing import import_studies

    with progress("Importing") as done:
        report = import_studies(store, items, progress=lambda so_far: done(so_far.read))
    show_import(report)


def _fetch(store: "Store", country: str) -> None:
    from api.settings import Settings
    from api.show import progress, show_import
    from registry.ctgov_api import fetch
    from registry.importing import import_pages

    place = Settings().data_dir / "ctgov.place"
    with progress("Fetching") as done:
        pages = fetch(country=country, resume=place)
        report = import_pages(store, pages, progress=lambda so_far: done(so_far.read))
    show_import(report)


def _lines() -> Iterator[str]:
    for line in sys.stdin:
        yield line.rstrip("\n")
