"""The kernels: a row for each, and how C++ spells every instance that is compiled."""

from . import (
    backward,
    batch_norm,
    forward,
    im2col,
    index,
    loss,
    norm,
    optim,
    pool,
    random,
    reduce,
    softmax,
)
from .base import (
    FLOATS,
    LAYOUT,
    MAX_DIMS,
    SCALARS,
    STRUCTS,
    Form,
    Kernel,
    Parameter,
    Scalar,
)  # fmt: skip
from .elementwise import Elementwise, form_of

__all__ = [
    "FLOATS", "KERNELS", "LAYOUT", "MAX_DIMS", "SCALARS", "STRUCTS", "Elementwise", "Form",
    "Kernel", "Parameter", "Scalar", "form_of",
]  # fmt: skip

FAMILIES = (
    backward, batch_norm, forward, im2col, index, loss, norm, optim, pool, random, reduce, softmax,
)  # fmt: skip

KERNELS: dict[str, Kernel] = {row.name: row for family in FAMILIES for row in family.ROWS}
"""Every kernel by its name."""
