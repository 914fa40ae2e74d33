"""Rows of windows as columns, and back."""

import numpy as np

from .base import STRUCTS, Form, Kernel

__all__ = ["GRID", "ROWS"]

GRID = np.dtype([
    (name, "i4", 3) for name in ("size", "kernel", "fit", "stride", "pad", "dilation")
])
"""The structure `Grid` of im2col.cu: an image and its windows, in three dimensions."""

STRUCTS["Grid"] = GRID

WORDS = ("int8", "int16", "int32", "int64")  # what is only moved has a type of its width


def _kernel(name: str, array: str, **options: tuple[str, ...]) -> Kernel:
    parameters = f"{array}: const T*, out: T*, planes: i64, grid: Grid"
    return Kernel(name, "im2col.cu", {"planes": Form(f"ag::{name}<{{T}}>", parameters)}, **options)


ROWS = (_kernel("im2col", "x", dtypes=WORDS), _kernel("col2im", "y"))
