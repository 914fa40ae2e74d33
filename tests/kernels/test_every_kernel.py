"""Every elementwise kernel, launched on the stand-in device, against its body: every form, type and
layout, run in order, in disorder, and with every access watched."""

import numpy as np
import pytest

from autograd_gpu._core.library import KERNELS as DECLARED
from autograd_gpu._core.library import LAUNCHERS, installed
from autograd_gpu._core.manifest import KERNELS
from autograd_gpu.testing import standin

from .cases import (
    ABOUT,
    ELEMENTWISE,
    EVERY_DTYPE,
    B,
    S,
    assert_same,
    bodies,
    expected,
    fill,
    normal,
    patterns,
)  # fmt: skip
from .launched import launching

SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 30.0, -30.0, np.inf, -np.inf, np.nan, 1e-30, -200.0]
WHOLE = [0, 1, -1, 2, 3, -7, 100, np.iinfo("i4").max, np.iinfo("i4").min]


def cases(*ways):
    """Every kernel in every type, plainly; the other ways in fewer types, since the template that
    reaches for memory is one for all."""
    few = ("add", "where", "lt", "tanh_backward")
    return pytest.mark.parametrize(("name", "dtype", "way"), [
        pytest.param(name, dtype, way, id=f"{name}-{dtype}-{way}")
        for way in ways
        for dtype in EVERY_DTYPE
        for name in ELEMENTWISE
        if dtype in KERNELS[name].dtypes
        and (way == "plain" or dtype in ("float32", "bool") or name in few)
    ])  # fmt: skip


@pytest.fixture
def device(way):
    with launching(way):
        yield standin


def device_view(array):
    """An array of the device with the same strides, within memory as large as needed."""
    if array.base is None:
        return standin.asarray(array)
    base = array
    while base.base is not None:
        base = base.base
    offset = array.ctypes.data - base.ctypes.data
    memory = standin.asarray(base.reshape(-1))
    return standin.ndarray(array.shape, array.dtype, memory.data + offset, array.strides)


def compare(name, dtype, arguments):
    """What the launching function returns, beside what the body does."""
    wanted = expected(name, dtype, arguments)
    given = [device_view(a) if isinstance(a, np.ndarray) else a for a in arguments]
    out = LAUNCHERS[name](installed(), *given)
    assert out is not NotImplemented, f"declined {arguments}"
    out = out[0] if KERNELS[name].extras else out
    if name == "pow_backward":  # the body's zeros, for an exponent of 0, do not broadcast
        wanted = np.broadcast_to(wanted, out.shape)
    assert_same(out.get(), wanted, dtype, arguments, ABOUT.get(name, 1))


def of_kind(kind, shape, dtype, k):
    return normal(() if kind == S else shape, "bool" if kind == B else dtype, k)


def laid(kind, k, shape, dtype):
    """In turn: transposed, broadcast over the first dimension, every second element, 0-d."""
    if k % 4 == 0:
        return of_kind(kind, shape[::-1], dtype, k).T
    if k % 4 == 1:
        return of_kind(kind, shape[1:], dtype, k)
    if k % 4 == 2 and kind != S:
        return of_kind(kind, (*shape[:-1], 2 * shape[-1]), dtype, k)[..., ::2]
    return of_kind(kind, (), dtype, k)


def special(kind, k, dtype):
    """All combinations of the first two operands; the others in some order."""
    values = np.array(SPECIAL if EVERY_DTYPE[dtype].kind in "fV" else WHOLE)
    n = len(values)
    index = np.arange(n * n)
    places = [index // n, index % n, (index * 7 + index // n) % n, (index * 5 + index // n) % n]
    with np.errstate(all="ignore"):
        found = values[places[k % 4]].astype("bool" if kind == B else EVERY_DTYPE[dtype])
    return found[n : n + 1].reshape(()) if kind == S else found


@cases("plain", "random", "checked")
def test_kernel(device, name, dtype, way):
    shapes = [(1100,), (), (0,), (1,), (3, 5)] if way == "plain" else [(300,)]
    for pattern in patterns(name, dtype):
        for shape in shapes:
            compare(name, dtype, fill(pattern, lambda k, kind: of_kind(kind, shape, dtype, k)))  # noqa: B023
        compare(name, dtype, fill(pattern, lambda k, kind: special(kind, k, dtype)))


@cases("plain", "checked")
def test_at_any_address(device, name, dtype, way):
    """Arrays that begin off a vector's boundary, all or but one of them."""
    for odd in (None, 0, 1):
        def part(kind, k):
            array = of_kind(kind, (42,), dtype, k)
            return array if kind == S else array[1:] if k != odd else array[:41]  # noqa: B023

        arguments = fill(patterns(name, dtype)[-1], lambda k, kind: part(kind, k))
        compare(name, dtype, arguments)


@cases("plain", "checked")
def test_any_layout(device, name, dtype, way):
    for pattern in patterns(name, dtype):
        for turn in range(4 if way == "plain" and dtype == "float32" else 1):
            compare(name, dtype, fill(
                pattern, lambda k, kind: laid(kind, k + turn, (4, 3, 5), dtype)  # noqa: B023
            ))  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_every_form_is_covered(name):
    covered = set()
    for pattern in patterns(name):
        arguments = fill(pattern, lambda k, kind: np.zeros((), bool if kind == B else float))
        covered.add("".join(
            "n" if isinstance(v, (int, float)) else "b" if v.dtype == bool else "a"
            for v in KERNELS[name].operands(arguments)
        ))  # fmt: skip
    assert covered == set(KERNELS[name].takes)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_body_is_in_the_table(name):
    assert name in DECLARED and name in bodies()
