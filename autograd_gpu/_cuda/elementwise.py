"""Elementwise kernels: the hot path from an op to the driver.

Every op of a small net passes here, so what can be looked up once is kept: instances by type and
form, layouts by the operands' shapes and strides. `bench/launch.py` measures what is left."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._core.library import LAUNCHERS, Library
from .._core.manifest import KERNELS, LAYOUT, MAX_DIMS, Elementwise
from .launch import find, key

__all__ = ["Launcher", "broadcast_shape", "layout_of"]

BLOCK = (256,)
_int64 = np.int64
_PACK = 16 * 256  # bytes that a block of the packed form covers
_MAX_GRID = (1 << 31) - 1
_LAYOUTS: dict[tuple, tuple] = {}
_MOST_LAYOUTS = 4096


class Launcher:
    """Runs one kernel of the manifest for one library: called with the arguments of its body.
    Declines (NotImplemented) what the kernel has no form for: other dtypes, complex numbers, more
    than eight dimensions that do not collapse."""

    def __init__(self, row: Elementwise, xp: Library) -> None:
        """See the class."""
        self.row, self.xp, self.ndarray = row, xp, xp.ndarray
        self.plain = not (row.absent or row.words)
        self.takes = frozenset(row.takes)
        self.result = None if row.result == "T" else np.dtype(row.result)
        self.found: dict[tuple, tuple] = {}

    def __call__(self, *arguments: Any) -> Any:
        """The kernel's result, a new array."""
        operands: Any = arguments if self.plain else self.row.operands(arguments)
        if operands is None:
            return NotImplemented
        first = operands[0]
        ndarray = self.ndarray
        if first.__class__ is not ndarray:
            return self.strided(operands)
        shape, dtype = first.shape, first.dtype
        packed, form = first._c_contiguous, "a"
        for value in operands[1:]:
            if value.__class__ is ndarray:
                if value.dtype is not dtype:
                    return self.strided(operands)
                packed = packed and value._c_contiguous and value.shape == shape
                form += "a"
            else:
                form += "n"
        if not packed:
            return self.strided(operands)
        found = self.found.get((dtype, form, self.xp.several_devices and first.data.device_id))
        if found is None:
            found = self.find(form, dtype, first)
            if found is None:
                return NotImplemented
        out = ndarray(shape, found[1])
        n = first.size
        if n:
            if form.__contains__("n"):
                try:
                    operands = self.typed(operands, found[2])
                except (TypeError, ValueError, OverflowError):
                    return NotImplemented
            grid = (n * first.itemsize + _PACK - 1) // _PACK
            found[0]((grid if grid < _MAX_GRID else _MAX_GRID,), BLOCK, (out, _int64(n), *operands))
        return out

    def typed(self, operands: Sequence[Any], number: Any) -> list[Any]:
        """Numbers in the type that the kernel computes in."""
        ndarray = self.ndarray
        return [v if v.__class__ is ndarray else number(v) for v in operands]

    def find(self, form: str, dtype: np.dtype, first: Any) -> tuple | None:
        """(launch, the result's dtype, the type of numbers) of a form, kept; None where it has no
        such form."""
        name = key(dtype)
        if form.partition(" ")[0] not in self.takes or name not in self.row.dtypes:
            return None
        xp, device = self.xp, first.data.device_id
        instance = find(xp, self.row.name, form, name, device)
        function = instance.function
        if xp.several_devices:
            function = _on_device(xp, device, function)
        wide = np.dtype("f4") if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype
        found = function, self.result or dtype, wide.type
        self.found[dtype, form, xp.several_devices and device] = found
        return found

    def strided(self, operands: Sequence[Any], out: Any = None) -> Any:
        """The same for any strides, into `out` where one is given."""
        ndarray = self.ndarray
        arrays = [v for v in operands if v.__class__ is ndarray]
        dtype = arrays[0].dtype
        if any(a.dtype != dtype for a in arrays):
            return NotImplemented
        laid = layout_of(operands, ndarray)
        if laid is None:
            return NotImplemented
        shape, n, layout, large = laid
        form = "".join(["a" if v.__class__ is ndarray else "n" for v in operands])
        form += " large" if large else " strided"
        several = self.xp.several_devices and arrays[0].data.device_id
        found = self.found.get((dtype, form, several)) or self.find(form, dtype, arrays[0])
        if found is None:
            return NotImplemented
        try:
            passed = self.typed(operands, found[2])
        except (TypeError, ValueError, OverflowError):
            return NotImplemented
        out = ndarray(shape, found[1]) if out is None else out
        if n:
            found[0]((min((n + 255) // 256, _MAX_GRID),), BLOCK, (out, _int64(n), layout, *passed))
        return out


def _on_device(xp: Library, device: int, function: Any) -> Any:
    """A launch that runs on the arrays' device, whichever is the current one."""

    def launch(grid: tuple, block: tuple, args: tuple) -> None:
        if xp.current_device() == device:
            function(grid, block, args)
        else:
            with xp.device(device):
                function(grid, block, args)

    return launch


def broadcast_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that shapes broadcast to. ValueError where they do not."""
    return np.broadcast_shapes(*shapes)


def layout_of(operands: Sequence[Any], ndarray: type) -> tuple | None:
    """(shape of the result, its size, the structure Layout, does an index or offset pass 31 bits?)
    of operands, kept by their shapes and strides; None where it has more dimensions than fit."""
    marks = tuple([(v.shape, v.strides) if v.__class__ is ndarray else None for v in operands])
    kept = _LAYOUTS.get(marks)
    if kept is None:
        if len(_LAYOUTS) >= _MOST_LAYOUTS:
            _LAYOUTS.clear()
        itemsizes = [v.itemsize if v.__class__ is ndarray else 1 for v in operands]
        kept = _LAYOUTS[marks] = _lay_out(marks, itemsizes)
    return kept if kept[2] is not None else None


def _lay_out(marks: tuple, itemsizes: list[int]) -> tuple:
    shape = broadcast_shape([m[0] for m in marks if m is not None])
    strides = [
        (0,) * len(shape) if m is None else _broadcast_strides(*m, shape, size)
        for m, size in zip(marks, itemsizes, strict=True)
    ]
    n = 1
    for length in shape:
        n *= length
    dims = _collapse(shape, strides)
    if len(dims) > MAX_DIMS:
        return shape, n, None, False
    layout = np.zeros((), LAYOUT)
    layout["ndim"] = len(dims)
    for place, (length, along) in enumerate(dims):
        layout["shape"][place] = length
        layout["strides"][: len(along), place] = along
    spans = [
        sum((length - 1) * abs(along[k]) for length, along in dims) for k in range(len(strides))
    ]
    return shape, n, layout, max([n, *spans]) >= 1 << 31


def _broadcast_strides(
    shape: tuple[int, ...], strides: tuple[int, ...], wanted: tuple[int, ...], itemsize: int
) -> tuple[int, ...]:
    """Strides in elements, 0 where the operand broadcasts."""
    lead = (0,) * (len(wanted) - len(shape))
    return lead + tuple([
        0 if length == 1 else s // itemsize for length, s in zip(shape, strides, strict=True)
    ])


def _collapse(shape: tuple[int, ...], strides: list[tuple[int, ...]]) -> list[tuple]:
    """[(length, strides)]: dimensions of length 1 go, and neighbours that one step through both
    reaches become one."""
    dims: list[tuple] = []
    for d, length in enumerate(shape):
        along = tuple([s[d] for s in strides])
        if length == 1:
            continue
        if dims and all(
            a == b * length for a, b in zip(dims[-1][1], along, strict=True)
        ):
            dims[-1] = (dims[-1][0] * length, along)
        else:
            dims.append((length, along))
    return dims


def _declare(row: Elementwise) -> None:
    made: dict[Library, Launcher] = {}

    def launch(xp: Library, *arguments: Any) -> Any:
        run = made.get(xp)
        if run is None:
            run = made[xp] = Launcher(row, xp)
        return run(*arguments)

    launch.bind = lambda xp: Launcher(row, xp)  # type: ignore[attr-defined]
    LAUNCHERS[row.name] = launch


for _row in KERNELS.values():
    if isinstance(_row, Elementwise):
        _declare(_row)
