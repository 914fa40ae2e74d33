"""What PyTorch's profiler calls an op: `add`, `max_pool2d_with_indices`."""

import re
from typing import Any

from .declare import Op

__all__ = ["title_of"]

_OWN = {
    "_vm": "mv", "_batched_mv": "mv", "_batched": "bmm", "_folded": "mm", "_rms_norm": "rms_norm",
    "_real": "real", "_imag": "imag", "_convolution_input": "convolution_backward",
    "_convolution_weight": "convolution_backward", "_gather_backward": "gather_backward",
    "_embed": "select_backward", "_fused": "cross_entropy", "_of_classes": "cross_entropy",
    "_basic": "slice", "_newaxis": "unsqueeze",
}  # fmt: skip
"""Rows whose nodes have the name of another op."""

_UNDERSCORED = {"to_copy", "unsafe_view", "reshape_alias"}
"""Ops that PyTorch itself writes with an underscore."""


def title_of(entry: Any) -> str:
    """The name of a row. An inner op (`_name`) is called after its node, as `_sum_all`, which makes
    `SumBackward0`, is `sum`."""
    name = entry.name
    if not name.startswith("_"):
        return name
    if name in _OWN:
        return _OWN[name]
    plain = name.lstrip("_")
    if not isinstance(entry, Op) or not entry.node_name:
        return plain
    found = _snake(re.sub(r"(Backward)?Backward\d.*$", r"\1", entry.node_name))
    if found.replace("_", "") == plain.replace("_", ""):
        return plain
    return "_" + found if found in _UNDERSCORED else found


def _snake(name: str) -> str:
    """`MaxPool2DWithIndices` -> `max_pool2d_with_indices`."""
    name = re.sub(r"(\d)D", r"\1d", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
