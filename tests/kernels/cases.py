"""Arguments for every elementwise kernel, the bodies they are compared with, and the launch."""

import inspect
import sys
from functools import cache

import ml_dtypes
import numpy as np

import autograd_gpu  # noqa: F401 - fills the table
from autograd_gpu._core.manifest import KERNELS, LAYOUT, SCALARS, Elementwise, form_of
from autograd_gpu._ops.declare import KERNELS as DECLARED
from autograd_gpu.testing.emulator import strided

DTYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16}
DTYPES = {name: np.dtype(kind) for name, kind in DTYPES.items()}
DTYPES["bfloat16"] = np.dtype(ml_dtypes.bfloat16)
WIDE = {name: np.dtype("f8" if name == "float64" else "f4") for name in DTYPES}
TOLERANCES = {
    "float32": (1e-5, 2e-6), "float64": (1e-13, 1e-14),
    "float16": (1e-3, 1e-6), "bfloat16": (8e-3, 1e-6),
}  # fmt: skip

A = "array"
PATTERNS = {
    "gelu_backward": [(A, A, None, "none"), (A, A, None, "tanh"), (A, A, A, "none")],
    "leaky_relu_backward": [(A, A, 0.01), (A, A, 1.5), (A, A, 0.0)],
    "elu_backward": [(A, A, 1.0, 1.0, 1.0), (A, A, 0.7, 1.1, 2.0)],
    "softplus_backward": [(A, A, 1, 20), (A, A, 2.5, 1.0)],
    "logit_backward": [(A, A, None), (A, A, 0.25)],
    "pow_backward": [(A, A, 3), (A, A, 2), (A, A, 2.5), (A, A, -1), (A, A, A)],
    "pow_backward_exponent": [(A, A, A, A)],
    "clamp_backward": [
        (A, A, -0.5, 0.5), (A, A, None, 0.5), (A, A, -0.5, None), (A, A, 0.5, -0.5),
        (A, A, A, A), (A, A, A, None), (A, A, None, A),
    ],
    "clamp_backward_low": [(A, A, A, None), (A, A, A, A)],
    "clamp_backward_high": [(A, A, None, A), (A, A, A, A)],
    "mse_loss_backward": [(A, A, A, "mean"), (A, A, A, "sum"), (A, A, A, "none")],
    "bce_with_logits_backward": [
        (A, A, A, None, None, "mean"), (A, A, A, A, None, "sum"), (A, A, A, None, A, "none"),
        (A, A, A, A, A, "mean"),
    ],
}  # fmt: skip
ELEMENTWISE = sorted(n for n, k in KERNELS.items() if isinstance(k, Elementwise))


def patterns(name):
    return PATTERNS.get(name, [(A, A)])


@cache
def bodies():
    """{kernel's name: the plain function}: what `@composite(kernel=...)` wraps."""
    found = {}
    for module in [m for n, m in sys.modules.items() if n.startswith("autograd_gpu._ops.")]:
        for value in vars(module).values():
            if inspect.isfunction(value) and hasattr(value, "__wrapped__"):
                kernels = inspect.getclosurevars(value).nonlocals.get("kernels")
                found |= {n: value.__wrapped__ for n, k in DECLARED.items() if k is kernels}
    return found


def expected(name, dtype, arguments):
    """The body in the type that the kernel computes in, rounded once."""
    wide = [a.astype(WIDE[dtype]) if isinstance(a, np.ndarray) else a for a in arguments]
    with np.errstate(all="ignore"):
        return np.asarray(bodies()[name](*wide)).astype(DTYPES[dtype])


def assert_same(actual, wanted, dtype, note=""):
    rtol, atol = TOLERANCES[dtype]
    wide = WIDE["float64"]
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            actual.astype(wide), wanted.astype(wide), rtol=rtol, atol=atol, err_msg=str(note)
        )


def layout_of(shape, arrays):
    """The structure that a strided kernel takes, for operands that broadcast to a shape."""
    layout = np.zeros((), LAYOUT)
    layout["ndim"] = len(shape)
    layout["shape"][: len(shape)] = shape
    for k, array in enumerate(arrays):
        if isinstance(array, np.ndarray):
            wide = np.broadcast_to(array, shape)
            layout["strides"][k, : len(shape)] = [s // array.itemsize for s in wide.strides]
    return layout


def operands_of(name, dtype, arguments):
    """(form, what is passed): numbers in the type that the kernel computes in."""
    operands = KERNELS[name].operands(arguments)
    assert operands is not None, f"{name}: no form for {arguments}"
    wide = WIDE[dtype].type
    return form_of(operands), [wide(v) if isinstance(v, (int, float)) else v for v in operands]


def run_packed(module, name, dtype, arguments, out):
    form, passed = operands_of(name, dtype, arguments)
    kernel = module.get_function(KERNELS[name].spell(form, dtype))
    kernel((2,), (32,), (out, np.int64(out.size), *passed))


def run_strided(module, name, dtype, arguments, out, large):
    form, passed = operands_of(name, dtype, arguments)
    kernel = module.get_function(KERNELS[name].spell(form + (" large" if large else " strided"), dtype))
    layout = layout_of(out.shape, passed)
    passed = [strided(v) if isinstance(v, np.ndarray) else v for v in passed]
    kernel((2,), (32,), (out, np.int64(out.size), layout, *passed))


def instances(name):
    return [e for dtype in SCALARS for e in KERNELS[name].instances(dtype)]


def normal(shape, dtype, seed=0, scale=2.0):
    values = np.random.default_rng(seed).standard_normal(shape) * scale
    return np.asarray(values).astype(DTYPES[dtype])


def fill(pattern, make):
    """A pattern with `make(k)` for its k-th array."""
    return [make(k) if value is A else value for k, value in enumerate(pattern)]
