"""Arithmetic on places beyond 31 and 32 bits, without arrays of that size: the functions that find
an element's place, and the numbers of windows, in kernels of this file."""

import numpy as np
import pytest

from autograd_gpu._core.manifest.im2col import GRID
from autograd_gpu._core.manifest.pool import POOL_LINE
from autograd_gpu._core.sources import kernel_folder
from autograd_gpu.testing.emulator import Module

from .conftest import require_emulator

SOURCE = """
#include "index.cu"
#include "pool.cu"
#include "im2col.cu"
using namespace ag;
extern "C" __global__ void lines(i64 first, i64 count, i64 row, i64* out) {
  LinePlace at = line_place(first + threadIdx.x, count, row);
  out[3 * threadIdx.x] = at.block, out[3 * threadIdx.x + 1] = at.k, out[3 * threadIdx.x + 2] = at.r;
}
extern "C" __global__ void spots(i64 first, int height, int width, i64* out) {
  Spot at = spot_of(first + threadIdx.x, height, width);
  out[3 * threadIdx.x] = at.plane, out[3 * threadIdx.x + 1] = at.row;
  out[3 * threadIdx.x + 2] = at.column;
}
extern "C" __global__ void spreads(i64 first, Grid grid, i64* out) {
  int at[3];
  i64 plane = spread(first + threadIdx.x, grid.fit, at);
  out[4 * threadIdx.x] = plane;
  for (int d = 0; d < 3; ++d) out[4 * threadIdx.x + 1 + d] = at[d];
}
extern "C" __global__ void adaptive(PoolLine line, int first, int* out) {
  Taps taps = taps_of(line, first + threadIdx.x);
  Windows windows = windows_of(line, first + threadIdx.x);
  int* to = out + 4 * threadIdx.x;
  to[0] = taps.begin, to[1] = taps.end, to[2] = windows.first, to[3] = windows.last;
}
extern "C" __global__ void line_numbers(const i64* index, i64 length, i64* out) {
  out[threadIdx.x] = line_of(index[threadIdx.x], length);
}
"""
KERNELS = ["lines", "spots", "spreads", "adaptive", "line_numbers"]
BEGINS = [0, 7, (1 << 31) - 16, (1 << 32) - 16, 1 << 33, (1 << 40) + 12345]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "checked"])
def kernel(request):
    require_emulator()
    module = Module(SOURCE, KERNELS, checked=request.param, include=[kernel_folder()])

    def run(name, width, *args, dtype=np.int64):
        out = np.zeros((32, width), dtype)
        module.get_function(name)((1,), (32,), (*args, out))
        return out.tolist()

    return run


def unravelled(first, shape):
    """(what is left, places in a shape) of 32 elements from the first on."""
    found = []
    for i in range(first, first + 32):
        places = []
        for n in reversed(shape):
            i, place = divmod(i, n)
            places.append(place)
        found.append([i, *reversed(places)])
    return found


@pytest.mark.parametrize("first", BEGINS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 1 << 20), ((1 << 33) + 1, 3), (3, 1 << 32)])
def test_lines(kernel, first, shape):
    found = kernel("lines", 3, np.int64(first), *map(np.int64, shape))
    assert found == unravelled(first, shape)


@pytest.mark.parametrize("first", BEGINS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (224, 224), (1 << 28, 7), (5, 1 << 28)])
def test_spots(kernel, first, shape):
    found = kernel("spots", 3, np.int64(first), *map(np.int32, shape))
    assert found == unravelled(first, shape)


@pytest.mark.parametrize("first", BEGINS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 5), (1, 224, 224), (1 << 20, 1 << 12, 3)])
def test_spreads(kernel, first, shape):
    grid = np.zeros((), GRID)
    grid["fit"] = shape
    assert kernel("spreads", 4, np.int64(first), grid) == unravelled(first, shape)


def test_adaptive_windows(kernel):
    """n times the number of windows does not fit into 32 bits."""
    n, fit = 1 << 20, 1 << 19
    line = np.array((n, fit, 0, 1, 0, 1), POOL_LINE)
    first = fit - 40
    for i, (begin, end, low, high) in enumerate(
        kernel("adaptive", 4, line, np.int32(first), dtype=np.int32), first
    ):
        assert (begin, end) == (i * n // fit, -(-(i + 1) * n // fit))
        assert (low, high) == (i * fit // n, -(-(i + 1) * fit // n) - 1)


def test_numbers_of_lines(kernel):
    length = 1 << 40
    index = [0, length - 1, length, -1, -length, -length - 1, 1 << 62, -(1 << 62)] * 4
    wanted = [0, length - 1, -1, length - 1, 0, -1, -1, -1] * 4
    found = kernel("line_numbers", 1, np.array(index, np.int64), np.int64(length))
    assert [row[0] for row in found] == wanted
