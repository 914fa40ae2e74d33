"""Elementwise kernels: the hot path from an op to the driver.

Every op of a small net passes here, so what can be looked up once is kept: instances by type and
form, layouts by the operands' shapes and strides. `bench/launch.py` measures what is left."""

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from .._core.library import LAUNCHERS, LIBRARIES, Library
from .._core.manifest import KERNELS, LAYOUT, MAX_DIMS, Elementwise
from .launch import find, key
from .quick import quick

__all__ = ["Launcher", "broadcast_shape", "layout_of"]

BLOCK = (256,)
_int64 = np.int64
MANY = 1 << 31  # elements that are too many for one launch of the strided form
_LAYOUTS: dict[tuple, tuple] = {}
_MOST_LAYOUTS = 4096


class Launcher:
    """Runs one kernel of the manifest for one library: called with the arguments of its body.
    Declines (NotImplemented) what the kernel has no form for: other dtypes, complex numbers, more
    than eight dimensions that do not collapse."""

    def __init__(self, row: Elementwise, xp: Library) -> None:
        """See the class."""
        self.row, self.xp, self.ndarray = row, xp, xp.ndarray
        self.takes = frozenset(row.takes)
        self.result = None if row.result == "T" else np.dtype(row.result)
        self.found: dict[tuple, tuple] = {}

    def __call__(self, *operands: Any, **options: Any) -> Any:
        """The kernel's result, a new array."""
        if options:
            operands = (*operands, *options.values())
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
            elif isinstance(value, np.ndarray):  # an array of the host is no number
                return NotImplemented
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
                    operands = self.typed(operands, found[2])  # type: ignore[assignment]
                except (TypeError, ValueError, OverflowError):  # no number, or not of this type
                    return NotImplemented
            each = found[3]
            found[0](((n + each - 1) // each,), BLOCK, (out, _int64(n), *operands))
        return out

    def laid(self, operands: Sequence[Any]) -> tuple | None:
        """(shape, size, layout) of the one launch of the strided form that computes a result;
        None where there is none, or a better way."""
        arrays = [v for v in operands if v.__class__ is self.ndarray]
        if all(a._f_contiguous and not a._c_contiguous for a in arrays):
            return None
        found = layout_of(operands, self.ndarray)
        return found if found is not None and 0 < found[1] < MANY else None

    def found_or_find(self, form: str, first: Any) -> tuple | None:
        """`find`, of what was found before."""
        mark = first.dtype, form, self.xp.several_devices and first.data.device_id
        return self.found.get(mark) or self.find(form, first.dtype, first)

    def typed(self, operands: Sequence[Any], number: Any) -> list[Any]:
        """Numbers in the type that the kernel computes in."""
        ndarray = self.ndarray
        return [v if v.__class__ is ndarray else number(v) for v in operands]

    def find(self, form: str, dtype: np.dtype, first: Any) -> tuple | None:
        """(launch, the result's dtype, the type of numbers, the elements that a block of the packed
        form computes) of a form, kept; None where it has no such form."""
        name = key(dtype)
        if form.partition(" ")[0] not in self.takes or name not in self.row.dtypes:
            return None
        xp, device = self.xp, first.data.device_id
        instance = find(xp, self.row.name, form, name, device)
        function = instance.function
        if xp.several_devices:
            function = _on_device(xp, device, function)
        covered = 256 * self.row.per_thread(dtype.itemsize)
        found = function, self.result or dtype, number_type(dtype), covered
        self.found[dtype, form, xp.several_devices and device] = found
        return found

    def launch(
        self, form: str, dtype: np.dtype, shape: tuple[int, ...], n: int, operands: Sequence[Any],
        out: Any = None, *layout: Any,
    ) -> Any:  # fmt: skip
        """Find the instance of a form, and run it; `layout` for the strided ones."""
        first = next(v for v in operands if v.__class__ is self.ndarray)
        several = self.xp.several_devices and first.data.device_id
        found = self.found.get((dtype, form, several)) or self.find(form, dtype, first)
        if found is None:
            return NotImplemented
        try:
            passed = self.typed(operands, found[2])
        except (TypeError, ValueError, OverflowError):
            return NotImplemented
        out = self.ndarray(shape, found[1]) if out is None else out
        if n:
            each = 256 if layout else found[3]
            found[0](((n + each - 1) // each,), BLOCK, (out, _int64(n), *layout, *passed))
        return out

    def strided(
        self, operands: Sequence[Any], out: Any = None, form: str = "", dtype: Any = None,
    ) -> Any:  # fmt: skip
        """The same for any strides, into `out`, which is contiguous, where one is given."""
        ndarray = self.ndarray
        if not form:
            arrays = [v for v in operands if v.__class__ is ndarray]
            dtype = arrays[0].dtype
            if any(a.dtype != dtype for a in arrays):
                return NotImplemented
            form = "".join(["a" if v.__class__ is ndarray else "n" for v in operands])
            if out is None and (turned := self.turned(operands, arrays)) is not None:
                return turned
        laid = layout_of(operands, ndarray)
        if laid is None:
            return NotImplemented
        shape, n, layout = laid
        if n >= MANY:
            return self.halves(operands, out, form, dtype, shape)
        return self.launch(form + " strided", dtype, shape, n, operands, out, layout)

    def turned(self, operands: Sequence[Any], arrays: list[Any]) -> Any:
        """The result of arrays that are all transposed, which is so too; None for others."""
        shape = arrays[0].shape
        if any(a._c_contiguous or not a._f_contiguous or a.shape != shape for a in arrays):
            return None
        ndarray = self.ndarray
        out = Launcher.__call__(self, *[v.T if v.__class__ is ndarray else v for v in operands])
        return out if out is NotImplemented else out.T

    def halves(
        self, operands: Sequence[Any], out: Any, form: str, dtype: Any, shape: tuple[int, ...]
    ) -> Any:
        """One half after the other, along the first dimension that can be split."""
        if form not in self.takes or key(dtype) not in self.row.dtypes:
            return NotImplemented
        out = self.ndarray(shape, self.result or dtype) if out is None else out
        dim = next(d for d, length in enumerate(shape) if length > 1)
        middle = shape[dim] // 2
        for part in (slice(0, middle), slice(middle, shape[dim])):
            pieces = [
                _part(self.xp, v, shape, dim, part) if v.__class__ is self.ndarray else v
                for v in operands
            ]
            into = out[(*(slice(None),) * dim, part)]
            if self.strided(pieces, into, form, dtype) is NotImplemented:
                return NotImplemented
        return out


class Various(Launcher):
    """Where the body's arguments are not the operands as they are, or some operands are masks."""

    def __init__(self, row: Elementwise, xp: Library) -> None:
        """See the class."""
        super().__init__(row, xp)
        self.masked = any("b" in each for each in row.takes)
        self.nothing = (None,) * row.extras

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """The kernel's result, a new array, and None for all that the body returns besides."""
        operands = self.row.operands((*arguments, *options.values()))
        if operands is None:
            return NotImplemented
        out = self.masks(operands) if self.masked else Launcher.__call__(self, *operands)
        return (out, *self.nothing) if self.nothing and out is not NotImplemented else out

    def masks(self, operands: Sequence[Any]) -> Any:
        """The result where some operands may be masks: arrays of bool beside those of T."""
        ndarray = self.ndarray
        arrays = [v for v in operands if v.__class__ is ndarray]
        others = [a.dtype for a in arrays if a.dtype.char != "?"]
        form = "".join([
            "n" if v.__class__ is not ndarray else "b" if others and v.dtype.char == "?" else "a"
            for v in operands
        ])
        if not others:  # of bool as T, where the masks stand is what a form says
            form = next((f for f in self.takes if f.replace("b", "a") == form), form)
        elif others.count(others[0]) != len(others):
            return NotImplemented
        first = arrays[0]
        dtype = others[0] if others else first.dtype
        if all(a._c_contiguous and a.shape == first.shape for a in arrays):
            return self.launch(form, dtype, first.shape, first.size, operands)
        return self.strided(operands, None, form, dtype)


def launcher_of(row: Elementwise, xp: Library) -> Any:
    """What runs the kernel of a row."""
    if not row.plain or row.extras or any("b" in each for each in row.takes):
        return Various(row, xp)
    launcher = Launcher(row, xp)
    return launcher if xp.several_devices else quick(launcher)


def number_type(dtype: np.dtype) -> Any:
    """What makes a Python number one of the type that a kernel computes in. TypeError for numbers
    that would need another: floats beside integers, integers beside bools."""
    if dtype.kind == "b":
        return _truth
    if dtype.kind in "iu":
        return lambda value: dtype.type(index(value))
    return np.float32 if dtype.itemsize == 2 else dtype.type


def _truth(value: Any) -> Any:
    if value.__class__ is not bool:
        raise TypeError("no bool")
    return np.bool_(value)


def _part(xp: Library, array: Any, shape: tuple[int, ...], dim: int, part: slice) -> Any:
    return xp.broadcast_to(array, shape)[(*(slice(None),) * dim, part)]


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


def layout_of(operands: Sequence[Any], ndarray: Any) -> tuple | None:
    """(shape of the result, its size, the structure Layout) of operands, kept by their shapes,
    strides and sizes of items; None where it has more dimensions than fit."""
    marks = tuple([
        (v.shape, v.strides, v.itemsize) if v.__class__ is ndarray else None for v in operands
    ])
    kept = _LAYOUTS.get((ndarray, marks))
    if kept is None:
        if len(_LAYOUTS) >= _MOST_LAYOUTS:
            _LAYOUTS.clear()
        shape, n, layout = _lay_out(marks)
        layout = None if layout is None else LIBRARIES[ndarray].structure(layout)
        kept = _LAYOUTS[ndarray, marks] = shape, n, layout
    return kept if kept[2] is not None else None


def _lay_out(marks: tuple) -> tuple:
    shape = broadcast_shape([m[0] for m in marks if m is not None])
    strides = [
        (0,) * len(shape) if m is None else _broadcast_strides(m[0], m[1], m[2], shape)
        for m in marks
    ]
    n = 1
    for length in shape:
        n *= length
    dims = _collapse(shape, strides)
    if len(dims) > MAX_DIMS:
        return shape, n, None
    layout = np.zeros((), LAYOUT)
    layout["ndim"] = len(dims)
    for place, (length, along) in enumerate(dims):
        layout["shape"][place] = length
        layout["strides"][: len(along), place] = along
    return shape, n, layout


def _broadcast_strides(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, wanted: tuple[int, ...]
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
    made: dict[Library, Any] = {}

    def launch(xp: Library, *arguments: Any, **options: Any) -> Any:
        run = made.get(xp)
        if run is None:
            run = made[xp] = launcher_of(row, xp)
        return run(*arguments, **options)

    launch.bind = lambda xp: launcher_of(row, xp)  # type: ignore[attr-defined]
    LAUNCHERS[row.name] = launch


for _row in KERNELS.values():
    if isinstance(_row, Elementwise):
        _declare(_row)
