"""The bundled weights as a Hugging Face folder, for training and for comparing. Needs the extra `train`."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import Unigram

from nlp.embeddings.bundle import Bundle
from nlp.embeddings.pieces import END, LONGEST, NORMALIZER, START, UNKNOWN

PLACES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def write_hugging_face_folder(bundle: Bundle, folder: Path) -> None:
    """Write model and tokenizer in full precision, so that transformers and sentence-transformers load them.

    Raises:
        ImportError: transformers or torch is missing; run `pip install studievei[train]`.
    """
    import torch  # noqa: PLC0415 - optional, and takes seconds
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast  # noqa: PLC0415

    shape = bundle.shape
    config = BertConfig(
        vocab_size=len(bundle.weights["emb.word"].nibbles),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        layer_norm_eps=shape.epsilon,
    )
    model = BertModel(config, add_pooling_layer=False)
    tensors = {name: torch.tensor(value) for name, value in _state(bundle).items()}
    model.load_state_dict(tensors, strict=True)
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(bundle),
        pad_token="<pad>",  # noqa: S106 - a token of the vocabulary
        unk_token="<unk>",  # noqa: S106
        bos_token="<s>",  # noqa: S106
        eos_token="</s>",  # noqa: S106
        model_max_length=shape.positions,
    )
    tokenizer.save_pretrained(folder)


def build_tokenizer(bundle: Bundle) -> Tokenizer:
    """The tokenizer of `Pieces` in the form of Hugging Face."""
    tokenizer = Tokenizer(Unigram(list(bundle.pieces), unk_id=UNKNOWN))
    tokenizer.normalizer = NORMALIZER
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    start, end = bundle.pieces[START][0], bundle.pieces[END][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=[(start, START), (end, END)]
    )
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def _state(bundle: Bundle) -> dict[str, NDArray[np.float32]]:
    """Weights by the names that transformers gives them."""
    hidden = bundle.shape.hidden
    tensors = {
        "embeddings.word_embeddings.weight": bundle.weights["emb.word"].unpacked(),
        "embeddings.position_embeddings.weight": bundle.floats["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": bundle.floats["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": bundle.floats["emb.ln.w"],
        "embeddings.LayerNorm.bias": bundle.floats["emb.ln.b"],
    }
    for layer in range(bundle.shape.layers):
        for short, place in PLACES.items():
            weight, bias = f"l{layer}.{short}.w", f"l{layer}.{short}.b"
            value = bundle.weights[weight].unpacked() if weight in bundle.weights else bundle.floats[weight]
            tensors[f"encoder.layer.{layer}.{place}.weight"] = value
            tensors[f"encoder.layer.{layer}.{place}.bias"] = bundle.floats[bias]
    return tensors
