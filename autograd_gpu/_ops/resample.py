"""Images in another resolution: pixel_shuffle, pixel_unshuffle, interpolate."""

import math
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from .declare import Array, composite, op
from .shape import _permute, _reshape

__all__ = ["interpolate", "pixel_shuffle", "pixel_unshuffle"]


@composite(where=("", "nn.functional"))
def pixel_shuffle(input, upscale_factor):
    """Channels put side by side: (*, C r^2, H, W) becomes (*, C, H r, W r).

    y[c, h r + i, w r + j] = x[c r^2 + i r + j, h, w]            dL/dx = g, put back

    RuntimeError where the channels are not divisible by r^2. Source: Shi et al., arXiv:1609.05158.
    """
    r, shape = upscale_factor, tuple(input.shape)
    if len(shape) < 3:
        raise RuntimeError(
            "pixel_shuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, h, w = shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            "of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n, c = len(lead), channels // (r * r)
    split = _reshape(input, (*lead, c, r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return _reshape(_permute(split, order), (*lead, c, h * r, w * r))


@composite(where=("", "nn.functional"))
def pixel_unshuffle(input, downscale_factor):
    """The inverse of `pixel_shuffle`: (*, C, H r, W r) becomes (*, C r^2, H, W).

    y[c r^2 + i r + j, h, w] = x[c, h r + i, w r + j]            dL/dx = g, put back

    RuntimeError where height or width is not divisible by r.
    """
    r, shape = downscale_factor, tuple(input.shape)
    if len(shape) < 3:
        raise RuntimeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{len(shape)} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, h, w = shape
    for name, place, length in (("height", -2, h), ("width", -1, w)):
        if length % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({place})={length} "
                f"is not divisible by {r}"
            )
    n = len(lead)
    split = _reshape(input, (*lead, channels, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return _reshape(_permute(split, order), (*lead, channels * r * r, h // r, w // r))


# ---- interpolation: along each dimension a matrix whose rows say what a new place is made of


def _cubic(t: Any) -> list[Any]:
    """Keys' weights (a = -0.75) of the four neighbours, at a distance t from the second."""
    a = -0.75

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


@lru_cache(64)
def _matrix(n: int, out: int, mode: str, align: bool, scale: float | None) -> Any:
    """(out, n): the weights of one dimension's interpolation. `scale`: how far apart new places lie
    in the old.
    """
    step = scale if scale is not None else n / out
    if align and mode != "nearest":
        step = (n - 1) / (out - 1) if out > 1 else 0.0
    i = np.arange(out)
    matrix = np.zeros((out, n))
    if mode == "nearest":
        matrix[i, np.minimum((i * step).astype(int), n - 1)] = 1
    elif mode == "nearest-exact":
        matrix[i, np.minimum(((i + 0.5) * step).astype(int), n - 1)] = 1
    elif mode == "area":
        for row in i:
            a, b = row * n // out, -(-(row + 1) * n // out)
            matrix[row, a:b] = 1 / (b - a)
    else:
        place = i * step if align else (i + 0.5) * step - 0.5
        place = np.maximum(place, 0) if mode == "linear" else place
        base = np.floor(place)
        t = place - base
        weights = [1 - t, t] if mode == "linear" else _cubic(t)
        first = 0 if mode == "linear" else -1
        for k, weight in enumerate(weights, first):
            np.add.at(matrix, (i, np.clip(base.astype(int) + k, 0, n - 1)), weight)
    return matrix


def _along(xp: Any, x: Any, matrices: list) -> Any:
    """Multiply the last dimensions by matrices, one each."""
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 else x
    for d, matrix in enumerate(reversed(matrices), 1):
        turned = xp.matmul(wide.swapaxes(-d, -1), xp.asarray(matrix.T.astype(wide.dtype)))
        wide = turned.swapaxes(-d, -1)
    return xp.ascontiguousarray(wide).astype(x.dtype, copy=False)


@op(where=(), name="_resample", node="UpsampleBackward0")
def resample(xp, input: Array, plan):
    """The last dimensions multiplied by the plan's matrices.
    dL/dx: by their transposes
    """
    return _along(xp, input, [_matrix(*p) for p in plan])


@op(where=(), name="_resample_back", node="UpsampleBackwardBackward0")
def resample_back(xp, output: Array, plan):
    """The transpose of `resample`."""
    return _along(xp, output, [_matrix(*p).T for p in plan])


resample.derivative(input=lambda grad, plan: resample_back(grad, plan))
resample_back.derivative(output=lambda grad, plan: resample(grad, plan))

_LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


def _checked_mode(mode: str, align_corners: Any, n: int) -> bool:
    """Do the outermost places stay in place? Errors for a mode of other dimensions, or none."""
    if mode in _LINEAR:
        if _LINEAR[mode] != n:
            raise NotImplementedError(
                f"Got {n + 2}D input, but {mode} mode needs {_LINEAR[mode] + 2}D input"
            )
        return bool(align_corners)
    if align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    if mode not in ("nearest", "nearest-exact", "area"):
        raise NotImplementedError(f"Input Error: unknown mode '{mode}'")
    return False


@composite(where=("nn.functional",))
def interpolate(
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """Images or signals in another size.

    y = A x in each dimension, A the weights of the old places in each new one
    dL/dx = A^T g

    input: (N, C, *). `size` or `scale_factor`: one number or one for each dimension. `mode`:
    "nearest", "nearest-exact", "linear" (3-D), "bilinear", "bicubic" (4-D), "trilinear" (5-D),
    "area". `align_corners`: the outermost places stay in place. ValueError for arguments that do
    not fit; NotImplementedError for `antialias`.
    """
    if antialias:
        raise NotImplementedError("interpolate(): antialias=True is not supported")
    n = input.ndim - 2
    align = _checked_mode(mode, align_corners, n)
    sizes, steps = _sizes(input, size, scale_factor, n, recompute_scale_factor, mode)
    kind = "cubic" if mode == "bicubic" else "linear" if mode in _LINEAR else mode
    plan = tuple(
        (old, new, kind, align, step)
        for old, new, step in zip(input.shape[2:], sizes, steps, strict=True)
    )
    return resample(input, plan)


def _sizes(
    input: Any, size: Any, factor: Any, n: int, recompute: Any, mode: str
) -> tuple[list, list]:
    """The new lengths, and the given distances of new places, None where they follow from the
    lengths.
    """
    if (size is None) == (factor is None):
        if size is None:
            raise ValueError("either size or scale_factor should be defined")
        raise ValueError("only one of size or scale_factor should be defined")

    def each(value: Any, name: str) -> list:
        if isinstance(value, (int, float)):
            return [value] * n
        if len(value) != n:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input "
                "with spatial dimensions "
                f"of {list(input.shape[2:])} and {name} of {value}."
            )
        return list(value)

    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return [int(s) for s in each(size, "output size")], [None] * n
    factors = each(factor, "scale_factor")
    sizes = [math.floor(old * f) for old, f in zip(input.shape[2:], factors, strict=True)]
    steps = [None if recompute or mode == "area" else 1 / f for f in factors]
    return sizes, steps


@composite(where=("nn.functional",))
def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The old name of `interpolate`."""
    warnings.warn(
        "`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=2,
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


pixel_shuffle.samples(lambda t: [(t(1, 4, 2, 3), 2), (t(4, 1, 1), 2)])
pixel_unshuffle.samples(lambda t: [(t(1, 1, 4, 6), 2), (t(2, 2, 2), 2)])
interpolate.samples(
    lambda t: [
        (t(1, 2, 2, 3), {"scale_factor": 2}),
        (t(1, 1, 3, 3), {"size": (5, 4), "mode": "bilinear"}),
        (t(1, 1, 4), {"size": 7, "mode": "linear", "align_corners": True}),
        (t(1, 1, 5, 4), {"size": 2, "mode": "area"}),
        (t(1, 1, 4, 4), {"scale_factor": 1.5, "mode": "bicubic"}),
    ]
)
