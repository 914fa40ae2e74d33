"""Every instance of every elementwise kernel against its body, run plainly and watched."""

import numpy as np
import pytest

from autograd_gpu._core.manifest import KERNELS, form_of
from autograd_gpu._ops.declare import KERNELS as DECLARED

from .cases import (
    DTYPES,
    ELEMENTWISE,
    A,
    assert_same,
    bodies,
    expected,
    fill,
    instances,
    normal,
    patterns,
    run_packed,
    run_strided,
)  # fmt: skip

pytestmark = [
    pytest.mark.parametrize("dtype", DTYPES),
    pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"]),
    pytest.mark.parametrize("name", ELEMENTWISE),
]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 30.0, -30.0, np.inf, -np.inf, np.nan, 1e-30, -200.0]


@pytest.fixture
def module(compiled, name, checked):
    return compiled(KERNELS[name].file, instances(name), checked)


@pytest.mark.parametrize("shape", [(150,), (), (0,), (1,), (3, 5)], ids=str)
def test_packed(module, name, dtype, shape):
    for pattern in patterns(name):
        arguments = fill(pattern, lambda k: normal(shape, dtype, k))
        out = np.empty(shape, DTYPES[dtype])
        run_packed(module, name, dtype, arguments, out)
        assert_same(out, expected(name, dtype, arguments), dtype, pattern)


def test_packed_at_any_address(module, name, dtype):
    """An array that begins off a vector's boundary is read element by element."""
    pattern = patterns(name)[-1]
    for shifted in (0, 1):
        starts = [int(k == shifted) for k in range(6)]
        arguments = fill(pattern, lambda k: normal(41, dtype, k)[starts[k] :][:40])  # noqa: B023
        out = np.empty(41, DTYPES[dtype])[1 - shifted :][:40]
        run_packed(module, name, dtype, arguments, out)
        assert_same(out, expected(name, dtype, arguments), dtype, pattern)


def test_packed_over_an_operand(module, name, dtype):
    """The result may be written over the gradient."""
    arguments = fill(patterns(name)[0], lambda k: normal(50, dtype, k))
    wanted = expected(name, dtype, arguments)
    run_packed(module, name, dtype, arguments, arguments[0])
    assert_same(arguments[0], wanted, dtype)


def operand(k, shape, dtype):
    """In turn: transposed, broadcast over the first dimension, every second element, 0-d."""
    if k % 4 == 0:
        return normal(shape[::-1], dtype, k).T
    if k % 4 == 1:
        return normal(shape[1:], dtype, k)
    if k % 4 == 2:
        return normal((*shape[:-1], 2 * shape[-1]), dtype, k)[..., ::2]
    return normal((), dtype, k)


@pytest.mark.parametrize("large", [False, True], ids=["int", "long"])
def test_strided(module, name, dtype, large):
    shape = (4, 3, 5)
    for pattern in patterns(name):
        for turn in range(4):
            operands = [operand(k + turn, shape, dtype) for k in range(len(pattern))]
            arguments = fill(pattern, operands.__getitem__)
            wanted = expected(name, dtype, arguments)
            out = np.empty(wanted.shape, DTYPES[dtype])
            run_strided(module, name, dtype, arguments, out, large)
            assert_same(out, wanted, dtype, (pattern, turn))


@pytest.mark.parametrize("shape", [(), (0, 3), (2, 1, 1, 2, 1, 1, 3, 2)], ids=str)
def test_strided_odd_shapes(module, name, dtype, shape):
    for pattern in patterns(name):
        arguments = fill(pattern, lambda k: normal(shape[::-1], dtype, k).T)
        out = np.empty(shape, DTYPES[dtype])
        run_strided(module, name, dtype, arguments, out, large=False)
        assert_same(out, expected(name, dtype, arguments), dtype, pattern)


def special(k, dtype):
    """All combinations of the first two operands; the others in some order."""
    n = len(SPECIAL)
    index = np.arange(n * n)
    places = [index // n, index % n, (index * 7 + index // n) % n, (index * 5 + index // n) % n]
    with np.errstate(all="ignore"):
        return np.array(SPECIAL)[places[k % 4]].astype(DTYPES[dtype])


def test_special_values(module, name, dtype):
    """Zeros, infinities, NaN and values that saturate go the way they go through the body."""
    for pattern in patterns(name):
        arguments = fill(pattern, lambda k: special(k, dtype))
        wanted = expected(name, dtype, arguments)
        out = np.empty(wanted.shape, DTYPES[dtype])
        run_packed(module, name, dtype, arguments, out)
        assert_same(out, wanted, dtype, pattern)


def test_every_form_is_covered(name, checked, dtype):
    covered = set()
    for pattern in patterns(name):
        arguments = [np.zeros(1) if v is A else v for v in pattern]
        covered.add(form_of(KERNELS[name].operands(arguments)))
    assert covered == set(KERNELS[name].takes)


def test_the_body_is_in_the_table(name, checked, dtype):
    assert name in DECLARED and name in bodies()
