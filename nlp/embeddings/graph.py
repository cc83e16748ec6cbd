"""A Bundle in, its network as an ONNX graph out, on the very same 4-bit grid: token numbers to vectors.

What an adapter changes is added beside the 4-bit products, as two thin ones.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from nlp.embeddings.adapter import Change
from nlp.embeddings.bundle import BLOCK, Bundle, Quantized

OPSET, IR_VERSION = 21, 10
"""Versions that onnxruntime 1.20 and later read; 4-bit tensors came with this operator set."""

_MICROSOFT = "com.microsoft"
_INT8_ACTIVATIONS = 4


def save_graph(bundle: Bundle, path: Path, changes: Mapping[str, Change] | None = None) -> None:
    """Write the network to `path` and its weights to a file beside it, which onnxruntime maps into memory.

    Inputs: `ids` (n, tokens) int64 and `mask` (n, tokens) int32, 1 where a token counts. Output: `vectors`
    (n, hidden) float32, the mean over the tokens that count, scaled to length 1. `changes` are those of an
    adapter, by the bundle's name of the weight.
    """
    graph = _Graph(changes or {})
    vectors = _network(graph, bundle)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "multilingual-e5-small",
            [
                helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "tokens"]),
                helper.make_tensor_value_info("mask", TensorProto.INT32, ["n", "tokens"]),
            ],
            [helper.make_tensor_value_info(vectors, TensorProto.FLOAT, ["n", bundle.shape.hidden])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(_MICROSOFT, 1)],
        ir_version=IR_VERSION,
    )
    onnx.save_model(
        model, path, save_as_external_data=True, location=f"{path.stem}.weights", size_threshold=1024
    )


class _Graph:
    """Nodes and constants in the making; every method returns the name of its result."""

    def __init__(self, changes: Mapping[str, Change]) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._changes = changes

    def node(self, operator: str, *inputs: str, domain: str = "", name: str = "", **attributes: Any) -> str:
        name = name or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, domain=domain, **attributes))
        return name

    def constant(self, value: NDArray[Any], name: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def linear(self, x: str, bundle: Bundle, *names: str) -> str:
        """x times the weights of these names, below one another, on the 4-bit grid; plus bias and changes."""
        name = names[0] + "".join(each[-1] for each in names[1:])
        parts = [bundle.weights[f"{each}.w"] for each in names]
        bias = np.concatenate([bundle.floats[f"{each}.b"] for each in names])
        nibbles = np.concatenate([part.nibbles for part in parts])
        scales = np.concatenate([part.scales for part in parts])
        rows, columns = nibbles.shape
        pairs = nibbles.reshape(rows, columns // BLOCK, BLOCK)
        product = self.node(
            "MatMulNBits",
            x,
            self.constant(pairs[..., 0::2] | pairs[..., 1::2] << 4, f"{name}.weights"),
            self.constant(scales.astype(np.float32), f"{name}.scales"),
            "",
            "",
            self.constant(bias, f"{name}.bias"),
            domain=_MICROSOFT,
            K=columns,
            N=rows,
            bits=4,
            block_size=BLOCK,
            accuracy_level=_INT8_ACTIVATIONS,
        )
        return self._changed(product, x, name, [self._changes.get(f"{each}.w") for each in names], parts)

    def _changed(
        self, product: str, x: str, name: str, changes: Sequence[Change | None], parts: Sequence[Quantized]
    ) -> str:
        """The product of the 4-bit weights, plus that of the low-rank changes of its parts."""
        known = [change for change in changes if change]
        if not known:
            return product
        down = np.concatenate([change.down for change in known])
        up = np.zeros((len(down), sum(len(part.nibbles) for part in parts)), np.float32)
        row = column = 0
        for change, part in zip(changes, parts, strict=True):
            if change:
                rank = len(change.down)
                up[row : row + rank, column : column + len(part.nibbles)] = change.up.T
                row += rank
            column += len(part.nibbles)
        thin = self.node("MatMul", x, self.constant(down.T, f"{name}.down"))
        wide = self.node("MatMul", thin, self.constant(up, f"{name}.up"))
        return self.node("Add", product, wide)

    def rows(self, ids: str, weights: Quantized, name: str) -> str:
        """The rows of `weights` with these numbers; only they are unpacked."""
        signed = weights.nibbles ^ 8
        packed = signed[:, 0::2] | signed[:, 1::2] << 4
        self.constants.append(
            helper.make_tensor(
                f"{name}.weights", TensorProto.INT4, weights.nibbles.shape, packed.tobytes(), raw=True
            )
        )
        scales = self.constant(weights.scales.astype(np.float32), f"{name}.scales")
        return self.node(
            "GatherBlockQuantized",
            f"{name}.weights",
            ids,
            scales,
            domain=_MICROSOFT,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )

    def normalized(self, x: str, residual: str, bundle: Bundle, name: str) -> str:
        """Layer normalisation of x + residual."""
        return self.node(
            "SkipLayerNormalization",
            x,
            residual,
            self.constant(bundle.floats[f"{name}.w"], f"{name}.scale"),
            self.constant(bundle.floats[f"{name}.b"], f"{name}.shift"),
            domain=_MICROSOFT,
            epsilon=bundle.shape.epsilon,
        )


def _network(graph: _Graph, bundle: Bundle) -> str:
    words = graph.rows("ids", bundle.weights["emb.word"], "word")
    places = _places(graph, bundle)
    x = graph.normalized(words, places, bundle, "emb.ln")
    for layer in range(bundle.shape.layers):
        x = _layer(graph, bundle, f"l{layer}", x)
    counts = graph.node("Cast", "mask", to=TensorProto.FLOAT)
    weights = graph.node("Unsqueeze", counts, graph.constant(np.array([1], np.int64), "axis"))
    pooled = graph.node("Squeeze", graph.node("MatMul", weights, x), "axis")
    return graph.node("LpNormalization", pooled, name="vectors", axis=-1, p=2)


def _places(graph: _Graph, bundle: Bundle) -> str:
    """What the place of a token in its text adds, (n, tokens, hidden); every token is of segment 0."""
    hidden = bundle.shape.hidden
    table = bundle.floats["emb.pos"].reshape(-1, hidden) + bundle.floats["emb.type"][:hidden]
    tokens = graph.node("Shape", "ids", start=1, end=2)
    first = graph.constant(np.array([0], np.int64), "first")
    some = graph.node("Slice", graph.constant(table, "place"), first, tokens)
    shape = graph.node(
        "Concat", graph.node("Shape", "ids"), graph.constant(np.array([hidden], np.int64), "hidden"), axis=0
    )
    return graph.node("Expand", some, shape)


def _layer(graph: _Graph, bundle: Bundle, name: str, x: str) -> str:
    out = graph.linear(_attention(graph, bundle, name, x), bundle, f"{name}.ao")
    x = graph.normalized(out, x, bundle, f"{name}.aln")
    inner = graph.node("Gelu", graph.linear(x, bundle, f"{name}.fi"), domain=_MICROSOFT)
    return graph.normalized(graph.linear(inner, bundle, f"{name}.fo"), x, bundle, f"{name}.oln")


def _attention(graph: _Graph, bundle: Bundle, name: str, x: str) -> str:
    """Queries, keys and values in one product, then what every token takes from the others."""
    parts = [f"{name}.{part}" for part in "qkv"]
    product = graph.linear(x, bundle, *parts)
    graph.nodes.append(helper.make_node("Split", [product], parts, axis=-1, num_outputs=3))
    return graph.node(
        "MultiHeadAttention",
        *parts,
        "",
        "mask",
        domain=_MICROSOFT,
        num_heads=bundle.shape.heads,
    )
