"""`studievei audit`: who read or changed what about a person."""

from typing import Annotated

import typer

from ontology.errors import Mismatch

app = typer.Typer(help="Who read or changed what about a person.", no_args_is_help=True)


@app.command("verify")
def verify_log(
    head: Annotated[str, typer.Option(help="A head printed earlier: it must still be in the log.")] = "",
) -> None:
    """Check that no entry was changed, moved or taken out, and say where if one was."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.audit import checked_head, verify

    with open_store(Settings()) as store:
        checked = verify(store.engine, checked_head(head))
    if checked.broken:
        raise Mismatch(
            f"The audit log is broken after {checked.entries} entries: {checked.broken}. "
            "Keep the database as it is, and compare it with a backup."
        )
    typer.echo(f"{checked.entries} entries, unbroken. Head: {checked.head}")


@app.command("show")
def show_log(
    interest: Annotated[str, typer.Option(help="Only what was done with this interest.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, newest first.")] = 100,
) -> None:
    """The newest entries. They name accounts and interests by id, never a person."""
    from api.library import open_store
    from api.settings import Settings
    from api.show import show_rows
    from recruitment.audit import read_log

    with open_store(Settings()) as store:
        entries = read_log(store.engine, interest_id=interest, limit=limit)
    header = ("#", "UTC", "who", "what", "study", "interest", "detail")
    rows = (
        (
            each.number,
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            each.actor,
            each.action,
            each.study_id,
            each.interest_id,
            each.detail,
        )
        for each in entries
    )
    show_rows("Audit log", header, rows)
