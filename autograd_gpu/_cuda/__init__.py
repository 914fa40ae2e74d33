"""How kernels are launched: one module a family. Imported when the first CUDA array is."""

from . import (
    batch_norm,
    convolve,
    elementwise,
    im2col,
    index,
    loss,
    matmul,
    norm,
    optim,
    pool,
    random,
    reduce,
    softmax,
)  # fmt: skip

__all__ = [
    "batch_norm", "convolve", "elementwise", "im2col", "index", "loss", "matmul", "norm",
    "optim", "pool", "random", "reduce", "softmax",
]  # fmt: skip
