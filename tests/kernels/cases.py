"""Arguments for every elementwise kernel, and the bodies that they are compared with."""

import sys
from functools import cache

import ml_dtypes
import numpy as np

import autograd_gpu  # noqa: F401 - fills the table
from autograd_gpu._core.manifest import KERNELS, SCALARS, Elementwise
from autograd_gpu._ops.registry import REGISTRY

DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16}
DTYPES = {name: np.dtype(kind) for name, kind in DTYPES.items()}
DTYPES["bfloat16"] = np.dtype(ml_dtypes.bfloat16)
EVERY_DTYPE = DTYPES | {name: np.dtype(name) for name in ("int64", "int32", "bool", "uint8")}
WIDE = {name: np.dtype("f8" if name == "float64" else "f4") for name in DTYPES}
TOLERANCES = {
    "float32": (1e-5, 2e-6), "float64": (1e-13, 1e-14),
    "float16": (1e-3, 1e-6), "bfloat16": (8e-3, 1e-6),
}  # fmt: skip

A, B, S = "array", "mask", "scalar"  # of the device, the last without dimensions
REDUCTIONS = ("mean", "sum", "none")
ABOUT = {"gelu_backward": 4, "sinc_backward": 40, "atan2": 2, "tan": 4, "lgamma": 8, "pow_tensor": 2, "pow_backward_exponent": 2}
"""By how much more a kernel may differ, whose errors grow with its result or near its zeros."""
PATTERNS = {
    "clamp": [(A, -0.5, 0.5), (A, None, 0.5), (A, -0.5, None), (A, 0.5, -0.5), (A, A, A)],
    "gelu": [(A, "none"), (A, "tanh")],
    "div_rounded": [(A, A, "floor"), (A, A, "trunc"), (A, -2.5, "floor"), (A, 2.5, "trunc")],
    "logit": [(A, None), (A, 0.25)],
    "round": [(A, 0)],
    "masked_fill": [(A, B, 0), (A, B, 3), (A, B, S)],
    "softshrink": [(A, 0.5), (A, 0.0)],
    "celu": [(A, 0.7), (A, -1.5)],
    "gelu_backward": [(A, A, None, "none"), (A, A, None, "tanh"), (A, A, A, "none")],
    "logit_backward": [(A, A, None), (A, A, 0.25)],
    "clamp_backward": [
        (A, A, -0.5, 0.5), (A, A, None, 0.5), (A, A, -0.5, None), (A, A, 0.5, -0.5), (A, A, A, A),
    ],
    "clamp_backward_low": [(A, A, A, None), (A, A, A, A)],
    "clamp_backward_high": [(A, A, None, A), (A, A, A, A)],
    "mse_loss_backward": [(A, A, A, r) for r in REDUCTIONS],
    "huber_loss_backward": [(A, A, A, r, 0.7) for r in REDUCTIONS],
    "smooth_l1_loss_backward": [(A, A, A, r, b) for r in REDUCTIONS for b in (0.7, 0.0)],
    "soft_margin_loss_backward": [(A, A, A, r) for r in REDUCTIONS],
    "bce_backward": [(A, A, A, None, "mean"), (A, A, A, A, "sum"), (A, A, A, None, "none")],
    "bce_with_logits_backward": [
        (A, A, A, None, None, "mean"), (A, A, A, A, None, "sum"), (A, A, A, None, A, "none"),
    ],
}  # fmt: skip
NUMBERS = {
    "add": [(1,), (2,)], "sub": [(1,), (2,)], "leaky_relu": [(0.01,), (1.5,), (0.0,)],
    "elu": [(1.0,), (0.7,)], "threshold": [(0.5, -3.0)], "hardtanh": [(-1.0, 1.0), (0.0, 6.0)],
    "softplus": [(1, 20), (2.5, 1.0)], "pow_number": [(2,), (0.5,), (3,), (2.5,), (-1,), (0,)],
    "rpow": [(2.5,), (0.0,), (-1.5,), (2,)], "lerp": [(0.3,), (0.7,), (2.0,)],
    "erf_backward": [(1.1,)], "rpow_backward": [(2.5,), (0,), (-1.5,)],
    "leaky_relu_backward": [(0.01,), (1.5,), (0.0,)], "hardtanh_backward": [(-1.0, 1.0)],
    "elu_backward": [(1.0, 1.0, 1.0), (0.7, 1.1, 2.0)],
    "softplus_backward": [(1, 20), (2.5, 1.0)], "pow_backward": [(3,), (2,), (2.5,), (-1,), (0,)],
}  # fmt: skip
ELEMENTWISE = sorted(n for n, k in KERNELS.items() if isinstance(k, Elementwise))


def patterns(name, dtype="float32"):
    """The arguments of a body: arrays (A), masks (B), and what else it takes."""
    if name in PATTERNS:
        return [tuple(_of(dtype, v) for v in each) for each in PATTERNS[name]]
    found = []
    for form in KERNELS[name].takes:
        count = form.count("n")
        for numbers in NUMBERS.get(name, [(2, 3, 1)]) if count else [()]:
            rest = iter((*numbers, 3, 3)[:count] if name not in ("add", "sub", "rsub") else
                        (*(3,) * (count - 1), *numbers[:1]))  # fmt: skip
            kinds = {"a": lambda: A, "b": lambda: B, "n": lambda: next(rest)}  # noqa: B023
            found.append(tuple(_of(dtype, kinds[letter]()) for letter in form))
    return found


def _of(dtype, value):
    return bool(value) if dtype == "bool" and value.__class__ is int else value


@cache
def bodies():
    """{kernel's name: the plain function}: what `@composite(kernel=...)` wraps, or the forward of
    an op."""
    found = {}
    for entry in REGISTRY.values():
        if getattr(entry, "kernel", None):
            found.setdefault(entry.kernel, _forward(entry))
    for module in [m for n, m in sys.modules.items() if n.startswith("autograd_gpu._ops.")]:
        for value in vars(module).values():
            if hasattr(value, "kernel_name"):
                found[value.kernel_name] = value.__wrapped__
    return found


def _forward(op):
    def body(*arguments):
        pairs = list(zip(op.params, arguments, strict=False))
        named = {name: value for name, value in pairs if name in op.keywords}
        return op.forward(np, *[v for name, v in pairs if name not in op.keywords], **named)

    return body


def expected(name, dtype, arguments):
    """The body in the type that the kernel computes in, rounded once."""
    wide = WIDE.get(dtype)
    given = [
        a.astype(wide) if isinstance(a, np.ndarray) and a.dtype.kind in "fV" else a
        for a in arguments
    ]
    with np.errstate(all="ignore"):
        out = bodies()[name](*given)
        row = KERNELS[name]
        if isinstance(row, Elementwise) and row.extras:
            out = out[0]
        masked = isinstance(row, Elementwise) and row.result == "bool"
        return np.asarray(out).astype("bool" if masked else EVERY_DTYPE[dtype])


def assert_same(actual, wanted, dtype, note="", scale=1):
    assert actual.shape == wanted.shape and actual.dtype == wanted.dtype
    if wanted.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, wanted, err_msg=str(note))
        return
    rtol, atol = TOLERANCES[dtype]
    wide = WIDE["float64"]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            actual.astype(wide), wanted.astype(wide), rtol=scale * rtol, atol=scale * atol,
            err_msg=str(note),
        )  # fmt: skip


def instances(name):
    return [e for dtype in SCALARS for e in KERNELS[name].instances(dtype)]


def normal(shape, dtype, seed=0, scale=2.0):
    """Normal numbers, of integers whole ones, of bool coins."""
    values = np.random.default_rng(seed).standard_normal(shape) * scale
    if dtype == "bool":
        return np.asarray(values > 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(values).astype(EVERY_DTYPE[dtype])


def fill(pattern, make):
    """A pattern with `make(k, kind)` for its k-th value where that is an array."""
    return [make(k, value) if value in (A, B, S) else value for k, value in enumerate(pattern)]
