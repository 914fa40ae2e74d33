"""Moving a module's parameters and buffers to another dtype or device."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from ..._core.device import device as Device
from ..._core.dtype import BY_NAME
from ..._core.dtype import dtype as Dtype
from ..._core.tensor import Tensor
from ...autograd.grad_mode import no_grad
from ._tree import Tree


class Conversions(Tree):
    """The part of `Module` that converts what it contains, in place."""

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert all parameters and buffers: `to(device)`, `to(dtype)`, `to(device, dtype)` or
        `to(tensor)`, each with `non_blocking=False`.

        The dtype, floating point or complex (else TypeError), is for the floating-point and
        complex ones only. The module is changed in place and returned; parameters keep their
        identity.
        """
        device, dtype, non_blocking = parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        def convert(tensor: Tensor) -> Tensor:
            inexact = tensor.is_floating_point() or tensor.is_complex()
            target = device if device is not None else tensor.device
            wanted = dtype if dtype is not None and inexact else tensor.dtype
            return tensor.to(target, wanted, non_blocking)

        return self._apply(convert)

    def type(self, dst_type: Any) -> Self:
        """Cast all parameters and buffers to a dtype. Returns self."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self) -> Self:
        """Cast the floating-point parameters and buffers to float32. Returns self."""
        return self._apply(caster(BY_NAME["float32"]))

    def double(self) -> Self:
        """Cast the floating-point parameters and buffers to float64. Returns self."""
        return self._apply(caster(BY_NAME["float64"]))

    def half(self) -> Self:
        """Cast the floating-point parameters and buffers to float16. Returns self."""
        return self._apply(caster(BY_NAME["float16"]))

    def bfloat16(self) -> Self:
        """Cast the floating-point parameters and buffers to bfloat16. Returns self."""
        return self._apply(caster(BY_NAME["bfloat16"]))

    def cuda(self, device: Any = None) -> Self:
        """Move all parameters and buffers to a GPU, the current one by default. Returns self."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def cpu(self) -> Self:
        """Move all parameters and buffers to host memory. Returns self."""
        return self._apply(lambda tensor: tensor.cpu())

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Give all parameters and buffers fresh memory on a device, not initialised."""
        from ... import empty_like

        return self._apply(lambda tensor: empty_like(tensor, device=device), recurse)

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> Self:
        """Replace the data of every parameter, gradient and buffer by `fn` of it, in place."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is None:
                    continue
                grad = parameter.grad
                # The old gradient would not fit the new data: it steps aside for the exchange.
                parameter.grad = None
                parameter.data = fn(parameter.data)
                if grad is not None:
                    grad.data = fn(grad.data)
                    parameter.grad = grad
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self


def caster(dtype: Any) -> Callable[[Any], Any]:
    """The function that casts floating-point tensors and leaves others as they are."""
    return lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor


def parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool]:
    """The device, dtype and `non_blocking` of the three forms of `to`. TypeError for others."""
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    tensor = kwargs.pop("tensor", None)
    non_blocking = kwargs.pop("non_blocking", False)
    kwargs.pop("copy", None)
    if kwargs:
        raise TypeError(f"to() received an unexpected keyword argument '{next(iter(kwargs))}'")
    flags = []
    for value in args:
        if isinstance(value, bool):
            flags.append(value)
        elif isinstance(value, Tensor):
            tensor = value
        elif isinstance(value, Dtype):
            dtype = value
        elif isinstance(value, (str, int, Device)):
            device = value
        elif value is not None:
            raise TypeError(
                "to() takes a device, a dtype or a tensor, but got an argument of type "
                f"{type(value).__name__}"
            )
    if flags:
        non_blocking = flags[0]
    if tensor is not None:
        device, dtype = tensor.device, tensor.dtype
    return (None if device is None else Device(device)), dtype, non_blocking
