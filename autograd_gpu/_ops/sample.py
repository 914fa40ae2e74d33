"""New tensors of random numbers: rand, randn, randint, randperm and their `_like` forms.

The same seed gives the numbers that PyTorch draws on the CPU. `_core/random` says how they are made
and which few float64 results of 65536 elements or more differ in their last bits. On CUDA they are
those of a Philox generator of the same seed on the CPU.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.device import as_device, at, device_of, library, move
from .._core.dtype import dtype as Dtype
from .._core.dtype import numpy_of, of
from .._core.random import Generator, draw, empty_like
from .._core.size import size_from
from .._core.state import modes, recording
from .._core.tensor import Tensor
from ..autograd.saving import before_write
from ..autograd.views import edge_of, mark_written
from .create import finish, new_array
from .declare import composite
from .random_check import (
    check_bounds,
    check_std,
    check_uniform,
    generator_of,
    integer,
    not_implemented,
)
from .random_fill import fill_normal

__all__ = ["rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]

Fill = Callable[[np.ndarray, Generator], Any]


def fill_uniform(array: np.ndarray, gen: Generator) -> Any:
    """Uniform numbers of [0, 1) into an array; NotImplementedError for integer dtypes."""
    check_uniform(0, 1, array.dtype)
    return draw(array, gen.uniform, dtype=array.dtype)


def fill_standard(array: np.ndarray, gen: Generator) -> Any:
    """Standard normal numbers into an array; NotImplementedError for integer dtypes."""
    check_std(1, array.dtype)
    return fill_normal(array, 0.0, 1.0, gen)


def fill_whole(low: int, high: int) -> Fill:
    """What writes whole numbers of [low, high) into an array."""

    def write(array: np.ndarray, gen: Generator) -> Any:
        check_bounds(low, high, array.dtype)
        return draw(array, gen.random, low, high, dtype=array.dtype)

    return write


def create(
    op: str, size: tuple[int, ...], write: Fill, options: dict[str, Any], wanted: Any = None
) -> Tensor:
    """A tensor of that size (or `out`) with the numbers that `write` puts in it.

    `options`: the caller's `generator`, `out`, `dtype`, `layout`, `device`, `pin_memory` and
    `requires_grad`.
    """
    out = options.get("out")
    place = as_device(options["device"]) if not isinstance(out, Tensor) else device_of(out._array)
    gen = generator_of(options["generator"], op, place)
    _strided(op, options.get("layout"))
    dtype, requires_grad = options["dtype"], options["requires_grad"]
    kind = numpy_of(dtype) if dtype is not None or wanted is None else np.dtype(wanted)
    if out is not None:
        return _into(op, out, size, write, gen, dtype)
    _may_require(kind, requires_grad)
    array = new_array(size, kind, op, place)
    write(array, gen)
    return finish(array, place, requires_grad, bool(options.get("pin_memory")))


def _strided(op: str, layout: Any) -> None:
    if layout is not None and str(layout) != "torch.strided":
        raise NotImplementedError(
            f"{op}(): only the layout torch.strided is there, but got {layout}"
        )


def _may_require(kind: np.dtype, requires_grad: bool) -> None:
    if requires_grad and kind.kind in "biu":
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients, "
            f"not {of(kind)!r}"
        )


def _into(
    op: str, out: Any, size: tuple[int, ...], write: Fill, gen: Generator, dtype: Dtype | None
) -> Tensor:
    """`out=`: the numbers go into a given tensor, which takes the size."""
    if not isinstance(out, Tensor):
        raise TypeError(f"{op}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if dtype is not None and dtype != out.dtype:
        raise RuntimeError(
            f"{op}(): dtype {dtype.legacy} does not match dtype of out parameter "
            f"({out.dtype.legacy})"
        )
    if recording() and edge_of(out) is not None:
        raise RuntimeError(
            f"{op}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if modes:
        before_write(out)
    same = out._array.shape == size
    array = out._array if same else new_array(size, out._array.dtype, op, device_of(out._array))
    write(array, gen)
    if same:
        mark_written(out)
    else:
        out._array = array
    return out


@composite(where=("",))
def rand(
    *size: Any,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    **named: Any,
) -> Tensor:
    """Uniform numbers of [0, 1). `size`: lengths, or one tuple of them, also as `size=`.

    Floating and complex dtypes (a complex number is two draws); NotImplementedError for others.
    """
    return create("rand", _size(size, named, "rand"), fill_uniform, locals())


@composite(where=("",))
def randn(
    *size: Any,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    **named: Any,
) -> Tensor:
    """Normal numbers of mean 0 and variance 1. `size`: lengths, or one tuple of them, also as
    `size=`.

    Box-Muller: r cos t and r sin t with r = sqrt(-2 log u), t = 2 pi v. Floating and complex dtypes
    (real and imaginary part of variance 1/2); NotImplementedError for others.
    """
    return create("randn", _size(size, named, "randn"), fill_standard, locals())


def _size(size: tuple, named: dict[str, Any], op: str) -> tuple[int, ...]:
    if unknown := set(named) - {"size"}:
        raise TypeError(f"{op}() got an unexpected keyword argument '{unknown.pop()}'")
    if not size and "size" not in named or size and named:
        raise TypeError(
            f"{op}() received an invalid combination of arguments - expected one size, as lengths "
            f"or as a tuple, but got {'two' if size else 'none'}"
        )
    return size_from((named["size"],) if named else size, op)


@composite(where=("",))
def randint(
    *bounds_and_size: Any,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    **named: Any,
) -> Tensor:
    """Whole numbers of [low, high): `randint(high, size)` or `randint(low, high, size)`; `low` is 0
    by default.

    y = w mod (high - low) + low, w a word of 32 bits (64 for ranges of 2^28 or more). int64 unless
    `dtype` says otherwise. RuntimeError for an empty range and for one that the dtype does not
    cover.
    """
    low, high, size = _bounds("randint", bounds_and_size, named, ("low", "high", "size"))
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}"
        )
    return create(
        "randint", size_from((size,), "randint"), fill_whole(low, high), locals(), np.int64
    )


def _bounds(op: str, given: tuple, named: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    """low, high and what follows them, by place or by name, without `low` or with it."""
    if unknown := set(named) - set(names):
        raise TypeError(f"{op}() got an unexpected keyword argument '{unknown.pop()}'")
    total = len(given) + len(named)
    places = names[1:] if total == len(names) - 1 and "low" not in named else names
    values = dict(zip(places, given, strict=False), **named)
    if total != len(values) or len(values) != len(places):
        raise TypeError(
            f"{op}() received an invalid combination of arguments - expected "
            f"({', '.join(names[1:])}) or "
            f"({', '.join(names)}), but got {len(given)} arguments and the names {sorted(named)}"
        )
    values = {"low": 0, **values}
    low, high = (integer(values[n], n, op) for n in ("low", "high"))
    return [low, high, *(values[n] for n in names[2:])]


@composite(where=("",))
def randperm(
    n: Any,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers 0 ... n-1 in a random order, int64 unless `dtype` says otherwise (Fisher and
    Yates' shuffle).

    RuntimeError for a negative `n` and for one that the dtype does not hold; NotImplementedError
    for bool and complex.
    """
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(
            f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}"
        )
    n = n.__index__()

    def write(array: np.ndarray, gen: Generator) -> Any:
        if array.dtype.kind in "bc":
            raise not_implemented("randperm", array.dtype)
        if array.dtype.kind in "iu" and n - 1 > np.iinfo(array.dtype).max:
            raise RuntimeError(
                f"randperm(): value {n} cannot be converted to type {array.dtype}_t "
                "without overflow"
            )
        return draw(array, gen.randperm, dtype=array.dtype)

    return create("randperm", (n,), write, locals(), np.int64)


# ---- like another tensor


def _like(op: str, input: Any, write: Fill, options: dict[str, Any]) -> Tensor:
    """As `create`, with the size, dtype, device and order in memory of `input`."""
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{op}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    place = device_of(input._array) if options["device"] is None else as_device(options["device"])
    gen = generator_of(options["generator"], op, place)
    _strided(op, options["layout"])
    dtype = options["dtype"]
    kind = input._array.dtype if dtype is None else numpy_of(dtype)
    _may_require(kind, options["requires_grad"])
    array = move(_ordered(op, input._array, kind, options["memory_format"]), place)
    write(array, gen)
    return finish(array, place, options["requires_grad"])


def _ordered(op: str, array: Any, kind: np.dtype, memory_format: Any) -> Any:
    """A new array of the size of another, on its device, in the wanted order of dimensions."""
    name = "preserve_format" if memory_format is None else str(memory_format).removeprefix("torch.")
    if name == "preserve_format":
        return empty_like(array, kind)
    with at(device_of(array)):
        if name == "contiguous_format":
            return library(array).empty(array.shape, kind)
        wanted = {"channels_last": 4, "channels_last_3d": 5}.get(name)
        if wanted is None:
            raise RuntimeError(f"{op}(): unknown memory format {memory_format}")
        if array.ndim != wanted:
            raise RuntimeError(f"required rank {wanted} tensor to use {name} format")
        last = library(array).empty((array.shape[0], *array.shape[2:], array.shape[1]), kind)
        return last.transpose(0, wanted - 1, *range(1, wanted - 1))


@composite(where=("",))
def rand_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """As `rand`, in the size, dtype, device and memory order of `input`."""
    return _like("rand_like", input, fill_uniform, locals())


@composite(where=("",))
def randn_like(
    input: Tensor,
    *,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """As `randn`, in the size, dtype, device and memory order of `input`."""
    return _like("randn_like", input, fill_standard, locals())


@composite(where=("",))
def randint_like(
    input: Tensor,
    *bounds: Any,
    generator: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    memory_format: Any = None,
    **named: Any,
) -> Tensor:
    """As `randint`, in the size, dtype, device and memory order of `input`.

    Either `randint_like(input, high)` or `randint_like(input, low, high)`.
    """
    low, high = _bounds("randint_like", bounds, named, ("low", "high"))
    return _like("randint_like", input, fill_whole(low, high), locals())
