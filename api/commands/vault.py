"""`studievei vault`: the keys that seal what people left with us."""

import typer

from ontology.errors import BadInput

app = typer.Typer(help="The keys that seal what people left with us.", no_args_is_help=True)


@app.command()
def status() -> None:
    """Which keys there are, and how much each one seals."""
    from api.library import open_store, open_vault
    from api.settings import Settings
    from api.show import show_rows
    from recruitment.rotation import keys_in_use

    settings = Settings()
    with open_store(settings) as store:
        used, vault = keys_in_use(store.engine), open_vault(settings)
    known = dict.fromkeys([*vault.key_ids, *used])
    rows = ((key, _place(key, vault.key_ids), used[key]) for key in known)
    show_rows("Keys of the vault", ("key", "", "seals"), rows)


@app.command()
def rotate() -> None:
    """Make a new key and seal everything anew with it, also while the server runs."""
    from api.library import open_store, open_vault
    from api.settings import Settings
    from recruitment.rotation import keys_in_use, reseal
    from recruitment.vault import add_key

    settings = Settings()
    with open_store(settings) as store:
        vault = open_vault(settings)
        if not settings.vault_key.get_secret_value():
            add_key(settings.key_file)
        done = reseal(store.engine, vault)
        left = {key: count for key, count in keys_in_use(store.engine).items() if key != vault.newest}
    typer.echo(f"{done.resealed} values are sealed with key {vault.newest} now.")
    if done.unreadable:
        raise BadInput(f"{done.unreadable} values have keys that are not here ({', '.join(left)}). Add them.")
    if left:
        raise BadInput(
            f"{sum(left.values())} values were written meanwhile. Run `studievei vault rotate` again."
        )
    typer.echo("Older keys can go with `studievei vault drop`; backups made before now still need them.")


@app.command()
def drop() -> None:
    """Remove the keys that seal nothing any more from the key file."""
    from api.library import open_store, open_vault
    from api.settings import Settings
    from recruitment.rotation import keys_in_use
    from recruitment.vault import drop_keys

    settings = Settings()
    if settings.vault_key.get_secret_value():
        raise BadInput("The keys stand in STUDIEVEI_VAULT_KEY. Take the ones out of it that seal nothing.")
    with open_store(settings) as store:
        used = keys_in_use(store.engine)
    unused = [key for key in open_vault(settings).key_ids[1:] if not used[key]]
    drop_keys(settings.key_file, unused)
    typer.echo(f"{len(unused)} keys were removed.")


def _place(key: str, known: tuple[str, ...]) -> str:
    if key not in known:
        return "missing"
    return "seals now" if key == known[0] else "opens only"
