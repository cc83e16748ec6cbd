"""`studievei backup` and `studievei restore`."""

from pathlib import Path
from typing import Annotated

import typer

from ontology.errors import BadInput


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, for example studievei-2026-11-27.sqlite.")],
    key: Annotated[Path | None, typer.Option(help="Also copy the vault's keys into this file.")] = None,
) -> None:
    """Copy the database into one file, also while the server runs. The vault's key is not in it."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.backup import back_up
    from recruitment.vault import copy_keys

    settings = Settings()
    with open_store(settings) as store:
        rows = back_up(store.engine, file)
    typer.echo(f"{file} holds {rows['studies']} studies and {rows['interests']} interests.")
    if key:
        copy_keys(settings.key_file, key)
        typer.echo(f"The keys are in {key}. Keep it apart from the backup: together they tell everything.")
    else:
        typer.echo(f"Keep a copy of {settings.key_file} in another place: without it nobody's answers open.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `studievei backup` made.")],
    key: Annotated[Path | None, typer.Option(help="The keys that were kept apart.")] = None,
) -> None:
    """Put a backup into an empty data folder or database, and make its studies searchable."""
    from datetime import UTC, datetime

    from api.library import open_index, open_store
    from api.settings import Settings
    from recruitment.backup import restore as put_back
    from recruitment.deletion import delete_expired
    from recruitment.vault import copy_keys

    settings = Settings()
    if key and settings.key_file.exists():
        raise BadInput(f"There is a key in {settings.key_file} already. Restore into an empty data folder.")
    with open_store(settings) as store:
        rows = put_back(file, store.engine)
        if key:
            copy_keys(key, settings.key_file)
        expired = delete_expired(store.engine, datetime.now(UTC))
        open_index(settings).update(store.all())
    typer.echo(
        f"{rows['studies']} studies and {rows['interests']} interests are back; {expired} had expired."
    )
    typer.echo(
        "What was withdrawn after the backup was made is back too: withdraw it again from the audit log."
    )
