"""`studievei screen`: the pre-screening in the terminal, for people and, as JSON lines, for programs."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from chatbot.desk import Desk

Study = Annotated[str, typer.Argument(help="Start with this study, by its id.")]


def screen(
    study: Study = "",
    pinned: Annotated[str, typer.Option("--study", help="The same, for programs.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="A message a line in, a line out.")] = False,
    language: Annotated[str, typer.Option(help="nb, nn or en; by default that of the messages.")] = "",
) -> None:
    """Answer a few plain questions, and see which studies may fit."""
    from api.chat import open_desk
    from api.library import open_library
    from api.settings import Settings

    settings = Settings()
    with open_library(settings) as library:
        desk = open_desk(library, settings)
        desk.warm()
        (_answer_lines if as_json else _talk)(desk, study or pinned, language)


def _answer_lines(desk: "Desk", study: str, language: str) -> None:
    """Every line is the next message of one conversation."""
    from api.schemas import ScreenAnswer
    from chatbot.dialogue import begin, reply
    from chatbot.state import State

    state, _ = begin(State(language=language or "nb", language_chosen=bool(language)), desk, study)
    for line in sys.stdin:
        state, answer = reply(state, line.rstrip("\n"), desk)
        typer.echo(ScreenAnswer.of(state, answer, desk).model_dump_json())


def _talk(desk: "Desk", study: str, language: str) -> None:
    from chatbot.dialogue import begin, reply
    from chatbot.state import State

    state, answer = begin(State(language=language or "nb", language_chosen=bool(language)), desk, study)
    while True:
        typer.echo(f"\n{answer.text}")
        choices = " / ".join(each.label for each in answer.suggestions)
        typer.echo(f"[{choices}]" if choices else "", nl=bool(choices))
        try:
            message = input("> ")
        except (EOFError, KeyboardInterrupt):
            typer.echo()
            return
        state, answer = reply(state, message, desk)
