"""Rows of pooling by the maximum and by the mean."""

import numpy as np

from .base import STRUCTS, Form, Kernel

__all__ = ["POOL_LINE", "ROWS"]

POOL_LINE = np.dtype([
    (name, "i4") for name in ("n", "fit", "kernel", "stride", "pad", "dilation")
])
"""The structure `PoolLine` of pool.cu: the windows along one dimension."""

STRUCTS["PoolLine"] = POOL_LINE

_LINES = "planes: i64, rows: PoolLine, columns: PoolLine"


def _kernel(name: str, parameters: str) -> Kernel:
    return Kernel(name, "pool.cu", {"planes": Form(f"ag::{name}<{{T}}>", parameters)})


ROWS = (
    _kernel("max_pool", "x: const T*, out: T*, places: i64*?, " + _LINES),
    _kernel("max_pool_backward", "g: const T*, places: const i64*, out: T*, " + _LINES),
    _kernel("max_blocks_backward", "g: const T*, x: const T*, y: const T*, out: T*, " + _LINES),
    _kernel("avg_pool", f"x: const T*, out: T*, {_LINES}, padding: bool, divisor: f64"),
    _kernel("avg_pool_backward", f"g: const T*, out: T*, {_LINES}, padding: bool, divisor: f64"),
)
