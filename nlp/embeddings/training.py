"""Pairs in, an Adapter for the bundled weights out (LoRA). Needs the extra `train`."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nlp.embeddings.adapter import Adapter, Change
from nlp.embeddings.bundle import bundled_file, read_bundle
from nlp.embeddings.hugging_face import PLACES, write_hugging_face_folder
from nlp.embeddings.pairs import Pair
from ontology.errors import Unavailable

RANK = 8
TARGETS = ("q", "k", "v", "fi", "fo")
"""The weights that may change, as the bundle calls them: attention but its output, and both inner layers."""

RATE = 4e-4
WARM_UP = 0.1
SCALE = 100.0
"""1 / temperature of the loss; E5 was trained at 0.01 (Wang et al., arXiv 2402.05672)."""

LAYERS = range(6, 12)
"""The layers that may change: those below run without gradients, and answering pays for half as many."""

STRENGTH = 0.25
"""The share of what was learnt that is added; docs/adapter.md shows what more of it forgets.

Source: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
"""

TOKENS = 64
"""Tokens of a text that are read in training."""

_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)\.lora_([AB])")


def train(batches: Sequence[Sequence[Pair]], seed: int, done: Callable[[int, float], None]) -> Adapter:
    """Learn from every batch once, in order; the embeddings and all weights of the bundle stay as they are.

    The loss is MultipleNegativesRanking: each question shall be nearer to its passage than to all other
    passages of its batch and than to the near misses. `done` is called with steps and their loss.

    Raises:
        Unavailable: a package of the extra `train` is missing.
    """
    try:
        import torch  # noqa: PLC0415 - optional, and takes seconds
        from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
        from sentence_transformers.sentence_transformer.losses import (  # noqa: PLC0415
            MultipleNegativesRankingLoss,
        )
    except ImportError as error:
        raise Unavailable(f"Training needs {error.name}. Run `pip install studievei[train]`.") from error
    torch.manual_seed(seed)
    with TemporaryDirectory() as folder:
        write_hugging_face_folder(read_bundle(bundled_file()), Path(folder))
        model = SentenceTransformer(folder, device="cpu")
    model.max_seq_length = TOKENS
    places = "|".join(re.escape(PLACES[target]) for target in TARGETS)
    layers = "|".join(map(str, LAYERS))
    changing = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=rf".*layer\.({layers})\.({places})")
    model.requires_grad_(False)
    inject_adapter_in_model(changing, model[0].auto_model)
    loss_of = MultipleNegativesRankingLoss(model, scale=SCALE)
    learnt = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=RATE, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _pace(step, len(batches)))
    for step, batch in enumerate(batches, start=1):
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of([model.tokenize(texts) for texts in _columns(batch)], torch.empty(0))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        done(step, float(loss.detach()))
    return Adapter(_changes(model.named_parameters()), {})


def _pace(step: int, steps: int) -> float:
    """The share of RATE at a step: rising while it warms up, then falling to nothing as a cosine does."""
    warm = WARM_UP * steps
    return (
        (step + 1) / warm
        if step + 1 < warm
        else 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm)))
    )


def _columns(batch: Sequence[Pair]) -> Iterable[list[str]]:
    yield [f"query: {pair.question}" for pair in batch]
    yield [f"passage: {pair.passage}" for pair in batch]
    if misses := [f"passage: {pair.near_miss}" for pair in batch if pair.near_miss]:
        yield misses


def _changes(parameters: Iterable[tuple[str, Any]]) -> dict[str, Change]:
    """LoRA's factors by the bundle's names; its scale (alpha / rank = 2) and STRENGTH go into `up`."""
    shorts = {place: short for short, place in PLACES.items()}
    factors: dict[str, dict[str, Any]] = {}
    for name, parameter in parameters:
        if match := _LAYER.search(name):
            layer, place, factor = match.groups()
            values = parameter.detach().numpy().astype(np.float32)
            factors.setdefault(f"l{layer}.{shorts[place]}.w", {})[factor] = values
    return {name: Change(down=each["A"], up=STRENGTH * 2.0 * each["B"]) for name, each in factors.items()}
