"""What the emulator offers of CUDA gives what CUDA gives, under every schedule."""

from concurrent.futures import ThreadPoolExecutor

import ml_dtypes
import numpy as np
import pytest

from autograd_gpu._core.manifest import LAYOUT
from autograd_gpu.testing.emulator import strided

HALVES = {"__half": np.float16, "__nv_bfloat16": ml_dtypes.bfloat16}
FLOATS = {"float": np.float32, "double": np.float64} | HALVES
NAMES = (
    ["warp_talk", "integers", "coordinates", "by_value", "indirect"]
    + [f"{k}<{t}>" for k in ("tree_sum", "scatter_add") for t in FLOATS]
    + ["block_sum<float>", "block_sum<double>", "offsets<int>", "offsets<long long>"]
    + [f"round_trip<{t}>" for t in HALVES]
)
f4, i4, i8 = np.float32, np.int32, np.int64


@pytest.fixture(params=[False, True], ids=["plain", "checked"])
def kernel(compiled, request):
    return compiled("healthy.cu", NAMES, request.param).get_function


every_schedule = pytest.mark.parametrize("schedule", ["forward", "reverse", "random"])


@every_schedule
@pytest.mark.parametrize("kind", FLOATS)
def test_dynamic_shared_memory(kernel, schedule, kind):
    x = np.arange(3 * 64).reshape(3, 64).astype(FLOATS[kind])
    out = np.zeros(3, FLOATS[kind])
    wide = 8 if kind == "double" else 4
    kernel(f"tree_sum<{kind}>")((3,), (64,), (x, out), 64 * wide, schedule=schedule, seed=4)
    assert np.array_equal(out, x.astype(f4).sum(1).astype(out.dtype))


@every_schedule
@pytest.mark.parametrize("kind", ["float", "double"])
def test_block_reduce(kernel, schedule, kind):
    x = np.arange(2 * 160).reshape(2, 160).astype(FLOATS[kind])
    out = np.zeros(2, x.dtype)
    kernel(f"block_sum<{kind}>")((2,), (160,), (x, out), schedule=schedule, seed=1)
    assert np.array_equal(out, x.sum(1))


@pytest.mark.parametrize("kind", FLOATS)
def test_atomics(kernel, kind):
    dtype = FLOATS[kind]
    x, index = np.ones(100, dtype), (np.arange(100) % 7).astype(i4)
    out = np.zeros(7, dtype)
    kernel(f"scatter_add<{kind}>")((4,), (32,), (x, index, out, i8(100)))
    assert np.array_equal(out.astype(int), np.bincount(index))


def test_warp_operations(kernel):
    x = (np.arange(64) * 3 + 1).astype(i4)
    out = np.zeros((6, 64), i4)
    kernel("warp_talk")((1,), (64,), (x, out))
    for warp in range(2):
        a, got, lane = x[warp * 32 :][:32], out[:, warp * 32 :][:, :32], np.arange(32)
        assert (got[0] == a[3]).all()
        assert np.array_equal(got[1], a[np.where(lane < 2, lane, lane - 2)])
        assert np.array_equal(got[2], a[np.where(lane % 16 >= 14, lane, np.minimum(lane + 2, 31))])
        assert np.array_equal(got[3], a[lane ^ 5])
        votes = sum(1 << k for k in range(32) if a[k] % 2)
        assert (got[4].view(np.uint32) == votes).all()
        assert (got[5] == int((a == 3).any()) + 2).all()


def test_integer_intrinsics(kernel):
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 2**32, (2, 32), dtype=np.uint32)
    out = np.zeros((4, 32), np.uint32)
    kernel("integers")((1,), (32,), (a, b, out))
    for i in range(32):
        x, y = int(a[i]), int(b[i])
        wanted = [x * y >> 32, x * y & 0xFFFFFFFF, x.bit_count() + 100 * (32 - y.bit_length())]
        assert out[:, i].tolist() == [*wanted, x & 0x3FFFFFFF]


@pytest.mark.parametrize("kind", HALVES)
def test_halves_round_as_numpy_does(kernel, kind):
    bits = np.arange(0, 2**16, 37, dtype=np.uint16).view(HALVES[kind])
    edges = np.array([65519.9, 65520, 3e38, 1e-8, 6e-8, 0, -0.0], f4)
    with np.errstate(all="ignore"):
        x = bits.astype(f4)
        x = np.concatenate([x, x * f4(1.0004883), x * f4(0.9999), x[:-1] / 2 + x[1:] / 2, edges])
        wanted = x.astype(HALVES[kind])
    out, back = np.zeros_like(wanted), np.zeros_like(x)
    blocks = -(-x.size // 256)
    kernel(f"round_trip<{kind}>")((blocks,), (256,), (x, out, back, i4(x.size)))
    number = ~np.isnan(x)
    assert np.array_equal(out.view(np.uint16)[number], wanted.view(np.uint16)[number])
    assert np.array_equal(back[number], wanted.astype(f4)[number])
    assert np.isnan(back[~number]).all()


def test_three_dimensions(kernel):
    out = np.zeros((24, 60), i4)
    kernel("coordinates")((2, 3, 4), (5, 4, 3), (out,))
    assert np.array_equal(out, np.arange(24)[:, None] * 1000 + np.arange(60))


def test_structures(kernel):
    line = np.zeros((), [("slope", "f8"), ("offset", "f4"), ("steps", "i4", 3)])
    line["slope"], line["offset"], line["steps"] = 2, 0.5, (1, 2, 3)
    out = np.zeros(3, f4)
    kernel("by_value")((1,), (3,), (line, out))
    assert out.tolist() == [1.5, 22.5, 304.5]


def test_pointers_in_structures(kernel):
    x, y = np.arange(8, dtype=f4), np.zeros(8, f4)
    pair = np.zeros((), [("from", "u8"), ("to", "u8")])
    pair["from"], pair["to"] = x.ctypes.data, y.ctypes.data
    kernel("indirect")((1,), (8,), (pair,), also=[x, y])
    assert np.array_equal(x, y)


def test_arrays_that_overlap_stay_together(kernel):
    """What is written through one view is what another view of the same memory then holds."""
    memory = np.arange(12, dtype=f4)
    index = np.arange(4, 8, dtype=i4)
    kernel("scatter_add<float>")((1,), (32,), (memory[:8], index, memory[4:], i8(4)))
    assert memory[8:].tolist() == [8, 10, 12, 14]


def test_strides_may_be_any(kernel):
    """An array from the middle of another, backwards, is found where it is."""
    memory = np.arange(20, dtype=f4)
    view = memory[15:5:-1]
    out = np.zeros(1, f4)
    kernel("scatter_add<float>")((1,), (1,), (strided(view), np.zeros(1, i4), out, i8(1)))
    assert out[0] == 15


@pytest.mark.parametrize("kind", ["int", "long long"])
def test_offsets_of_large_arrays(kernel, kind):
    """Offsets are right beyond 2^31, where the index type is wide: on shapes without memory."""
    big = 2**20 if kind == "long long" else 100
    shape, strides = (big, 3, 5), [(15 * big, 5, 1), (0, big, 3 * big)]
    layout = np.zeros((), LAYOUT)
    layout["ndim"], layout["shape"][:3] = 3, shape
    layout["strides"][:2, :3] = strides
    first = int(np.prod(shape)) - 8
    dtype = i8 if kind == "long long" else i4
    out = np.zeros((8, 2), dtype)
    kernel(f"offsets<{kind}>")((1,), (32,), (layout, out, i8(first), i8(8)))
    for k in range(8):
        place = np.unravel_index(first + k, shape)
        wanted = [int(np.dot([int(p) for p in place], row)) for row in strides]
        assert out[k].tolist() == wanted
    assert kind == "int" or out.max() > 2**31


def test_threads_of_the_program_may_launch(compiled):
    """Each has shared memory of its own, and launches wait for one another."""
    run = compiled("healthy.cu", NAMES, True).get_function("block_sum<double>")
    x = np.arange(4 * 64, dtype=np.float64).reshape(4, 64)

    def launch(_):
        out = np.zeros(4)
        run((4,), (64,), (x, out))
        return out

    with ThreadPoolExecutor(4) as pool:
        for out in pool.map(launch, range(12)):
            assert np.array_equal(out, x.sum(1))
