"""`studievei eval`: how good it is, measured. The commands stand in `eval/commands/`."""

import typer

from eval.commands import screening, search, speed, understanding

app = typer.Typer(help="How good it is, measured.", no_args_is_help=True)
for module in (search, understanding, screening, speed):
    app.add_typer(module.app)
