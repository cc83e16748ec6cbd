"""`studievei retention`: how long interests are kept, and deleting what has expired."""

from datetime import UTC, datetime
from typing import Annotated

import typer

app = typer.Typer(help="How long interests are kept.", no_args_is_help=True)


@app.command("set")
def set_days(
    study: Annotated[str, typer.Argument(help="The study's id.")],
    days: Annotated[int, typer.Argument(help="Days after the last message; 90 unless it is set.")],
) -> None:
    """Keep a study's interests for so many days. The consent text says it from now on."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.consent import set_retention_days

    with open_store(Settings()) as store:
        store.get(study)
        set_retention_days(store.engine, study, days)
    typer.echo(f"Interests in {study} that are sent from now on are kept for {days} days.")


@app.command()
def delete() -> None:
    """Delete what has expired, as the server does hourly; `studievei audit show` tells what it was."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.alerts import forget_expired
    from recruitment.deletion import delete_expired

    now = datetime.now(UTC)
    with open_store(Settings()) as store:
        interests, followers = delete_expired(store.engine, now), forget_expired(store.engine, now)
    typer.echo(
        f"{interests} interests and {followers} followers were deleted; nothing that has expired is left."
    )
