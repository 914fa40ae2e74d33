"""In-place random fills: uniform_, normal_, random_, bernoulli_ and their kin.

A fill overwrites the tensor in memory order and counts as a write. What stood there has no
influence on the result, so its gradient is zero.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .._core.device import device_of, library, move
from .._core.dtype import of
from .._core.random import draw, fill
from .._core.tensor import Tensor, make
from .declare import Array, composite, op
from .helpers import raw
from .inplace import write_inplace
from .random_check import (
    check_bounds,
    check_one_probability,
    check_positive,
    check_probabilities,
    check_std,
    check_uniform,
    generator_of,
    integer,
    is_floating,
    not_implemented,
    real,
)

__all__ = [
    "bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "no_gradient", "normal_",
    "random_", "uniform_",
]  # fmt: skip


def no_gradient(grad: Any) -> Any:
    """Zeros in place of a gradient, also where that is infinite."""
    array = raw(grad)
    zeros = library(array).zeros_like(array)
    return make(zeros) if isinstance(grad, Tensor) else zeros


def _declare(node: str) -> Any:
    """The op of one kind of fill: `draw(array)` writes the numbers."""

    @op(where=(), name=f"_fill_{node}", node=node)
    def overwrite(xp, input: Array, draw):
        """Random numbers in the shape of the input, which has no influence: dL/dx = 0."""
        array = input.copy()
        draw(array)
        return array

    overwrite.derivative(input=lambda grad: no_gradient(grad))

    @overwrite.write
    def _(xp, input, draw):
        draw(input)

    return overwrite.op


_FILLS = {
    node: _declare(node)
    for node in (
        "UniformBackward0", "NormalBackward0", "RandomBackward0", "RandomBackward1",
        "RandomBackward2",
        "BernoulliBackward1", "BernoulliBackward2", "ExponentialBackward0", "CauchyBackward0",
        "LogNormalBackward0", "GeometricBackward0",
    )
}  # fmt: skip


def _overwrite(target: Any, node: str, draw: Callable[[Any], Any]) -> Tensor:
    return write_inplace(_FILLS[node], target, (draw,), {})


def _array(input: Any, op_name: str) -> Any:
    if not isinstance(input, Tensor):
        raise TypeError(
            f"{op_name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
        )
    return input._array


def _named(value: Any, named: dict[str, Any], op_name: str) -> Any:
    """An argument that PyTorch calls `from`, which Python has no parameter for."""
    if unknown := set(named) - {"from"}:
        raise TypeError(f"{op_name}() got an unexpected keyword argument '{unknown.pop()}'")
    return named.get("from", value)


@composite(where=("Tensor",))
def uniform_(
    input: Tensor, low: Any = 0.0, to: Any = 1.0, *, generator: Any = None, **named: Any
) -> Tensor:
    """Fill with uniform numbers of [from, to), in place. The first bound is PyTorch's `from`.

    y = u (to - from) + from            dL/dx = 0

    Floating and complex dtypes. RuntimeError for bounds out of order or out of the dtype's range,
    NotImplementedError for integer dtypes.
    """
    array = _array(input, "uniform_")
    low, high = real(_named(low, named, "uniform_"), "from", "uniform_"), real(to, "to", "uniform_")
    gen = generator_of(generator, "uniform_", device_of(array))
    check_uniform(low, high, array.dtype)
    return _overwrite(
        input, "UniformBackward0", lambda a: draw(a, gen.uniform, low, high, dtype=a.dtype)
    )


@composite(where=("Tensor",))
def normal_(input: Tensor, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with normal numbers, in place.

    y = std z + mean            dL/dx = 0

    Floating and complex dtypes. RuntimeError for a negative `std`, NotImplementedError for integer
    dtypes.
    """
    array = _array(input, "normal_")
    mean, std = real(mean, "mean", "normal_"), real(std, "std", "normal_")
    gen = generator_of(generator, "normal_", device_of(array))
    check_std(std, array.dtype)
    return _overwrite(input, "NormalBackward0", lambda a: fill_normal(a, mean, std, gen))


def fill_normal(array: Any, mean: float, std: float, gen: Any) -> Any:
    """Normal numbers into an array, one by one where it has gaps or another memory order."""
    whole = array.flags.c_contiguous
    return draw(array, gen.normal, mean, std, dtype=array.dtype, contiguous=whole)


@composite(where=("Tensor",))
def random_(input: Tensor, *bounds: Any, generator: Any = None, **named: Any) -> Tensor:
    """Fill with whole numbers, in place: `random_()`, `random_(to)` or `random_(from, to)`.

    y is drawn from [from, to); `from` is 0 by default. Without `to`, or with None, up to the
    greatest number of an integer dtype, or 2^digits of a floating one, included.            dL/dx =
    0

    RuntimeError for an empty range and for one that the dtype does not cover; UserWarning for a
    floating dtype that does not hold every number of it.
    """
    array = _array(input, "random_")
    gen = generator_of(generator, "random_", device_of(array))
    if len(bounds) + len(named) > 2 or set(named) - {"from", "to"}:
        raise TypeError(
            "random_() received an invalid combination of arguments: expected (), (to) or "
            f"(from, to), but got {len(bounds)} bounds and the names {sorted(named)}"
        )
    low, high, node = _range(bounds, named)
    if low is None:
        if array.dtype.kind == "c":
            raise not_implemented("random_kernel_cpu", array.dtype)
    else:
        check_bounds(low, high, array.dtype)
    return _overwrite(input, node, lambda a: draw(a, gen.random, low, high, dtype=a.dtype))


def _range(bounds: tuple, named: dict[str, Any]) -> tuple[int | None, int | None, str]:
    """from, to, and the node's name: each overload of PyTorch's has its own."""
    if len(bounds) == 1 and not named:
        return 0, integer(bounds[0], "to", "random_"), "RandomBackward1"
    if not bounds and set(named) == {"to"}:
        return 0, integer(named["to"], "to", "random_"), "RandomBackward1"
    if not bounds and not named:
        return None, None, "RandomBackward2"
    low = bounds[0] if bounds else named["from"]
    high = bounds[1] if len(bounds) == 2 else named.get("to")
    low = integer(low, "from", "random_")
    return low, None if high is None else integer(high, "to", "random_"), "RandomBackward0"


@composite(where=("Tensor",))
def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Any = None) -> Tensor:
    """Fill with ones of probability `p` and zeros, in place; `p` a number, or a Tensor that
    broadcasts.

    y = 1 if u < p else 0            dL/dx = 0

    Every dtype but the complex ones. RuntimeError for probabilities outside [0, 1] and for a `p`
    that does not broadcast to the input's shape.
    """
    array = _array(input, "bernoulli_")
    gen = generator_of(generator, "bernoulli_", device_of(array))
    if array.dtype.kind == "c":
        raise not_implemented("bernoulli_scalar_cpu_", array.dtype)
    if not isinstance(p, Tensor):
        p = real(p, "p", "bernoulli_")
        check_one_probability(p, "bernoulli_")
        return _overwrite(input, "BernoulliBackward2", lambda a: draw(a, gen.bernoulli, p))
    chances = move(p._array, device_of(array))
    check_probabilities(chances, "bernoulli_")
    try:
        each = library(array).broadcast_to(chances, array.shape)
    except ValueError:
        raise RuntimeError(
            f"bernoulli_(): The expanded size of the tensor {list(array.shape)} must match the "
            f"existing size of p, {list(p.shape)}, at non-singleton dimensions"
        ) from None
    return _overwrite(input, "BernoulliBackward1", lambda a: _fill_each(a, each, gen))


def _fill_each(array: Any, p: Any, gen: Any) -> None:
    order = sorted(range(array.ndim), key=lambda d: -abs(array.strides[d]))
    fill(array, gen.bernoulli_each(p.transpose(order).reshape(-1)))


@composite(where=("Tensor",))
def exponential_(input: Tensor, lambd: Any = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with exponential numbers of rate `lambd`, in place.

    y = -log(1 - u) / lambd            dL/dx = 0

    Floating dtypes, RuntimeError for others and for a rate that is not above 0.
    """
    array = _array(input, "exponential_")
    lambd = real(lambd, "lambd", "exponential_")
    gen = generator_of(generator, "exponential_", device_of(array))
    _continuous(array.dtype, "Exponential")
    check_positive(lambd, "exponential_", "lambda")
    return _overwrite(
        input, "ExponentialBackward0", lambda a: draw(a, gen.exponential, lambd, dtype=a.dtype)
    )


@composite(where=("Tensor",))
def cauchy_(input: Tensor, median: Any = 0.0, sigma: Any = 1.0, *, generator: Any = None) -> Tensor:
    """Fill with Cauchy numbers, in place.

    y = median + sigma tan(pi (u - 1/2))            dL/dx = 0

    Floating dtypes, RuntimeError for others and for a `sigma` that is not above 0.
    """
    array = _array(input, "cauchy_")
    median, sigma = real(median, "median", "cauchy_"), real(sigma, "sigma", "cauchy_")
    gen = generator_of(generator, "cauchy_", device_of(array))
    _continuous(array.dtype, "Cauchy")
    check_positive(sigma, "cauchy_", "sigma")
    return _overwrite(
        input, "CauchyBackward0", lambda a: draw(a, gen.cauchy, median, sigma, dtype=a.dtype)
    )


def _continuous(dtype: np.dtype, name: str) -> None:
    if not is_floating(dtype):
        raise RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {of(dtype).legacy}"
        )


@composite(where=("Tensor",))
def log_normal_(input: Tensor, mean: Any = 1.0, std: Any = 2.0, *, generator: Any = None) -> Tensor:
    """Fill with numbers whose logarithm is normal, in place; `mean` and `std` are the logarithm's.

    y = exp(std z + mean)            dL/dx = 0

    Floating dtypes, NotImplementedError for others; RuntimeError for a `std` that is not above 0.
    """
    array = _array(input, "log_normal_")
    mean, std = real(mean, "mean", "log_normal_"), real(std, "std", "log_normal_")
    gen = generator_of(generator, "log_normal_", device_of(array))
    check_positive(std, "log_normal_", "std")
    if not is_floating(array.dtype):
        raise not_implemented("log_normal_cpu", array.dtype)
    return _overwrite(
        input, "LogNormalBackward0", lambda a: draw(a, gen.log_normal, mean, std, dtype=a.dtype)
    )


@composite(where=("Tensor",))
def geometric_(input: Tensor, p: Any, *, generator: Any = None) -> Tensor:
    """Fill with the number of trials up to the first success of probability `p`, in place.

    y = ceil(log(u) / log(1 - p))            dL/dx = 0

    Every dtype but bool and the complex ones (NotImplementedError). RuntimeError for a `p` outside
    (0, 1).
    """
    array = _array(input, "geometric_")
    p, gen = real(p, "p", "geometric_"), generator_of(generator, "geometric_", device_of(array))
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if array.dtype.kind in "bc":
        raise not_implemented("geometric_cpu", array.dtype)
    return _overwrite(
        input, "GeometricBackward0", lambda a: draw(a, gen.geometric, p, dtype=a.dtype)
    )
