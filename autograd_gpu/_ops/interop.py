"""Tensors among other things: as sequences, in NumPy's functions, as DLPack capsules, in copies and
pickles.
"""

import copy
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._core.convert import host_array, numpy
from .._core.device import cuda, device, device_of, guard, move
from .._core.dtype import of
from .._core.inference import mark
from .._core.layout import memory_of
from .._core.state import modes, recording
from .._core.tensor import Tensor, make, new
from ..autograd.attributes import requires_grad_
from ..autograd.mutation import record_write
from ..autograd.saving import before_writes
from ..autograd.views import edge_of
from .declare import PUBLIC, composite

__all__ = ["from_dlpack", "rebuild"]

_NUMBERS = (bool, int, float, complex)


# ---- as a sequence


def _iter(self: Tensor) -> Iterator[Tensor]:
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))  # type: ignore[attr-defined]


def _reversed(self: Tensor) -> Tensor:
    return self.flip(0) if self._array.ndim else self  # type: ignore[attr-defined]


def _contains(self: Tensor, element: Any) -> bool:
    if not isinstance(element, (Tensor, *_NUMBERS, np.generic)):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(element)}."
        )
    return bool((self == element)._array.any())  # type: ignore[union-attr]


# ---- NumPy


def _array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """NumPy's protocol, for `numpy.asarray(tensor)`."""
    array = numpy(self)
    if dtype is not None and np.dtype(dtype) != array.dtype:
        if copy is False:
            raise ValueError(
                f"Unable to avoid copy: the tensor is of dtype {array.dtype}, asked for was "
                f"{np.dtype(dtype)}"
            )
        return array.astype(dtype)
    return array.copy() if copy else array


def _array_wrap(
    self: Tensor, array: Any, context: Any = None, return_scalar: bool = False
) -> Tensor:
    return _as_result(np.asarray(array))


_OPERATORS: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.floor_divide: operator.floordiv,
    np.remainder: operator.mod,
    np.power: operator.pow,
    np.matmul: operator.matmul,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_,
    np.bitwise_xor: operator.xor,
    np.left_shift: operator.lshift,
    np.right_shift: operator.rshift,
    np.negative: operator.neg,
    np.positive: operator.pos,
    np.absolute: operator.abs,
    np.invert: operator.invert,
}
# NumPy's ufuncs whose names in the package differ; the rest are looked up by name.
_RENAMED = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "conjugate": "conj_physical",
    "fabs": "abs",
    "rint": "round",
    "degrees": "rad2deg",
    "radians": "deg2rad",
}
_SAME = set(
    """
    exp exp2 expm1 log log2 log10 log1p sqrt square reciprocal sin cos tan sinh cosh tanh
    deg2rad rad2deg floor ceil trunc sign maximum minimum fmax fmin fmod hypot logaddexp
    logaddexp2 copysign nextafter heaviside float_power isnan isinf isfinite signbit logical_and
    logical_or logical_xor logical_not gcd lcm ldexp
    """.split()
)


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """NumPy's protocol: `array * tensor` and `numpy.sin(tensor)` are operations on tensors,
    recorded as such.

    A ufunc that has no counterpart, or has arguments that ours do not know, runs on arrays: its
    result is a Tensor
    without a history. RuntimeError where a gradient would be lost by that.
    """
    name: Any = _RENAMED.get(ufunc.__name__, ufunc.__name__ if ufunc.__name__ in _SAME else None)
    if method != "__call__" or kwargs or (name is None and ufunc not in _OPERATORS):
        return _on_arrays(ufunc, method, inputs, kwargs)
    values = [_operand(v) for v in inputs]
    if any(v is None for v in values):
        return NotImplemented
    if ufunc in _OPERATORS:
        return _OPERATORS[ufunc](*values)
    return PUBLIC[""][name](
        *[make(np.asarray(v)) if isinstance(v, _NUMBERS) else v for v in values]
    )


def _operand(value: Any) -> Any:
    """A Tensor or a Python number; None for what is neither."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return make(value) if value.dtype.kind in "biufcV" else None
    return value if isinstance(value, (Tensor, *_NUMBERS)) else None


def _on_arrays(ufunc: Any, method: str, inputs: tuple, kwargs: dict) -> Any:
    def array(value: Any) -> Any:
        return numpy(value) if isinstance(value, Tensor) else value

    outs = kwargs.get("out", ())
    given = {k: array(v) for k, v in kwargs.items() if k != "out"}
    if outs:
        given["out"] = tuple(array(v) for v in outs)
    if modes:
        before_writes(v for v in outs if isinstance(v, Tensor))
    result = getattr(ufunc, method)(*[array(v) for v in inputs], **given)
    for out in outs:
        if isinstance(out, Tensor):
            record_write(out._array)
    if outs:
        return outs[0] if len(outs) == 1 else outs
    return tuple(map(_as_result, result)) if isinstance(result, tuple) else _as_result(result)


def _as_result(array: Any) -> Any:
    try:
        of(np.asarray(array).dtype)
    except TypeError:
        return array  # of a type that tensors do not have
    return make(np.asarray(array))


# ---- DLPack


def _dlpack(self: Tensor, **options: Any) -> Any:
    """The DLPack protocol: a capsule on the tensor's memory. BufferError for a tensor that requires
    grad.
    """
    if edge_of(self) is not None:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return self._array.__dlpack__(**options)


def _dlpack_device(self: Tensor) -> tuple[int, int]:
    """The DLPack protocol: the kind of device (1 is the CPU, 2 CUDA) and its number."""
    return self._array.__dlpack_device__()


class _Capsule:
    """A bare capsule as an object with the DLPack protocol."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@composite(where=("",))
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A Tensor on the memory of another library's array, which has the DLPack protocol (or is a
    capsule of it).

    `copy`: True for memory of its own. RuntimeError for anything else, TypeError for a dtype that
    tensors do not have.
    """
    if isinstance(ext_tensor, Tensor):
        ext_tensor = ext_tensor.detach()._array
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    if not hasattr(ext_tensor, "__dlpack__"):
        raise RuntimeError(
            "from_dlpack(): expected an object with __dlpack__ or a DLPack capsule, but got "
            f"{type(ext_tensor).__name__}"
        )
    if ext_tensor.__dlpack_device__()[0] in (1, 3):
        array = np.from_dlpack(ext_tensor)
        copy = copy or not array.flags.writeable
    else:  # CuPy waits for the stream that the other library names
        array = cuda().module.from_dlpack(ext_tensor)
    if copy:
        array = array.copy()
    of(array.dtype)
    out = make(array)
    return out if device is None else out.to(device)


# ---- CuPy


def _cuda_array_interface(self: Tensor) -> dict[str, Any]:
    """CuPy's, Numba's and others' view of the memory, without a copy."""
    if not self.is_cuda:
        raise AttributeError(
            "Can't get __cuda_array_interface__ on non-CUDA tensor type: "
            f"torch.{self.dtype.legacy}Tensor; use .cuda() first"
        )
    if edge_of(self) is not None:
        raise RuntimeError(
            "Can't get __cuda_array_interface__ on Variable that requires grad. If gradients "
            "aren't required, use var.detach() to get Variable that doesn't require grad."
        )
    return self._array.__cuda_array_interface__


def _cupy(self: Tensor) -> Any:
    """A CuPy array on the same memory: writes to one are seen in the other. RuntimeError for a
    tensor that requires grad, TypeError for one on the CPU."""
    if not self.is_cuda:
        raise TypeError("can't convert cpu device type tensor to cupy. Use Tensor.cuda() first.")
    if edge_of(self) is not None and recording():
        raise RuntimeError(
            "Can't call cupy() on Tensor that requires grad. Use tensor.detach().cupy() instead."
        )
    return self._array[...]


def _record_stream(self: Tensor, stream: Any) -> None:
    """Say that `stream` uses this tensor's memory: the current stream, to which the memory returns
    when the tensor goes, waits for what `stream` was given so far. RuntimeError for a tensor on
    the CPU."""
    if not self.is_cuda:
        raise RuntimeError("record_stream(): expected a tensor on CUDA, got one on the cpu")
    stream.record_event().wait()


# ---- copies and pickles


def _deepcopy(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """A leaf with memory, gradient and attributes of its own; tensors that share memory share it in
    the copy too.
    """
    if id(self) in memo:
        return memo[id(self)]
    edge = edge_of(self)
    if edge is not None and edge.seq:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment: "
            "copy x.detach() instead"
        )
    out = memo[id(self)] = new(type(self))
    out._array, out._edge = _copied_memory(self._array, memo), None
    if modes:
        mark(out)
    if edge is not None:
        requires_grad_(out)
    grad = self.grad  # type: ignore[attr-defined]
    if grad is not None:
        out.grad = copy.deepcopy(grad, memo)
    if hasattr(self, "__dict__"):
        out.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return out


def _copied_memory(array: Any, memo: dict[int, Any]) -> Any:
    """A copy of an array. Where it is part of a larger one, the same part of one copy of that."""
    whole = memory_of(array)
    if not isinstance(array, np.ndarray) or not (
        whole.flags.c_contiguous or whole.flags.f_contiguous
    ):
        with guard(array):
            return array.copy(order="K") if isinstance(array, np.ndarray) else array.copy()
    if id(whole) not in memo:
        memo[id(whole)] = whole.copy(order="K")
        memo.setdefault(id(memo), []).append(whole)  # keeps it alive, so that its id stays its own
    if whole is array:
        return memo[id(whole)]
    start = array.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    flat = (
        memo[id(whole)].reshape(-1, order="C" if whole.flags.c_contiguous else "F").view(np.uint8)
    )
    return (
        np.ndarray(array.shape, array.dtype, flat, start, array.strides)
        if array.size
        else array.copy()
    )


def _reduce(self: Tensor, protocol: Any) -> Any:
    """Pickled are the elements, the device and whether a gradient is required; the history is
    not."""
    kept = dict(self.__dict__) if hasattr(self, "__dict__") else None
    place = device_of(self._array)
    return rebuild, (type(self), host_array(self), edge_of(self) is not None, kept, str(place))


def rebuild(
    kind: type, array: Any, requires_grad: bool, attributes: dict | None = None, place: str = "cpu"
) -> Tensor:
    """Unpickle a tensor. RuntimeError where its device is not there."""
    out = new(kind)
    out._array, out._edge = move(array, device(place)), None
    if modes:
        mark(out)
    if requires_grad:
        requires_grad_(out)
    if attributes:
        out.__dict__.update(attributes)
    return out


def _bind() -> None:
    t: Any = Tensor
    t.__iter__, t.__reversed__, t.__contains__ = _iter, _reversed, _contains
    t.__array__, t.__array_wrap__, t.__array_ufunc__, t.__array_priority__ = (
        _array,
        _array_wrap,
        _array_ufunc,
        1000,
    )
    t.__dlpack__, t.__dlpack_device__ = _dlpack, _dlpack_device
    t.__cuda_array_interface__, t.cupy = property(_cuda_array_interface), _cupy
    t.record_stream = _record_stream
    t.__deepcopy__, t.__reduce_ex__ = _deepcopy, _reduce


_bind()
