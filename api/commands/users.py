"""`studievei users`: who may sign in, and as what."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ontology.errors import BadInput

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from recruitment.account import Account, Grant
    from registry.store import Store

app = typer.Typer(help="Who may sign in, and as what.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address that the account signs in with.")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="pi:STUDY, delegate:STUDY, gp, editor, coordinator or administrator."),
]


@app.command("add")
def add_user(
    email: Email,
    role: Roles = None,
    name: Annotated[str, typer.Option(help="As colleagues see it.")] = "",
) -> None:
    """Make an account, and print the one-time link that its owner opens to choose how to sign in."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.account import add_account

    with open_store(Settings()) as store:
        account = add_account(store.engine, email, name, _grants(store, role), datetime.now(UTC))
        typer.echo(f"{account.email} can sign in after opening this link, which works once and for 3 days:")
        typer.echo(_link(store.engine, account))


@app.command("link")
def new_link(
    email: Email,
    drop_code: Annotated[
        bool, typer.Option(help="Ask for no one-time code until it is turned on anew.")
    ] = False,
) -> None:
    """Print a new one-time link, for somebody who has lost the password or the first link."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.account import find_account
    from recruitment.audit import Actor
    from recruitment.session import turn_off_code

    with open_store(Settings()) as store:
        account = find_account(store.engine, email)
        if account.disabled:
            raise BadInput(
                f"{account.email} is disabled. Run `studievei users enable {account.email}` first."
            )
        if drop_code:
            turn_off_code(store.engine, account, datetime.now(UTC), Actor.OPERATOR)
        typer.echo(_link(store.engine, account))


@app.command("list")
def list_users() -> None:
    """Every account, its roles, and whether it can sign in."""
    from api.library import open_store
    from api.settings import Settings
    from api.show import show_rows
    from recruitment.account import list_accounts

    with open_store(Settings()) as store:
        found = list_accounts(store.engine)
    rows = (
        (each.email, each.name, ", ".join(map(str, sorted(each.grants))), _state(each), each.id)
        for each in found
    )
    show_rows("Accounts", ("e-mail", "name", "roles", "state", "id in the audit log"), rows)


@app.command("disable")
def disable_user(email: Email) -> None:
    """Shut an account at once; whoever is signed in with it is signed out."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.account import disable

    with open_store(Settings()) as store:
        typer.echo(f"{disable(store.engine, email, datetime.now(UTC)).email} can no longer sign in.")


@app.command("enable")
def enable_user(email: Email) -> None:
    """Open an account again that was disabled."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.account import enable

    with open_store(Settings()) as store:
        account = enable(store.engine, email, datetime.now(UTC))
    typer.echo(f"{account.email}: {_state(account)}")


@app.command("roles")
def change_roles(
    email: Email,
    add: Annotated[list[str] | None, typer.Option(help="A role to give, as for `users add`.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A role to take away.")] = None,
) -> None:
    """Give or take roles, and show those that the account has then."""
    from api.library import open_store
    from api.settings import Settings
    from recruitment.account import read_grant, set_roles

    with open_store(Settings()) as store:
        taken = [read_grant(each) for each in remove or ()]
        account = set_roles(store.engine, email, datetime.now(UTC), add=_grants(store, add), remove=taken)
    typer.echo(f"{account.email}: {', '.join(map(str, sorted(account.grants))) or 'no roles'}")


def _grants(store: "Store", texts: list[str] | None) -> "list[Grant]":
    """The grants that were written; each study must be one that we have."""
    from recruitment.account import read_grant

    grants = [read_grant(each) for each in texts or ()]
    for grant in grants:
        if grant.study_id:
            store.get(grant.study_id)
    return grants


def _link(engine: "Engine", account: "Account") -> str:
    from api.post import ACCOUNT_PATH
    from api.settings import Settings
    from recruitment.invitation import invite

    token = invite(engine, account.id, datetime.now(UTC))
    return Settings().base + ACCOUNT_PATH.replace("{token}", token)


def _state(account: "Account") -> str:
    if account.disabled:
        return "disabled"
    if not account.ready:
        return "has not opened the one-time link"
    return "can sign in, with a code" if account.has_code else "can sign in"
