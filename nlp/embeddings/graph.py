"""A Bundle in, its network as an ONNX graph out, with an adapter's changes: token numbers to vectors.

Products are of 8 bits on both sides: 2.5 times as fast as with the 4-bit weights, whose blocks each have a
scale of their own. The encoder alone pays for it (nDCG@10 .418 instead of .428 on eval/data/nb, .116 and .204
instead of .119 and .206 on sigir2016), the whole search does not (.900, .155, .252; before .900, .158, .252).
"""

from collections.abc import Mapping
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
_GELU_LEAST = -0.17
"""No value of the activation function lies below."""
_TINY = np.finfo(np.float32).tiny


def save_graph(bundle: Bundle, path: Path, changes: Mapping[str, Change] | None = None) -> None:
    """Write the network to `path` and its weights to a file beside it, which onnxruntime maps into memory.

    Input: `ids` (n, tokens) int64, texts of one length. Output: `vectors` (n, hidden) float32, the mean over
    the tokens, scaled to length 1. `changes` are those of an adapter, by the bundle's name of the weight.
    """
    graph = _Graph(changes or {})
    vectors = _network(graph, bundle)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "tokens"])],
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

    def number(self, value: float | list[int], kind: type = np.float32) -> str:
        return self.constant(np.array(value, kind), f"number_{len(self.constants)}")

    def linear(self, x: str, bundle: Bundle, *names: str, least: float | None = None) -> str:
        """x times the weights of these names, below one another, and their bias.

        Every token, like every row of weights, is put on a grid of 8 bits by its own largest value: company
        in a batch changes nothing. Where no x is below `least`, no step of the grid is spent there.
        """
        name = names[0] + "".join(each[-1] for each in names[1:])
        weights = np.concatenate([self._weights(bundle, each) for each in names])
        bias = np.concatenate([bundle.floats[f"{each}.b"] for each in names])
        steps = np.maximum(np.abs(weights).max(axis=1, keepdims=True), _TINY) / 127
        whole = np.rint(weights / steps).astype(np.int8)
        if least is None:
            top = self._top(self.node("Abs", x))
            step, zero = self.number(1 / 127), self.number(128, np.uint8)
        else:
            x = self.node("Add", x, self.number(-least))
            bias = bias + least * (whole * steps).sum(axis=1)
            top = self._top(x)
            step, zero = self.number(1 / 255), self.number(0, np.uint8)
        product = self.node(
            "MatMulIntegerToFloat",
            self.node("QuantizeLinear", self.node("Div", x, top), step, zero),
            self.constant(whole.T, f"{name}.weights"),
            step,
            self.constant(steps[:, 0], f"{name}.steps"),
            zero,
            domain=_MICROSOFT,
        )
        return self.node("Add", self.node("Mul", product, top), self.constant(bias, f"{name}.bias"))

    def _top(self, x: str) -> str:
        """The largest value of each token, (n, tokens, 1)."""
        return self.node("ReduceMax", x, self.number([-1], np.int64))

    def _weights(self, bundle: Bundle, name: str) -> NDArray[np.float32]:
        """(rows, columns) of one product, with what an adapter changes."""
        weights = bundle.weights[f"{name}.w"].unpacked()
        change = self._changes.get(f"{name}.w")
        return weights + change.up @ change.down if change else weights

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
            "LayerNormalization",
            self.node("Add", x, residual),
            self.constant(bundle.floats[f"{name}.w"], f"{name}.scale"),
            self.constant(bundle.floats[f"{name}.b"], f"{name}.shift"),
            epsilon=bundle.shape.epsilon,
        )


def _network(graph: _Graph, bundle: Bundle) -> str:
    words = graph.rows("ids", bundle.weights["emb.word"], "word")
    x = graph.normalized(words, _places(graph, bundle), bundle, "emb.ln")
    for layer in range(bundle.shape.layers):
        x = _layer(graph, bundle, f"l{layer}", x)
    mean = graph.node("ReduceMean", x, graph.number([1], np.int64), keepdims=0)
    return graph.node("LpNormalization", mean, name="vectors", axis=-1, p=2)


def _places(graph: _Graph, bundle: Bundle) -> str:
    """What the place of a token in its text adds, (tokens, hidden); every token is of segment 0."""
    hidden = bundle.shape.hidden
    table = bundle.floats["emb.pos"].reshape(-1, hidden) + bundle.floats["emb.type"][:hidden]
    tokens = graph.node("Shape", "ids", start=1, end=2)
    return graph.node("Slice", graph.constant(table, "place"), graph.number([0], np.int64), tokens)


def _layer(graph: _Graph, bundle: Bundle, name: str, x: str) -> str:
    out = graph.linear(_attention(graph, bundle, name, x), bundle, f"{name}.ao")
    x = graph.normalized(out, x, bundle, f"{name}.aln")
    inner = graph.node("Gelu", graph.linear(x, bundle, f"{name}.fi"), domain=_MICROSOFT)
    return graph.normalized(
        graph.linear(inner, bundle, f"{name}.fo", least=_GELU_LEAST), x, bundle, f"{name}.oln"
    )


def _attention(graph: _Graph, bundle: Bundle, name: str, x: str) -> str:
    """Queries, keys and values in one product, then what every token takes from the others."""
    parts = [f"{name}.{part}" for part in "qkv"]
    product = graph.linear(x, bundle, *parts)
    graph.nodes.append(helper.make_node("Split", [product], parts, axis=-1, num_outputs=3))
    return graph.node("MultiHeadAttention", *parts, domain=_MICROSOFT, num_heads=bundle.shape.heads)
