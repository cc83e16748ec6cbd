"""`studievei model`: the language model of the search."""

import json
from pathlib import Path
from typing import Annotated

import typer

SHOWN_EVERY = 10
"""Steps of training between two lines about their loss."""

app = typer.Typer(help="The language model of the search.", no_args_is_help=True)


@app.callback()
def model() -> None:
    """The language model of the search."""


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The adapter to write (safetensors).")],
    steps: Annotated[int, typer.Option(min=1, help="Batches to learn from.")] = 300,
    batch: Annotated[int, typer.Option(min=2, help="Pairs of a batch.")] = 64,
    seed: Annotated[int, typer.Option(help="The same seed and studies give the same pairs.")] = 1,
) -> None:
    """Adapt the bundled model to the ontology and to the studies that were imported (extra `train`)."""
    import random
    from itertools import islice
    from statistics import fmean

    from api.library import open_ontology, open_store
    from api.settings import Settings
    from nlp.embeddings.adapter import Adapter, write_adapter
    from nlp.embeddings.pairs import all_pairs, batches
    from nlp.embeddings.training import STRENGTH
    from nlp.embeddings.training import train as learn
    from ontology.linker import Linker

    settings = Settings()
    ontology = open_ontology(settings)
    with open_store(settings) as store:
        studies = list(store.all())
    chance = random.Random(seed)  # noqa: S311 - no secret
    kinds = all_pairs(studies, ontology, Linker(ontology), chance)
    pairs = [pair for some in kinds.values() for pair in some]
    lessons = list(islice(batches(pairs, batch, ontology, chance), steps))
    losses: list[float] = []

    def report(step: int, loss: float) -> None:
        losses.append(loss)
        if step % SHOWN_EVERY == 0:
            typer.echo(f"step {step} of {len(lessons)}: loss {fmean(losses[-SHOWN_EVERY:]):.3f}", err=True)

    learnt = learn(lessons, seed, report)
    card = {
        "pairs": {kind: len(some) for kind, some in kinds.items()},
        "studies": len(studies),
        "ontology": ontology.fingerprint,
        "steps": len(lessons),
        "batch": batch,
        "seed": seed,
        "strength": STRENGTH,
        "loss": [round(fmean(part), 3) for part in (losses[:SHOWN_EVERY], losses[-SHOWN_EVERY:])],
    }
    write_adapter(Adapter(learnt.changes, card), out)
    typer.echo(json.dumps(card))
