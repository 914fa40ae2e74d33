"""Arrays of more than 2^31 elements, without their memory: pages that no kernel touches do not
exist, and of the grid only the first blocks, some in the middle and the last run."""

import numpy as np
import pytest

from autograd_gpu._core import library
from autograd_gpu._core.manifest import LAYOUT
from autograd_gpu.testing import emulator, standin
from autograd_gpu.testing.standin import creation, memory

from .conftest import require_emulator
from .test_emulator import NAMES

BEYOND = 2**31 + 5000
ROWS, WIDTH = 2**25 + 3, 65  # rows of softmax and the like: more than 2^31 elements together
f2, u1 = np.dtype("f2"), np.dtype("u1")
ENDS = slice(0, 8), slice(-8, None)


@pytest.fixture
def xp(monkeypatch):
    """The stand-in, whose kernels run the first and last blocks of a grid."""
    require_emulator()
    call = emulator.Kernel.__call__

    def sparse(self, grid, block, *args, **options):
        blocks = int(np.prod(grid))
        lasts = (blocks, blocks // 2, blocks // 16)  # 16: of bytes that are moved by sixteens
        ends = [b for b in {0, *(n - k for n in lasts for k in (1, 2))} if b >= 0]
        call(self, grid, block, *args, **(options | {"guarded": False, "blocks": ends}))

    monkeypatch.setattr(emulator.Kernel, "__call__", sparse)
    for arena in memory.ARENAS:
        monkeypatch.setattr(arena, "capacity", 1 << 40)
    monkeypatch.setattr(creation, "poison", lambda shape, dtype, order="C": np.empty(shape, dtype))
    with standin.activate(), memory.using_allocator(untouched):
        yield library.installed()


@pytest.fixture
def run(xp):
    def call(name, *args):
        return library.KERNELS[name][xp.ndarray](*args)

    return call


def untouched(size):
    """Memory whose pages come when they are used."""
    return memory.adopt(np.empty(size, np.uint8))


def marked(xp, shape, dtype, axis=0):
    """An array that holds numbers at both ends of an axis, and nothing that was ever touched
    between them; and the array itself as NumPy sees it."""
    array = xp.ndarray(shape, dtype)
    host = array._host
    for end in ENDS:
        at = (slice(None),) * axis + (end,)
        host[at] = np.random.default_rng(host[at].size).integers(-9, 10, host[at].shape) % 11
    return array, host


def test_a_block_of_a_huge_grid():
    """The emulator runs what is asked for, with the coordinates that it has on a GPU."""
    require_emulator()
    text = """extern "C" __global__ void where(long long* out) {
      long long block = blockIdx.x + (long long)gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
      atomicMax(out, block * blockDim.x + threadIdx.x);
    }"""
    kernel = emulator.Module(text, ["where"]).get_function("where")
    for schedule in ("forward", "reverse", "random"):
        out = np.zeros(1, np.int64)
        grid = (2**20, 4, 2)
        kernel(grid, (32,), (out,), blocks=[5, 2**23 - 1, 7], schedule=schedule)
        assert out[0] == 2**28 - 1


@pytest.mark.parametrize("name", ["logical_not", "logical_and"])
def test_packed(xp, run, name):
    x, host = marked(xp, (BEYOND,), bool)
    y, other = marked(xp, (BEYOND,), bool)
    out = run(name, x, y) if name == "logical_and" else run(name, x)
    for end in ENDS:
        wanted = host[end] & other[end] if name == "logical_and" else ~host[end]
        assert np.array_equal(out._host[end], wanted)


def test_packed_of_two_bytes(xp, run):
    x, host = marked(xp, (BEYOND,), f2)
    out = run("neg", x)
    for end in ENDS:
        assert np.array_equal(out._host[end], -host[end])


@pytest.mark.parametrize("shape", [(3, BEYOND // 3), (BEYOND // 3, 3)], ids=["wide", "tall"])
def test_broadcast(xp, run, shape):
    x, host = marked(xp, shape, bool, axis=int(shape[1] > 3))
    y, other = marked(xp, shape[1:], bool)
    out = run("logical_xor", x, y)
    for row in (0, -1):
        for end in ENDS:
            assert np.array_equal(out._host[row, end], host[row, end] ^ other[end])


def test_transposed(xp, run):
    """Offsets beyond 2^31 from indices that are below."""
    x, host = marked(xp, (2, BEYOND), bool, axis=1)
    out = run("logical_not", x[:, -9:].T)
    assert np.array_equal(out._host, ~host[:, -9:].T)


def test_strided_pair_far_apart(xp, run):
    x, host = marked(xp, (BEYOND,), bool)
    out = run("logical_not", x[:: BEYOND - 1])
    assert np.array_equal(out._host, ~host[:: BEYOND - 1])


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_rows(xp, run, name):
    x, host = marked(xp, (ROWS, WIDTH), f2)
    out = run(name, x, 1)
    for row in (0, -1):
        e = np.exp(host[row].astype("f8"))
        wanted = e / e.sum() if name == "softmax" else np.log(e / e.sum())
        np.testing.assert_allclose(out._host[row], wanted, rtol=2e-3, atol=1e-5)


def test_columns(xp, run):
    x, host = marked(xp, (2**12 + 1, 3, 2**18), f2)
    out = run("softmax", x, 1)
    e = np.exp(host[-1, :, -40:].astype("f8"))
    np.testing.assert_allclose(out._host[-1, :, -40:], e / e.sum(0), rtol=2e-3, atol=1e-5)


def test_sums_of_rows(xp, run):
    x, host = marked(xp, (ROWS, WIDTH), f2)
    out = run("sum", x, 1)
    for row in (0, -1):
        assert out._host[row] == host[row].astype("f8").sum()


def test_layer_norm(xp, run):
    x, host = marked(xp, (ROWS, WIDTH), f2)
    out = run("layer_norm", x, None, None, (WIDTH,), 1e-5)
    out = out[0] if isinstance(out, tuple) else out
    for row in (0, -1):
        v = host[row].astype("f8")
        wanted = (v - v.mean()) / np.sqrt(v.var() + 1e-5)
        np.testing.assert_allclose(out._host[row], wanted, rtol=2e-3, atol=2e-3)


def test_index_select(xp, run):
    """A few lines from anywhere in a huge array; and a huge result."""
    x, host = marked(xp, (BEYOND,), u1)
    index = np.array([0, BEYOND - 1, -2, 5, -BEYOND])
    out = run("index_select", x, (xp.array(index),))
    assert np.array_equal(out._host, host[index])
    y, lines = marked(xp, (3, 10, 2**27), u1, axis=2)
    out = run("index_select", y, (slice(None), xp.array(index[:4] % 10)))
    assert np.array_equal(out._host[0, 0, :8], lines[0, 0, :8])
    assert np.array_equal(out._host[-1, -1, -8:], lines[-1, 5, -8:])


@pytest.mark.parametrize("shape", [(BEYOND,), (5, 2**30 // 2)], ids=["line", "rows"])
def test_gather(xp, run, shape):
    x, host = marked(xp, shape, u1, axis=len(shape) - 1)
    index = np.broadcast_to(np.array([0, shape[-1] - 1, 3]), (*shape[:-1], 3))
    out = run("gather", x, xp.array(index), len(shape) - 1)
    assert np.array_equal(out._host, np.take_along_axis(host, index, -1))


@pytest.mark.parametrize("index", ["int", "long long"])
def test_offsets_on_virtual_shapes(in_order, index):
    """find_offsets itself, beyond what 32 bits hold: of no array, but of its shape and strides."""
    for checked in (False, True):
        kernel = in_order("healthy.cu", NAMES, checked).get_function(f"offsets<{index}>")
        offsets_agree(kernel, index)


def offsets_agree(kernel, index):
    rng = np.random.default_rng(7)
    for _ in range(40):
        ndim = int(rng.integers(1, 9))
        most = 40 if index == "long long" else 30
        shape = 2 ** rng.integers(0, most // ndim + 1, ndim) + rng.integers(0, 2, ndim)
        strides = rng.integers(-(2 ** (most // ndim)), 2 ** (most // ndim), (2, ndim))
        layout = np.zeros((), LAYOUT)
        layout["ndim"], layout["shape"][:ndim] = ndim, shape
        layout["strides"][:2, :ndim] = strides
        total = int(np.prod(shape.astype(object)))
        last = int(np.abs(strides.astype(object) * (shape - 1)).sum(1).max())
        if max(total, last) >= (2**31 if index == "int" else 2**62):
            continue
        first, n = max(0, total - 50), min(50, total)
        out = np.zeros((n, 2), np.int64 if index == "long long" else np.int32)
        kernel((1,), (64,), (layout, out, np.int64(first), np.int64(n)))
        places = np.unravel_index(np.arange(first, first + n), shape)
        wanted = [sum(p * int(s) for p, s in zip(places, row, strict=True)) for row in strides]
        assert np.array_equal(out, np.stack(wanted, 1))


def test_the_checker_would_see_an_index_of_32_bits(in_order):
    """The same shapes with the narrow type of index: the product that overflows is reported."""
    kernel = in_order("healthy.cu", NAMES, True).get_function("offsets<int>")
    layout = np.zeros((), LAYOUT)
    layout["ndim"], layout["shape"][:2] = 2, (70_000, 2)
    layout["strides"][:2, :2] = (70_000, 1)
    args = (layout, np.zeros((2, 2), np.int32), np.int64(139_998), np.int64(2))
    with pytest.raises(emulator.KernelError, match="overflow of a signed integer: 69999 . 70000"):
        kernel((1,), (32,), args)


