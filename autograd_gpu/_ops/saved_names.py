"""What PyTorch's nodes call what they saved, where that is not simply the name of our parameter."""

import math
from collections.abc import Callable
from typing import Any

from .saved import option, sizes, tensor, unsigned

__all__ = ["RULES"]


def _same(names: str) -> dict[str, Any]:
    return {name: name for name in names.split()}


def _constant(value: Any) -> Callable[[Any], Any]:
    return lambda node: value


def _sizes(slot: str, place: int | None = None) -> Callable[[Any], Any]:
    if place is None:
        return lambda node: sizes(node, slot)
    return lambda node: sizes(node, slot)[place]


def _count(slot: str) -> Callable[[Any], int]:
    return lambda node: math.prod(sizes(node, slot))


def _strides(slot: str) -> Callable[[Any], Any]:
    return lambda node: tensor(node, slot).stride()


def _wide(rule: str, slot: str) -> dict[str, Any]:
    """What products of matrices keep of a factor besides itself."""
    return {f"{rule}_sym_sizes": _sizes(slot), f"{rule}_sym_strides": _strides(slot)}


def _turned(slot: str) -> Callable[[Any], Any]:
    def get(node: Any) -> Any:
        saved = tensor(node, slot)
        return None if saved is None else saved.t()

    return get


def _turned_form(slot: str, strides: bool) -> Callable[[Any], Any]:
    def get(node: Any) -> Any:
        turned = tensor(node, slot).t()
        return turned.stride() if strides else tuple(turned.shape)

    return get


def _last(node: Any) -> Any:
    """The index, slice or None that the key of a view ends with, but for an Ellipsis."""
    return node.key[_place(node)]


def _place(node: Any) -> int:
    return len(node.key) - 1 - (node.key[-1] is Ellipsis)


def _end(node: Any) -> int:
    stop = _last(node).stop
    return 2**63 - 1 if stop is None else unsigned(stop)


def _indices(node: Any) -> tuple:
    return tensor(node, "kept")


def _several(slot: str) -> Callable[[Any], Any]:
    """A number as PyTorch keeps it where there may be several."""

    def get(node: Any) -> Any:
        value = option(node, slot)
        return value if value is None or isinstance(value, tuple) else (value,)

    return get


def _reduced(node: Any) -> int:
    return ("none", "mean", "sum").index(node.reduction)


def _number(slot: str) -> Callable[[Any], Any]:
    return lambda node: getattr(node, slot)


def _planned(what: str) -> Callable[[Any], Any]:
    return lambda node: tuple(getattr(node.plan, what))


def _in_shape(slot: str, shape: Callable[[Any], tuple]) -> Callable[[Any], Any]:
    def get(node: Any) -> Any:
        saved = tensor(node, slot)
        return None if saved is None else saved.reshape(shape(node))

    return get


def _groups(node: Any) -> tuple[int, ...]:
    return sizes(node, "input")[0], node.groups


def _layers(node: Any) -> tuple[int, ...]:
    shape, inner = sizes(node, "input"), len(node.shape)
    return (*shape[: len(shape) - inner], *(1,) * inner)


def _batch_statistic(slot: str) -> Callable[[Any], Any]:
    def get(node: Any) -> Any:
        if node.fixed_mean is not None:
            raise AttributeError(f"{node.name()} keeps no statistics in evaluation mode")
        saved = tensor(node, slot)
        return saved if slot == "mean" else (saved + node.eps).rsqrt()

    return get


def _padding_idx(node: Any) -> int:
    return unsigned(-1 if node.padding_idx is None else node.padding_idx)


def _cross_dim(node: Any) -> int:
    factor = node.input if node.input is not None else node.other
    return node.dim % factor.ndim


def _pieces(node: Any) -> tuple[int, ...]:
    """The lengths of the pieces of a split tensor."""
    return tuple(form[0][node.dim] for form in node.shapes_out)


def _whole(node: Any) -> tuple[int, ...]:
    shape = list(node.shapes_out[0][0])
    shape[node.dim] = sum(_pieces(node))
    return tuple(shape)


def _options(place: int) -> Callable[[Any], Any]:
    return lambda node: tuple(option(node, "options")[place])


def _paddings(node: Any) -> tuple[int, ...]:
    """Padding before and after, where both are the same."""
    pads = node.options[1]
    if any(a != b for a, b in pads):
        raise AttributeError(f"{node.name()}: the padding differs before and after")
    return tuple(a for a, _ in pads)


_LINEAR = {
    "mat2": _turned("weight"), "mat2_sym_sizes": _turned_form("weight", False),
    "mat2_sym_strides": _turned_form("weight", True),
}  # fmt: skip
_SPLIT = {"dim": "dim", "self_sym_sizes": _whole}
_NLL = dict.fromkeys("ignore_index reduction self target total_weight weight".split())
_POOL = {
    "ceil_mode": None, "kernel_size": _planned("kernel"), "padding": _planned("pad"),
    "stride": _planned("stride"),
}  # fmt: skip
_LOSS = {"self": "input", "target": "target", "reduction": _reduced}
_ALONG = {"dim": _several("dim"), "keepdim": "keepdim", "self": "input"}
_SOURCE = {"source": None, "source_dim": lambda node: len(sizes(node, "source"))}
_SLICE = {
    "dim": _place, "start": lambda node: unsigned(_last(node).start or 0), "end": _end,
    "step": lambda node: 1 if _last(node).step is None else _last(node).step,
    "self_sym_sizes": "input_shape",
}  # fmt: skip

RULES: dict[str, dict[str, Any]] = {
    "_adaptive_avg": {"self": None},
    "_adaptive_max": {"result1": "indices", "self": None},
    "_avg_pool": {
        **_POOL, "self": None, "count_include_pad": "count_pad", "divisor_override": "divisor",
    },
    "_basic": {"self_sym_sizes": "input_shape"},
    "_batch_norm": {
        **_same("input weight eps"), "result1": _batch_statistic("mean"),
        "result2": _batch_statistic("variance"), "running_mean": None, "running_var": None,
        "training": lambda node: node.fixed_mean is None,
    },
    "_bce": {**_LOSS, "weight": "weight"},
    "_bce_logits": {**_LOSS, **_same("weight pos_weight")},
    "_batched": {"self_sym_sizes": None},
    "_batched_mv": {"self_sym_sizes": None},
    "_cast": {},
    "_col2im": dict.fromkeys("dilation kernel_size padding stride".split()),
    "_complex": {"imag": None, "real": None},
    "_convolution": {
        **_same("input weight"), "stride": _options(0), "padding": _paddings,
        "dilation": _options(2), "groups": lambda node: node.options[3],
        "transposed": _constant(False), "output_padding": lambda node: (0,) * len(node.options[0]),
        "bias_sym_sizes_opt": None,
    },
    "_cross": {"self": "input", "other": "other", "dim": _cross_dim},
    "_det": {**_same("A"), "result": "out", "LU": None, "pivots": None},
    "_diagonal_copy": {**_same("offset"), "self_sym_sizes": "input_shape"},
    "_embedding": {
        **_same("indices scale_grad_by_freq"), "padding_idx": _padding_idx,
        "sparse": _constant(False), "weight_sym_argsize_0": _sizes("weight", 0),
    },
    "_folded": {"self_sym_sizes": None},
    "_group_norm": {
        **_same("input weight eps"), "group": "groups", "result1": _in_shape("mean", _groups),
        "result2": _in_shape("rstd", _groups), "N": _sizes("input", 0), "C": _sizes("input", 1),
        "HxW": lambda node: math.prod(sizes(node, "input")[2:]),
    },
    "_huber_loss": {**_LOSS, "delta": "delta"},
    "_imag": {},
    "_index": {"indices": _indices, "self_sym_sizes": "input_shape"},
    "_index_put": {"indices": _indices, "accumulate": "accumulate"},
    "_inv": {"inverse": "out"},
    "_layer_norm": {
        **_same("input weight"), "normalized_shape": "shape",
        "result1": _in_shape("mean", _layers), "result2": _in_shape("rstd", _layers),
        "bias": None,
    },
    "_linear": {"self": "input", **_wide("self", "input"), **_LINEAR},
    "_linear_bias": {
        "mat1": "input", **_wide("mat1", "input"), **_LINEAR, "alpha": _constant(1),
        "beta": _constant(1),
    },
    "_max_blocks": {
        "self": "input", "kernel_size": "kernel", "stride": "kernel", "result1": None,
        "ceil_mode": None, "dilation": _constant((1, 1)), "padding": _constant((0, 0)),
    },
    "_max_pool": {**_POOL, "dilation": _planned("dilation"), "self": None, "result1": "indices"},
    "_mean": {
        "dim": _several("dim"), "keepdim": "keepdim", "self_sym_sizes": "input_shape",
        "self_sym_numel": _count("input"),
    },
    "_mean_all": {"self_sym_sizes": "input_shape", "self_sym_numel": _count("input")},
    "_mse_loss": _LOSS,
    "_multi_margin": {**_LOSS, **_same("margin p weight")},
    "_nansum": _ALONG,
    "_newaxis": {"dim": _place},
    "_nll_loss": _NLL,
    "_nll_loss_many": _NLL,
    "_polar": {"result": None},
    "_norm": {**_ALONG, "p": "p", "result": "out"},
    "_pow_number": {"self": "input", "exponent": _number("other")},
    "_pow_tensor": {"self": "input", "exponent": "other", "result": "out"},
    "_prelu": {"self": "input", "weight": "weight"},
    "_real": {},
    "_reflect_pad1d": {"padding": None, "self": None},
    "_reflect_pad2d": {"padding": None, "self": None},
    "_reflect_pad3d": {"padding": None, "self": None},
    "_repeat": {"repeats": "sizes", "self_sym_sizes": "input_shape"},
    "_replicate_pad1d": {"padding": None, "self": None},
    "_replicate_pad2d": {"padding": None, "self": None},
    "_replicate_pad3d": {"padding": None, "self": None},
    "_rms_norm": {"other": None, "self": None},
    "_roll": {"dims": "dims", "shifts": _several("shifts")},
    "_rpow": {"self": _number("other"), "exponent": None, "result": "out"},
    "_safe_softmax": {"result": "out", "dim": _constant(2**64 - 1)},
    "_scatter_src": _same("dim index"),
    "_select": {"dim": _place, "index": _last, "self_sym_sizes": "input_shape"},
    "_slice": _SLICE,
    "_slogdet": {**_same("A sign"), "LU": None, "pivots": None},
    "_solve": {
        "A": "A", "result": "out", "left": _constant(True), "LU": None, "pivots": None,
    },
    "_split": {**_SPLIT, "split_size": lambda node: max(_pieces(node))},
    "_squeeze": {"dim": None, "self_sym_sizes": "input_shape"},
    "_smooth_l1_loss": {**_LOSS, "beta": "beta"},
    "_soft_margin_loss": _LOSS,
    "_std": {**_ALONG, "correction": "correction", "result": "out"},
    "_std_mean": {**_ALONG, "correction": "correction", "result0": "std"},
    "_sum": {"dim": _several("dim"), "keepdim": "keepdim", "self_sym_sizes": "input_shape"},
    "_svd": {
        **_same("U S Vh"), "S_sym_argsize_minus_1": _sizes("S", -1),
        "full_matrices": _constant(False),
    },
    "_trilinear": {
        "i1": "input1", "i2": "weight", "i3": "input2",
        **dict.fromkeys("expand1 expand2 expand3 sumdim".split()),
    },
    "_var": {**_ALONG, "correction": "correction"},
    "_var_mean": {**_ALONG, "correction": "correction"},
    "_vector_norm": {**_ALONG, "ord": "ord", "result": "out"},
    "_vm": {"dim": None, "self_sym_sizes": None},
    "addbmm": {
        **_same("alpha batch1 batch2 beta"), "batch1_sym_argsize_0": _sizes("batch1", 0),
        "batch1_sym_argsize_1": _sizes("batch1", 1), "batch2_sym_argsize_2": _sizes("batch2", 2),
    },
    "addmm": {
        **_same("alpha beta mat1 mat2"), **_wide("mat1", "mat1"), **_wide("mat2", "mat2"),
    },
    "addmv": _same("alpha beta mat vec"),
    "addr": _same("alpha beta vec1 vec2"),
    "amax": {**_ALONG, "result": "out"},
    "amin": {**_ALONG, "result": "out"},
    "as_strided": _same("size stride storage_offset"),
    "baddbmm": _same("alpha batch1 batch2 beta"),
    "cummax": {**_same("dim indices"), "self": None},
    "cummin": {**_same("dim indices"), "self": None},
    "elu": {"self": "input", "alpha": "alpha", "scale": _constant(1), "input_scale": _constant(1)},
    "erfinv": {"self": None},
    "gather": {**_same("dim index"), "self": None, "sparse_grad": _constant(False)},
    "gelu": {"self": "input", "approximate": "approximate"},
    "index_add": {**_same("alpha dim index"), **_SOURCE},
    "index_copy": {**_same("dim index"), **_SOURCE},
    "logsigmoid": {"self": "input", "buffer": None},
    "logsumexp": {**_ALONG, "result": "out"},
    "masked_scatter": {"mask": "mask", "source_sym_sizes": "source_shape"},
    "masked_select": {"mask": "mask", "self": None},
    "mm": {"self": "input", "mat2": "mat2", **_wide("self", "input"), **_wide("mat2", "mat2")},
    "put": {**_same("accumulate index"), "source": None},
    "relu6": {"self": "input", "min_val": _constant(0.0), "max_val": _constant(6.0)},
    "scatter_add": _same("dim index"),
    "split_with_sizes": {**_SPLIT, "split_sizes": _pieces},
    "square": {"self": "input", "exponent": _constant(2)},
    "take": {"index": "index", "self": None},
    "unsqueeze": {"dim": None},
}  # fmt: skip
