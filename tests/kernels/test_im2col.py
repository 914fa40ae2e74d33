"""The kernels of im2col.cu, and the convolutions made of them, through their launching functions,
against the ops they stand for."""

import numpy as np
import pytest

from autograd_gpu._cuda import convolve as convolvers
from autograd_gpu._cuda import im2col as launchers
from autograd_gpu._ops import convolve, fold

from .launched import DTYPES, FLOATS, WAYS, array, close, launching, same

# (N, C, ...), kernel, dilation, padding before and after, stride
WINDOWS = {
    "plain": ((2, 3, 5, 6), (2, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    "padded": ((1, 2, 4, 5), (3, 3), (1, 1), ((1, 1), (2, 2)), (1, 1)),
    "padded on one side": ((2, 1, 4, 4), (2, 2), (1, 1), ((0, 1), (1, 0)), (1, 1)),
    "striding": ((1, 2, 9, 8), (2, 2), (1, 1), ((1, 1), (0, 0)), (3, 2)),
    "dilated": ((2, 1, 9, 10), (3, 2), (2, 3), ((2, 2), (1, 1)), (2, 1)),
    "side by side": ((1, 3, 6, 6), (3, 2), (1, 1), ((0, 0), (0, 0)), (3, 2)),
    "one element": ((2, 3, 4, 5), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    "one element, striding": ((2, 3, 4, 5), (1, 1), (1, 1), ((0, 0), (0, 0)), (2, 2)),
    "over a block": ((3, 4, 13, 11), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    "no samples": ((0, 2, 4, 4), (2, 2), (1, 1), ((0, 0), (0, 0)), (1, 1)),
}
LINES = {
    "line": ((2, 3, 9), (3,), (2,), ((1, 1),), (2,)),
    "volume": ((1, 2, 4, 5, 6), (2, 3, 2), (1, 1, 2), ((1, 0), (1, 1), (0, 1)), (1, 2, 1)),
}


@pytest.fixture(scope="module", params=WAYS)
def xp(request):
    with launching(request.param) as found:
        yield found


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("case", WINDOWS)
def test_columns(xp, dtype, case):
    shape, *options = WINDOWS[case]
    x = array(shape, dtype)
    actual = launchers.im2col(xp, xp.from_host(x), tuple(options))
    if dtype.itemsize == 16:
        assert actual is NotImplemented
    elif x.size:
        same(actual, fold._im2col.op.forward(np, x, tuple(options)))
    else:
        assert actual.size == 0 and actual.ndim == 3


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
@pytest.mark.parametrize("case", WINDOWS)
def test_images(xp, dtype, case):
    shape, *options = WINDOWS[case]
    options = tuple(options)
    if not shape[0]:
        parts = array((0, 8, 9), dtype)
        out = launchers.col2im(xp, xp.from_host(parts), (4, 4), options)
        assert out is NotImplemented if dtype not in FLOATS.values() else out.shape == shape
        return
    parts = array(fold._im2col.op.forward(np, array(shape, "f4"), options).shape, dtype)
    actual = launchers.col2im(xp, xp.from_host(parts), shape[2:], options)
    if dtype in FLOATS.values():
        close(actual, fold._col2im.op.forward(np, parts.astype("f8"), shape[2:], options))
    else:
        assert actual is NotImplemented


def test_not_contiguous_and_special_values(xp):
    shape, *options = WINDOWS["padded"]
    x = array((*shape[:2], shape[3], shape[2]), "f4").swapaxes(2, 3)
    x[0, 0, 1, 1], x[0, 1, 2, 2] = np.nan, np.inf
    columns = fold._im2col.op.forward(np, x, tuple(options))
    same(launchers.im2col(xp, xp.from_host(x), tuple(options)), columns)
    back = launchers.col2im(xp, xp.from_host(columns), shape[2:], tuple(options)).get()
    wanted = fold._col2im.op.forward(np, columns, shape[2:], tuple(options))
    np.testing.assert_allclose(back, wanted, 1e-5)


def test_a_small_grid_goes_on(xp, monkeypatch):
    monkeypatch.setattr(launchers, "blocks", lambda n: 2)
    shape, *options = WINDOWS["over a block"]
    x = array(shape, "f4")
    columns = fold._im2col.op.forward(np, x, tuple(options))
    same(launchers.im2col(xp, xp.from_host(x), tuple(options)), columns)
    back = launchers.col2im(xp, xp.from_host(columns), shape[2:], tuple(options))
    close(back, fold._col2im.op.forward(np, columns.astype("f8"), shape[2:], tuple(options)))


# ---- convolutions

GROUPS = {"plain": (1, 4), "padded": (2, 2), "line": (3, 6), "dilated": (1, 2)}


def convolution(case):
    """(shape of x, shape of the weight, options) with several groups where channels allow it."""
    shape, kernel, dilation, pads, stride = (WINDOWS | LINES)[case]
    groups, outs = GROUPS.get(case, (1, 5))
    return shape, (outs, shape[1] // groups, *kernel), (stride, pads, dilation, groups)


def forward(op, *arguments):
    """The op's plain body."""
    return op.op.forward(np, *arguments)


@pytest.mark.parametrize("room", [1 << 28, 1], ids=["at once", "sample by sample"])
@pytest.mark.parametrize("dtype", FLOATS.values(), ids=FLOATS)
@pytest.mark.parametrize("case", [c for c in WINDOWS | LINES if c != "no samples"])
def test_convolution(xp, dtype, case, room, monkeypatch):
    monkeypatch.setattr(convolvers, "_ROOM", room)
    size, weight_size, options = convolution(case)
    x, w, b = (array(s, dtype, k) for k, s in enumerate((size, weight_size, weight_size[:1])))
    wide = [a.astype("f8") for a in (x, w, b)]
    wanted = forward(convolve._convolution, *wide, options)
    g = array(wanted.shape, dtype, 3)
    dx, dw, db, dg = (xp.from_host(a) for a in (x, w, b, g))
    near(convolvers.convolution(xp, dx, dw, db, options), wanted)
    near(
        convolvers.convolution(xp, dx, dw, None, options),
        forward(convolve._convolution, wide[0], wide[1], None, options),
    )
    back = convolvers.convolution_input(xp, dg, dw, size, options)
    near(back, forward(convolve._convolution_input, g.astype("f8"), wide[1], size, options))
    back = convolvers.convolution_weight(xp, dg, dx, weight_size, options)
    near(back, forward(convolve._convolution_weight, g.astype("f8"), wide[0], weight_size, options))


def near(actual, wanted):
    """Equal but for rounding, of the largest number: terms of a sum may cancel."""
    actual = actual.get()
    assert actual.shape == wanted.shape
    bound = {"f": 1e-6, "d": 1e-14, "e": 1e-3, "E": 8e-3}[actual.dtype.char] * 4
    assert np.abs(actual.astype("f8") - wanted).max() <= bound * max(1, np.abs(wanted).max())


def test_declined(xp):
    """Integers and empty batches, and four dimensions, are the bodies'."""
    size, weight_size, options = convolution("plain")
    for dtype in ("i8", "c8"):
        x, w = xp.from_host(array(size, dtype)), xp.from_host(array(weight_size, dtype))
        assert convolvers.convolution(xp, x, w, None, options) is NotImplemented
    x, w = xp.zeros((0, *size[1:]), np.float32), xp.zeros(weight_size, np.float32)
    assert convolvers.convolution(xp, x, w, None, options) is NotImplemented
    four = (2,) * 4
    assert launchers.grid_of((5,) * 4, four, four, ((0, 0),) * 4, four)[0] is None
