"""Activations as nn.functional shows them: with `inplace`, and forms that end in an underscore."""

from typing import Any

from .._core.tensor import Tensor
from .activation import (
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    relu,
    relu6,
    threshold,
)
from .declare import PUBLIC
from .inplace import write_inplace
from .smooth import celu, elu, logsigmoid, mish, selu, silu, softplus

__all__: list[str] = []

# ---- the faces: nn.functional takes `inplace`, and a few names end in an underscore


def _expose(function: Any, named: tuple[str, ...] = (), methods: tuple[str, ...] = ()) -> None:
    """nn.functional.f(input, ..., inplace=False) for an op f, and f_ in the places of `named`."""
    name = function.op.name
    entry, params = function.op, function.op.params

    def run(input: Tensor, *args: Any, inplace: bool = False, **kwargs: Any) -> Tensor:
        if len(args) == len(params):  # `inplace` came by position
            *args, inplace = args  # type: ignore[assignment]
        return (
            write_inplace(entry, input, tuple(args), kwargs)
            if inplace
            else function(input, *args, **kwargs)
        )

    def in_place(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return write_inplace(entry, input, args, kwargs)

    run.__name__ = run.__qualname__ = name
    run.__doc__, run.__module__ = function.__doc__, function.__module__
    run.op = entry  # type: ignore[attr-defined]
    in_place.__name__ = in_place.__qualname__ = name + "_"
    in_place.__doc__ = (
        f"In-place form of `{name}`: the result is written into the input, which is returned."
    )
    PUBLIC["nn.functional"][name] = run
    for place in named:
        PUBLIC[place][name + "_"] = in_place
        if place == "" and name not in PUBLIC[""]:
            PUBLIC[""][name] = function


def _expose_all() -> None:
    both, functional = ("", "nn.functional"), ("nn.functional",)
    for function in (relu, selu, celu, threshold):
        _expose(function, both)
    for function in (elu, leaky_relu):
        _expose(function, functional)
    for function in (relu6, silu, mish, hardsigmoid, hardswish):
        _expose(function)
    PUBLIC["nn.functional"]["hardshrink"] = hardshrink
    PUBLIC["nn.functional"]["logsigmoid"] = logsigmoid
    PUBLIC["nn.functional"]["softplus"] = softplus


_expose_all()


def _hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if inplace:
        return write_inplace(hardtanh.op, input, (min_val, max_val), {})
    return hardtanh(input, min_val, max_val)


def _hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """In-place form of `hardtanh`."""
    return _hardtanh(input, min_val, max_val, inplace=True)


_hardtanh.__name__, _hardtanh.__doc__ = "hardtanh", hardtanh.__doc__
PUBLIC["nn.functional"].update(hardtanh=_hardtanh, hardtanh_=_hardtanh_)
