"""The quickest way from an elementwise op to the driver: a function written for each kernel.

It knows how many operands there are and which of them may be numbers, and runs the packed form for
contiguous arrays of one shape and dtype, the strided one for layouts that were seen before, on the
only device there is. For all else it calls the launcher, which also finds the instances.
`bench/launch.py` measures it."""

from types import FunctionType
from typing import Any

import numpy as np

from .._core.manifest import Elementwise
from .._ops.generate import compile_source

__all__ = ["quick"]

BLOCK = (256,)
_MOST_KEPT = 4096


def quick(launcher: Any) -> Any:
    """A function of a kernel's arguments. Its source is written on the first call."""
    row: Elementwise = launcher.row
    space: dict[str, Any] = {"BLOCK": BLOCK, "missing": _Missing, "ndarray": launcher.ndarray}
    space |= {"new": launcher.xp.new_array, "remember": remember, "slow": _slow(launcher)}

    def write() -> Any:
        for form in row.takes:
            space["find_" + form], space["found_" + form] = _finder(launcher, form), {}
            space["lay_" + form], space["laid_" + form] = _layer(launcher, form), {}
        compile_source(_source(row), f"{row.name} kernel", space)
        made = space.pop(row.name)
        run.__defaults__, run.__code__ = made.__defaults__, made.__code__
        return run

    space["write"] = write
    run: Any = FunctionType(_stub.__code__, space, row.name)
    run.quick = True
    return run


def _stub(*arguments: Any, **options: Any) -> Any:
    return write()(*arguments, **options)  # type: ignore[name-defined]  # noqa: F821


class _Missing:
    """An argument that was not given."""


def remember(sizes: dict[int, tuple], size: int, each: int) -> tuple:
    """The grid for a number of elements, and the number as the kernel takes it; kept."""
    if len(sizes) >= _MOST_KEPT:
        sizes.clear()
    found = sizes[size] = ((size + each - 1) // each,), np.int64(size)
    return found


def _slow(launcher: Any) -> Any:
    def slow(arguments: tuple, options: dict[str, Any]) -> Any:
        return launcher(*[v for v in arguments if v is not _Missing], **options)

    return slow


def _finder(launcher: Any, form: str) -> Any:
    """What finds (launch, the result's dtype, the type of numbers, elements of a block, sizes) of a
    form for a dtype and keeps it; None where there is no such form."""

    def find(kept: dict[np.dtype, Any], first: Any) -> tuple | None:
        found = launcher.found_or_find(form, first)
        if found is not None:
            found = kept[first.dtype] = (*found, {})
        return found

    return find


def _layer(launcher: Any, form: str) -> Any:
    """What finds (launch, the result's shape and dtype, the type of numbers, grid, n, layout) of
    the strided form for operands' layouts and keeps it; False where another way is to be gone."""

    def lay(kept: dict[tuple, Any], mark: tuple, operands: tuple) -> Any:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        laid = launcher.laid(operands)
        found = laid and launcher.found_or_find(form + " strided", operands[0])
        kept[mark] = False
        if found:
            shape, n, layout = laid
            grid, n = ((n + 255) // 256,), np.int64(n)
            kept[mark] = found[0], shape, found[1], found[2], grid, n, layout
        return kept[mark]

    return lay


def _source(row: Elementwise) -> list[str]:
    """def mul(x0, x1=missing, **options): ..."""
    names = [f"x{k}" for k in range(max(map(len, row.takes)))]
    head = ", ".join(["x0", *[f"{n}=missing" for n in names[1:]]])
    lines = [
        f"def {row.name}({head}, **options):",
        "    if x0.__class__ is ndarray and not options:",
        "        dtype, shape = x0.dtype, x0.shape",
    ]
    for form in row.takes:
        lines += [f"        {line}" for line in _form(form, names)]
    return [*lines, f"    return slow(({', '.join(names)},), options)"]


def _form(form: str, names: list[str]) -> list[str]:
    """The lines for one form: they return, or go on where it does not fit."""
    kinds, same = ["True"], ["x0._c_contiguous"]
    for k, name in enumerate(names[1:], 1):
        if k >= len(form):
            kinds.append(f"{name} is missing")
        elif form[k] == "n":
            kinds.append(f"({name}.__class__ is float or {name}.__class__ is int)")
        else:
            kinds.append(f"{name}.__class__ is ndarray and {name}.dtype is dtype")
            same.append(f"{name}._c_contiguous and {name}.shape == shape")
    return [
        f"if {' and '.join(kinds[1:] or kinds)}:",
        f"    if {' and '.join(same)}:",
        *[f"        {line}" for line in _packed(form)],
        "    else:",
        *[f"        {line}" for line in _strided(form)],
    ]


def _passed(form: str) -> str:
    return ", ".join(f"number(x{k})" if kind == "n" else f"x{k}" for k, kind in enumerate(form))


def _packed(form: str) -> list[str]:
    return [
        f"found = found_{form}.get(dtype) or find_{form}(found_{form}, x0)",
        "size = x0.size",
        "if found and size:",
        "    launch, result, number, each, sizes = found",
        "    grid, n = sizes.get(size) or remember(sizes, size, each)",
        "    out = new(shape, result)",
        *_launch(form, f"out, n, {_passed(form)}"),
        "    return out",
    ]


def _strided(form: str) -> list[str]:
    arrays = [f"x{k}" for k, kind in enumerate(form) if kind == "a"]
    shapes = ", ".join(f"{a}.shape, {a}.strides" for a in arrays[1:])
    operands = ", ".join(f"x{k}" for k in range(len(form)))
    return [
        f"mark = dtype, shape, x0.strides, {shapes}",
        f"found = laid_{form}.get(mark)",
        "if found is None:",
        f"    found = lay_{form}(laid_{form}, mark, ({operands},))",
        "if found:",
        "    launch, shape, result, number, grid, n, layout = found",
        "    out = new(shape, result)",
        *_launch(form, f"out, n, layout, {_passed(form)}"),
        "    return out",
    ]


def _launch(form: str, passed: str) -> list[str]:
    if "n" not in form:
        return [f"    launch(grid, BLOCK, ({passed}))"]
    return [
        "    try:",
        f"        passed = {passed}",
        "    except (TypeError, ValueError, OverflowError):  # not a number of this type",
        "        return NotImplemented",
        "    launch(grid, BLOCK, passed)",
    ]
