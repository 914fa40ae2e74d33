"""How kernels are launched: one module a family. Imported when the first CUDA array is."""

from . import (
    batch_norm,
    convert,
    convolve,
    elementwise,
    im2col,
    index,
    index_sums,
    loss,
    made,
    matmul,
    norm,
    optim,
    pool,
    random,
    reduce,
    softmax,
    variance,
)  # fmt: skip

__all__ = [
    "batch_norm", "convert", "convolve", "elementwise", "im2col", "index", "index_sums", "loss",
    "made", "matmul", "norm", "optim", "pool", "random", "reduce", "softmax", "variance",
]  # fmt: skip
