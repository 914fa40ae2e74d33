"""The stand-in against CuPy itself: what is refused, and of what is returned the type, the shape,
the strides and whose memory it is."""

import itertools

import numpy as np
import pytest

from autograd_gpu.testing import standin
from autograd_gpu.testing.standin.surface import module_rows

from .audit import call_of, differences

bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
DTYPES = ("bool", "int8", "uint64", "float16", bfloat16, "float32", "complex64")
NUMBERS = (1, 1.5, 1j, True, np.float32(1), np.int64(1))
LAYOUTS = {"float32": [(3, 4), (0, 4), ()], bfloat16: [(3, 4)], "int32": [(3, 4)], "bool": [(3, 4)]}

# Functions of complex numbers that CuPy lets through, without a meaning; the stand-in refuses them.
MEANINGLESS = {"arctan2", "atan2", "copysign", "hypot", "nextafter", "i0"}


def unexpected(calls, real, stricter=lambda call: False):
    """Differences, but for calls that the stand-in alone refuses where `stricter` says that it may."""
    found = differences(calls, real)
    return [str(d) for d in found if d.standin.kind != "raised" or not stricter(d.call)]


def test_ufuncs_of_every_pair_of_types(real):
    arrays = [standin.zeros(2, d) for d in DTYPES]
    calls = []
    for name, row in module_rows("").items():
        if "ufunc" in row and row["nin"] == 1:
            calls += [call_of(name, a) for a in (*arrays, *NUMBERS)]
        elif "ufunc" in row:
            calls += [call_of(name, a, b) for a, b in itertools.product(arrays, repeat=2)]
            calls += [call_of(name, a, n) for a, n in itertools.product(arrays, NUMBERS[:3])]
            calls += [call_of(name, n, a) for a, n in itertools.product(arrays[::4], NUMBERS)]
    assert len(calls) > 3000
    assert unexpected(calls, real, stricter=lambda call: call.name in MEANINGLESS) == []


def test_keywords_and_methods_of_ufuncs(real):
    x, d, i, m = (standin.zeros((3, 4), t) for t in ("float32", "float64", "int64", "bool"))
    at = standin.zeros(2, "int64")
    calls = []
    for name in ("add", "multiply", "maximum", "subtract", "logical_or", "equal"):
        for words in (
            {"out": x}, {"out": (x,)}, {"out": d}, {"where": m}, {"dtype": np.dtype("float64")},
            {"order": "C"}, {"casting": "unsafe", "out": x}, {"axis": 0}, {"out": None},
        ):  # fmt: skip
            calls += [call_of(name, x, x, **words), call_of(name, x, 1.5, **words)]
        calls += [call_of(name, x, d, x), call_of(name, x), call_of(name, x, x, x, x)]
        calls += [call_of(f"{name}.{m}", x, 0) for m in ("reduce", "accumulate")]
        calls += [call_of(f"{name}.at", a, at, 1) for a in (x, d, i)]
        calls += [call_of(f"{name}.outer", x, x), call_of(f"{name}.reduceat", x, at, 0)]
    assert unexpected(calls, real) == []


KEYS = [
    0, -1, 3, slice(None), slice(0, 2), slice(None, None, -1), None, ..., (), (0, 0), (0, slice(None)),
    (..., 0), (None, 0), (..., ...), (0, 0, 0), [0, 1], [], ([0, 1], [0, 1]), ([0], 0), "a",
    np.array([0, 1]), np.int64(1), False, [[0, 1], [1, 0]], (np.array([0, 1]), [0, 1]),
]  # fmt: skip


def keys():
    """Indices with and without device arrays."""
    at, grid, one = standin.zeros(2, "int64"), standin.zeros((2, 1), "int64"), standin.zeros((), "int64")
    mask, row = standin.zeros((3, 4), "bool"), standin.zeros(3, "bool")
    small, real_ = standin.zeros(2, "uint8"), standin.zeros(2, "float32")
    return [
        *KEYS, at, (at, at), (at, 0), (slice(None), at), (at, slice(None)), (grid, at), grid, one,
        (one, one), (slice(None), one), mask, row, (row, 0), (row, slice(None)), small, real_,
        standin.zeros(0, "int64"), (at, None), (0, at, 0), [at, at], slice(at, None),
    ]  # fmt: skip


def test_indexing(real):
    arrays = [standin.zeros((3, 4), "float32"), standin.zeros((3, 4), bfloat16).T, standin.zeros(4)]
    calls = [call_of("ndarray.__getitem__", a, key) for a in arrays for key in keys()]
    assert unexpected(calls, real) == []


def test_writing_by_index(real):
    x = standin.zeros((3, 4), "float32")
    values = [
        1, 1.5, 1j, True, np.float32(1), np.array(1.0), np.ones(4), "a", None, x, x.astype("int64"),
        x.astype(bfloat16), standin.zeros(4), standin.zeros(()), standin.zeros(5),
    ]  # fmt: skip
    calls = [call_of("ndarray.__setitem__", x, key, v) for key in keys() for v in values]

    def stricter(call):
        """CuPy writes arrays of the host by an array's indices, and anything by a mask of zeros."""
        _, key, value = call.args
        masked = key[:2] in (("array", np.dtype(bool)), ("value", "bool"))
        return value[0] == "numpy" or masked or key[0] == "tuple" and ("array", np.dtype(bool)) in [
            part[:2] for part in key[1:]
        ]

    assert unexpected(calls, real, stricter) == []


def test_operators(real):
    arrays = [standin.zeros((4, 4), t) for t in ("float32", "int32", "bool", "float16", bfloat16)]
    others = [*arrays, *NUMBERS, np.zeros((4, 4)), [1.0], "a", standin.zeros(4), standin.zeros(())]
    names = (
        "add", "radd", "iadd", "sub", "mul", "truediv", "itruediv", "floordiv", "mod", "pow",
        "rpow", "ipow", "matmul", "and", "lshift", "eq", "lt", "divmod",
    )  # fmt: skip
    calls = [
        call_of(f"ndarray.__{name}__", a, b) for name in names for a in arrays for b in others
        if name != "matmul" or "bool" not in (str(a.dtype), str(getattr(b, "dtype", "")))
    ]
    for name in ("neg", "pos", "abs", "invert", "bool", "int", "float", "complex", "len", "iter"):
        shapes = [standin.zeros(s, t) for s in ((2, 2), (1,), ()) for t in ("float32", "int64")]
        calls += [call_of(f"ndarray.__{name}__", a) for a in shapes]
    assert unexpected(calls, real) == []


REDUCTIONS = (
    "sum", "prod", "max", "min", "mean", "std", "var", "all", "any", "argmax", "argmin", "ptp",
    "cumsum", "cumprod", "argsort",
)  # fmt: skip


def test_reductions_as_functions_and_methods(real):
    calls = []
    for dtype, shapes in LAYOUTS.items():
        for x in (a for s in shapes for a in (standin.zeros(s, dtype), standin.zeros(s, dtype).T)):
            for name, prefix in itertools.product(REDUCTIONS, ("", "ndarray.")):
                words = [{}, {"axis": 0}, {"axis": -1}, {"axis": 1, "keepdims": True}]
                words += [{"axis": (0, 1)}, {"dtype": np.dtype("float64")}, {"where": x}, {"initial": 0}]
                calls += [call_of(prefix + name, x, **w) for w in words]

    def stricter(call):
        """CuPy takes several dimensions where NumPy takes one."""
        return call.name.split(".")[-1] in ("argmax", "argmin")

    assert unexpected(calls, real, stricter) == []


def test_shapes_and_copies(real):
    x, at = standin.zeros((2, 3, 4), "float32"), standin.zeros(2, "int64")
    half, grid = standin.zeros((3, 4), bfloat16), standin.zeros((3, 4), "float32")
    mask = standin.zeros((3, 4), "bool")
    calls = [
        call_of("reshape", x, (6, 4)), call_of("reshape", x.T, -1), call_of("ravel", x.T),
        call_of("transpose", x, (2, 0, 1)), call_of("moveaxis", x, 0, 2), call_of("swapaxes", x, 0, 1),
        call_of("expand_dims", x, 1), call_of("squeeze", x[:1]), call_of("broadcast_to", grid, (5, 3, 4)),
        call_of("concatenate", [grid, half]), call_of("stack", [grid, grid], 1), call_of("tile", grid, (2, 1)),
        call_of("repeat", grid, 2, 1), call_of("flip", x, 1), call_of("roll", x, 1, 0),
        call_of("take", x, at, 1), call_of("take", x, at), call_of("where", mask, half, half),
        call_of("where", mask, grid, 0.5), call_of("clip", half, 0, 1), call_of("clip", half, 0, None),
        call_of("clip", grid, None, 1), call_of("tril", half), call_of("triu", grid, 1),
        call_of("round", half), call_of("sort", grid.T, 0), call_of("argsort", x, 1), call_of("diag", grid),
        call_of("zeros_like", x.T), call_of("full_like", x, 2.0), call_of("empty_like", x.T),
        call_of("copy", x.T), call_of("ndarray.copy", x.T), call_of("ndarray.copy", x, order="F"),
        call_of("ndarray.astype", x.T, "float64"), call_of("ndarray.astype", x, "float32", copy=False),
        call_of("ascontiguousarray", x.T), call_of("ascontiguousarray", x), call_of("asarray", x, "float64"),
        call_of("array", x), call_of("array", x, "float64", copy=False), call_of("asarray", np.ones(3)),
        call_of("ndarray.view", x, "int32"), call_of("ndarray.flatten", x.T), call_of("ndarray.T", x),
        call_of("diagonal", grid), call_of("trace", grid), call_of("cumsum", x, 1), call_of("cumsum", x.T, 0),
        call_of("einsum", "ij,kj->ik", grid, grid), call_of("tensordot", grid, grid.T, 1),
        call_of("matmul", x, x.swapaxes(1, 2)), call_of("dot", grid, grid.T), call_of("dot", grid, 1.0),
        call_of("pad", grid, ((1, 1), (0, 2))), call_of("split", grid, 2, 1), call_of("meshgrid", at, at),
        call_of("arange", 5), call_of("linspace", 0.0, 1.0, 5), call_of("eye", 3), call_of("tri", 3),
        call_of("searchsorted", at, at), call_of("bincount", at, minlength=4), call_of("nonzero", grid),
        call_of("unique", at, return_counts=True), call_of("isin", at, at), call_of("allclose", x, x),
        call_of("linalg.inv", grid[:, :3]), call_of("linalg.solve", grid[:, :3], grid),
        call_of("linalg.svd", grid, full_matrices=False), call_of("linalg.qr", grid),
        call_of("linalg.cholesky", grid), call_of("linalg.slogdet", grid[:, :3]),
    ]  # fmt: skip
    assert unexpected(calls, real) == []
