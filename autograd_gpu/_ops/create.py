"""Making tensors: from data, and filled with a number."""

import math
import warnings
from typing import Any

import numpy as np

from .._core.device import as_device, at, cpu, device, device_of, library, move, on
from .._core.dtype import default, numpy_of, of, promote, scalar_dtype
from .._core.errors import OutOfMemoryError
from .._core.inference import mark, share
from .._core.library import explained, loaded_class
from .._core.pinned import pin_memory as in_pinned_memory
from .._core.size import size_from
from .._core.state import hush, modes, quiet, unhush
from .._core.tensor import Tensor, make
from ..autograd.attributes import requires_grad_
from .convert import filled_with
from .declare import composite
from .element import element

__all__ = ["as_tensor", "empty", "from_numpy", "full", "ones", "tensor", "zeros"]


def finish(array: Any, device: Any, requires_grad: bool, pin: bool = False) -> Tensor:
    """A new leaf around a new array, on its device; `pin`: in page-locked memory of the host."""
    out = make(move(array, as_device(device)))
    if pin:
        out = in_pinned_memory(out)
    if requires_grad:
        if out._array.dtype.kind in "biu":
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients, not "
                f"{out.dtype!r}"
            )
        requires_grad_(out)
    return out


# ---- from data


def array_of(data: Any, wanted: Any, op: str) -> Any:
    """A new array of numbers, nested sequences, arrays and tensors; Python floats count as the
    default dtype."""
    token = hush(quiet)
    try:
        return _array_of(data, wanted)
    finally:
        unhush(token)


def _array_of(data: Any, wanted: Any) -> Any:
    if isinstance(data, Tensor):
        return data._array.astype(wanted or data._array.dtype)
    if loaded_class(data):
        return library(data).array(data, wanted)
    if isinstance(data, (np.ndarray, np.generic)):
        array = np.array(data, order="C")
        return array.astype(wanted or of(array.dtype).numpy)
    if isinstance(data, (bool, int, float, complex)):
        return np.asarray(_fits(data, wanted), wanted or scalar_dtype(data))
    if (
        isinstance(data, (str, bytes))
        or not hasattr(data, "__len__")
        or not hasattr(data, "__getitem__")
    ):
        raise (
            TypeError(f"new(): invalid data type '{type(data).__name__}'")
            if isinstance(data, (str, bytes))
            else (RuntimeError(f"Could not infer dtype of {type(data).__name__}"))
        )
    return _nested(data, wanted)


def _fits(number: Any, wanted: Any) -> Any:
    if wanted is not None and wanted.kind in "iu":
        info = np.iinfo(wanted)
        # negative integers of uint8 count from 256 downwards
        low = info.min if info.min or isinstance(number, float) else -info.max
        if isinstance(number, (int, float)) and not low <= number <= info.max:
            raise RuntimeError(
                f"value cannot be converted to type {of(wanted).name} without overflow"
            )
        number = int(number) if isinstance(number, float) else number
        if isinstance(number, int) and not info.min:
            number %= info.max + 1
    return number


def _nested(data: Any, wanted: Any) -> Any:
    """Nested sequences: the shape from the first elements, the dtype from all of them."""
    shape: list[int] = []
    level = data
    while hasattr(level, "__len__") and not (
        isinstance(level, (str, bytes)) or getattr(level, "ndim", 1) == 0
    ):
        shape.append(len(level))
        if not len(level):
            break
        level = level[0]
    flat: list[Any] = []
    _flatten(data, shape, 0, flat)
    if wanted is None:
        for item in flat:
            d = item.dtype if hasattr(item, "dtype") else scalar_dtype(item)
            wanted = d if wanted is None else promote(wanted, d)
        wanted = default() if wanted is None else wanted
    wide = np.dtype("float32") if wanted.itemsize == 2 and wanted.kind not in "iu" else wanted
    out = np.array(flat, wide if wide.kind not in "iu" else None) if flat else np.empty(0, wanted)
    if wanted.kind in "iu" and out.dtype.kind == "c":
        raise TypeError(f"tensor(): a complex number is not one of type {of(wanted).name}")
    if wanted.kind in "iu" and out.size and out.dtype != wanted:
        for bound in (out.min(), out.max()):
            _fits(bound.item() if isinstance(bound, np.generic) else bound, wanted)
    return out.astype(wanted).reshape(shape)


def _flatten(data: Any, shape: list[int], depth: int, flat: list) -> None:
    if depth == len(shape):
        if isinstance(data, Tensor):
            data = data._array[()] if data._array.ndim == 0 else data
        elif isinstance(data, np.ndarray):
            data = data[()]
        if isinstance(data, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        if hasattr(data, "__len__"):
            raise ValueError(f"expected scalar at dim {depth}, got a sequence")
        if not isinstance(data, (bool, int, float, complex, np.generic)):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        flat.append(data)
        return
    if not hasattr(data, "__len__"):
        raise TypeError(
            f"expected sequence of length {shape[depth]} at dim {depth}, got {type(data).__name__}"
        )
    if len(data) != shape[depth]:
        raise ValueError(
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})"
        )
    for item in data:
        _flatten(item, shape, depth + 1, flat)


@composite(where=("",))
def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new leaf with a copy of `data`: a number, nested sequences, an array, a tensor.

    Python floats give the default dtype, ints int64, bools bool; NumPy arrays keep their type. A
    copy of a Tensor warns: `x.detach().clone()` says it better. RuntimeError for `requires_grad`
    with an integer dtype.
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    array = array_of(data, None if dtype is None else numpy_of(dtype), "tensor")
    if device is None and array.__class__ is not np.ndarray:
        device = device_of(array)
    return finish(array, device, requires_grad, pin_memory)


@composite(where=("",))
def as_tensor(data, dtype=None, device=None):
    """`data` as a Tensor, sharing memory where it can: a Tensor of that dtype is returned as it is,
    an array is wrapped."""
    wanted = None if dtype is None else numpy_of(dtype)
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    if isinstance(data, np.ndarray) and (wanted is None or data.dtype == wanted):
        return finish(_shared(data), device, False)
    if loaded_class(data):
        out = make(data) if device is None else make(data).to(device)
        return out if wanted is None else out.to(dtype)
    return finish(array_of(data, wanted, "as_tensor"), device, False)


@composite(where=("",))
def from_numpy(ndarray):
    """A Tensor on the memory of a NumPy array: writes to one are seen in the other.

    TypeError for what is no array or of an unknown dtype; ValueError for negative strides.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    return make(_shared(ndarray))


def _shared(array: Any) -> Any:
    wanted = of(array.dtype).numpy
    if array.dtype.byteorder not in "=|" and array.dtype != wanted:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion is "
            "not supported."
        )
    if any(s < 0 for s in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently "
            "supported. (You can probably work around this by making a copy of your array with "
            "array.copy().)"
        )
    if not array.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable; writing into the tensor would be an error.",
            UserWarning,
            stacklevel=4,
        )
    return (
        array
        if array.dtype is wanted and type(array) is np.ndarray
        else np.asarray(array).view(wanted)
    )


# ---- filled


def new_array(size: tuple[int, ...], wanted: Any, op: str, place: device = cpu) -> Any:
    """An array of that size with anything in it; RuntimeError for sizes that cannot be."""
    if any(n < 0 for n in size):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(size)}: {list(size)}"
        )
    if math.prod(size) * wanted.itemsize >= 2**63:
        raise RuntimeError(f"{op}(): Storage size calculation overflowed with sizes={list(size)}")
    try:
        with at(place):
            return on(place).empty(size, wanted)
    except (MemoryError, ValueError) as error:
        of_cuda = explained(f"{op}()", error)
        if of_cuda is not None:
            raise of_cuda from None
        raise OutOfMemoryError(
            f"{op}(): can't allocate memory: you tried to allocate "
            f"{math.prod(size) * wanted.itemsize} bytes for a tensor "
            f"of size {list(size)}. {error}"
        ) from None


def _filled(
    op: str, size: tuple, value: Any, dtype: Any, device: Any, requires_grad: bool, out: Any,
    pin: bool = False,
) -> Tensor:  # fmt: skip
    wanted = numpy_of(dtype)
    if value is not None:
        value = wanted.type(value) if isinstance(value, np.generic) else element(wanted, value)
    place = as_device(device) if out is None else device_of(out._array)
    array = new_array(size, wanted, op, place)
    if value is not None:
        with at(place):
            fill_array(array, value)
    if out is not None:
        return into(out, array)
    return finish(array, place, requires_grad, pin)


def fill_array(array: Any, value: Any) -> None:
    """Write a number everywhere."""
    with np.errstate(over="ignore"):  # half types: infinite
        filled_with(array, value)


def into(out: Tensor, array: Any) -> Tensor:
    """`out=` of a function that makes tensors."""
    if out._array.shape != array.shape:
        out._array = array.astype(out._array.dtype)
        return out
    return out.copy_(make(array))  # type: ignore[attr-defined]


@composite(where=("",))
def empty(
    *size,
    dtype=None,
    device=None,
    requires_grad=False,
    out=None,
    pin_memory=False,
    memory_format=None,
):
    """A tensor with anything in it. `size`: lengths, or one tuple of them."""
    lengths = size_from(size, "empty")
    return _filled("empty", lengths, None, dtype, device, requires_grad, out, pin_memory)


@composite(where=("",))
def zeros(
    *size, dtype=None, device=None, requires_grad=False, out=None, pin_memory=False
):
    """A tensor of zeros. `size`: lengths, or one tuple of them."""
    lengths = size_from(size, "zeros")
    return _filled("zeros", lengths, 0, dtype, device, requires_grad, out, pin_memory)


@composite(where=("",))
def ones(
    *size, dtype=None, device=None, requires_grad=False, out=None, pin_memory=False
):
    """A tensor of ones. `size`: lengths, or one tuple of them."""
    lengths = size_from(size, "ones")
    return _filled("ones", lengths, 1, dtype, device, requires_grad, out, pin_memory)


@composite(where=("",))
def full(
    size, fill_value, *, dtype=None, device=None, requires_grad=False, out=None, pin_memory=False
):
    """A tensor of one number, in the dtype of that number unless another is given."""
    value = fill_value._array[()] if isinstance(fill_value, Tensor) else fill_value
    wanted = of(
        scalar_dtype(value) if not isinstance(fill_value, Tensor) else fill_value._array.dtype
    )
    size = (size,) if isinstance(size, int) else tuple(size)
    return _filled(
        "full", size_from(size, "full"), value, dtype or wanted, device, requires_grad, out,
        pin_memory,
    )  # fmt: skip


def legacy_new(cls: type, *args: Any) -> Tensor:
    """`Tensor(2, 3)`: anything in that size; `Tensor([1, 2])`: the data, in the default dtype."""
    if (
        len(args) == 1
        and not isinstance(args[0], (int, tuple))
        or len(args) == 1
        and isinstance(args[0], tuple)
    ):
        array = (
            args[0]._array
            if isinstance(args[0], Tensor)
            else array_of(args[0], default(), "Tensor")
        )
    else:
        array = np.zeros(size_from(args, "Tensor"), default()) if args else np.empty(0, default())
    out: Any = object.__new__(cls)
    out._array, out._edge = array, None
    if modes:
        mark(out)
        if args and isinstance(args[0], Tensor):
            share(out, args[0])
    return out


Tensor.__new__ = legacy_new  # type: ignore[method-assign, assignment]
