"""Variable: what tensors that require grad were called once. Old programs still name it."""

import warnings
from typing import Any

import numpy as np

from .._core.dtype import get_default_dtype
from .._core.tensor import Tensor, make
from .passes import queue_callback

__all__ = ["Variable"]


class _Engine:
    """What programs know as `Variable._execution_engine`."""

    def queue_callback(self, callback: Any) -> None:
        """Call `callback()` at the end of the backward pass in progress, when every `.grad` is
        filled; not where the pass fails. RuntimeError outside of a backward pass.
        """
        queue_callback(callback)


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """`Variable(data, requires_grad)` gives a Tensor at the same memory, without a history; every
    Tensor is an instance of Variable.

    Args:
        data: a Tensor; default: an empty one.
        requires_grad: record operations on it.
        volatile: without effect, with a warning.

    Raises:
        TypeError: data is no Tensor.
        RuntimeError: requires_grad of a dtype that is neither floating nor complex.
    """

    _execution_engine = _Engine()

    def __new__(  # type: ignore[misc]
        cls, data: Tensor | None = None, requires_grad: bool | None = None, volatile: Any = None
    ) -> Tensor:
        """See the class."""
        if volatile is not None:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.",
                UserWarning,
                stacklevel=2,
            )
        if data is None:
            out = make(np.empty(0, get_default_dtype().numpy))
        elif isinstance(data, Tensor):
            out = data.detach()
        else:
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return out.requires_grad_() if requires_grad else out
