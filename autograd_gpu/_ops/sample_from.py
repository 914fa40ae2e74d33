"""Random numbers of parameters that are tensors: normal, bernoulli, poisson, binomial, multinomial.

A draw is a step function of its parameters where it is one at all, so gradients through it are
zero.
"""

from typing import Any

import numpy as np

from .._core.device import as_device, cpu, device_of, move
from .._core.dtype import of
from .._core.random import draw, like
from .._core.size import size_from
from .._core.tensor import Tensor
from .declare import Array, composite, op
from .random_check import (
    check_one_probability,
    check_probabilities,
    check_std,
    first_of,
    generator_of,
    is_floating,
    not_implemented,
    real,
)
from .random_fill import fill_normal, no_gradient
from .sample import create

__all__ = ["bernoulli", "binomial", "multinomial", "normal", "poisson"]


def _standard(
    shape: tuple[int, ...], std: float, array: Any, dtype: np.dtype, generator: Any
) -> Any:
    """Normal numbers about 0 beside an array, on its device."""
    gen = generator_of(generator, "normal", device_of(array))
    return fill_normal(like(array, shape, dtype), 0.0, std, gen)


@op(where=(), node="NormalBackward1")
def _normal_mean(xp, mean: Array, std, generator):
    """Normal numbers about each mean: y = z + m, z of deviation `std`; dL/dm = 0."""
    check_std(std, mean.dtype)
    return _standard(mean.shape, std, mean, mean.dtype, generator) + mean


@op(where=(), node="NormalBackward2")
def _normal_std(xp, std: Array, mean, generator):
    """Normal numbers of each deviation: y = s z + mean; dL/ds = 0."""
    _check_each_std(std)
    drawn = _standard(std.shape, 1.0, std, std.dtype, generator)
    return (drawn * std + std.dtype.type(mean)).astype(std.dtype)


@op(where=(), node="NormalBackward3", promote="same")
def _normal_both(xp, mean: Array, std: Array, generator):
    """Normal numbers: y = s z + m, with broadcasting; dL/dm = dL/ds = 0."""
    _check_each_std(std)
    shape = np.broadcast_shapes(mean.shape, std.shape)
    return _standard(shape, 1.0, mean, mean.dtype, generator) * std + mean


def _check_each_std(std: Any) -> None:
    if std.dtype.kind == "c":
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if not (std >= 0).all():
        raise RuntimeError(
            "normal expects all elements of std >= 0.0, "
            f"but found {first_of(std, ~(std >= 0)):g}"
        )
    check_std(1.0, std.dtype)


_normal_mean.derivative(mean=lambda grad: no_gradient(grad))
_normal_std.derivative(std=lambda grad: no_gradient(grad))
_normal_both.derivative(mean=lambda grad: no_gradient(grad), std=lambda grad: no_gradient(grad))


@composite(where=("",))
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of given means and standard deviations, each a number or a Tensor.

    y = s z + m            dL/dm = dL/ds = 0

    Two numbers need a `size`; with a Tensor the shape is that to which both broadcast. RuntimeError
    for a negative deviation, NotImplementedError for integer dtypes.
    """
    tensors = isinstance(mean, Tensor), isinstance(std, Tensor)
    place = device_of((mean if tensors[0] else std)._array) if any(tensors) else as_device(device)
    generator_of(generator, "normal", place)
    if any(tensors) == (size is not None):
        raise TypeError(
            "normal() received an invalid combination of arguments - expected a size with two "
            f"numbers, and none with a Tensor, but got mean {type(mean).__name__}, "
            f"std {type(std).__name__}, size {size}"
        )
    if all(tensors):
        return _normal_both(mean, std, generator, out=out)
    if tensors[0]:
        return _normal_mean(mean, real(std, "std", "normal"), generator, out=out)
    if tensors[1]:
        return _normal_std(std, real(mean, "mean", "normal"), generator, out=out)
    write = _fill_normal(real(mean, "mean", "normal"), real(std, "std", "normal"))
    lengths = (size,) if isinstance(size, int) else tuple(size)
    return create("normal", size_from(lengths, "normal"), write, locals())


def _fill_normal(mean: float, std: float) -> Any:
    def write(array: np.ndarray, gen: Any) -> Any:
        check_std(std, array.dtype)
        return fill_normal(array, mean, std, gen)

    return write


@op(node="BernoulliBackward0")
def bernoulli(xp, input: Array, p=None, *, generator=None):
    """One with each probability in `input`, else zero; or, with a number `p`, of that probability
    in the input's shape.

    y = 1 if u < x else 0            dL/dx = 0

    RuntimeError for probabilities outside [0, 1], NotImplementedError for probabilities in an
    integer dtype.
    """
    gen = generator_of(generator, "bernoulli", device_of(input))
    if p is None:
        check_probabilities(input, "bernoulli")
        drawn = gen.bernoulli_each(input.reshape(-1))
    else:
        p = real(p, "p", "bernoulli")
        check_one_probability(p, "bernoulli_")
        if input.dtype.kind == "c":
            raise not_implemented("bernoulli_scalar_cpu_", input.dtype)
        drawn = draw(like(input, input.size, np.bool_), gen.bernoulli, p)
    return drawn.reshape(input.shape).astype(input.dtype)


bernoulli.derivative(input=lambda grad: no_gradient(grad))


@op(where=("",), node="PoissonBackward0")
def poisson(xp, input: Array, generator=None):
    """Poisson numbers, a count for each rate in `input`.

    P(y = k) = x^k e^-x / k!            dL/dx = 0

    RuntimeError for a negative rate, NotImplementedError for integer dtypes. The numbers of a CUDA
    tensor are drawn on the CPU.
    """
    gen = generator_of(generator, "poisson", device_of(input))
    if not is_floating(input.dtype):
        raise not_implemented("poisson_cpu", input.dtype)
    if not (input >= 0).all():
        raise RuntimeError(
            "invalid Poisson rate, expected rate to be non-negative, "
            f"but got {first_of(input, ~(input >= 0)):g}"
        )
    drawn = gen.poisson(move(input, cpu).reshape(-1)).reshape(input.shape)
    return move(drawn, device_of(input))


poisson.derivative(input=lambda grad: no_gradient(grad))


@op(where=("",), promote="same", node="BinomialBackward0")
def binomial(xp, count: Array, prob: Array, generator=None):
    """Successes in `count` trials of probability `prob`, with broadcasting.

    P(y = k) = C(n, k) p^k (1 - p)^(n - k)            dL/dcount = dL/dprob = 0

    NotImplementedError for integer dtypes. The numbers of a CUDA tensor are drawn on the CPU.
    """
    gen = generator_of(generator, "binomial", device_of(count))
    if not is_floating(count.dtype):
        raise not_implemented("binomial_cpu", count.dtype)
    n, p = np.broadcast_arrays(move(count, cpu), move(prob, cpu))
    drawn = gen.binomial(n.reshape(-1), p.reshape(-1)).reshape(n.shape)
    return move(drawn, device_of(count))


binomial.derivative(count=lambda grad: no_gradient(grad), prob=lambda grad: no_gradient(grad))


@op()
def multinomial(xp, input: Array, num_samples, replacement=False, *, generator=None):
    """Indices drawn with the weights in `input`: `num_samples` of them, of each row of a matrix or
    of a vector.

    P(y = i) = x_i / sum(x); without replacement each index at most once. (n) -> (num_samples), (m,
    n) -> (m, num_samples), int64. No derivative.

    RuntimeError for other dimensions or dtypes, negative, infinite or NaN weights, weights that sum
    to zero, and more samples than there are weights without replacement.
    """
    gen = generator_of(generator, "multinomial", device_of(input))
    _check_weights(xp, input, num_samples, replacement)
    if not input.size:
        return xp.empty((*input.shape[:-1], num_samples), np.int64)
    return gen.multinomial(xp.ascontiguousarray(input), num_samples, replacement)


def _check_weights(xp: Any, weights: Any, count: int, replacement: bool) -> None:
    if not 0 < weights.ndim <= 2:
        raise RuntimeError(f"multinomial(): prob_dist must be 1 or 2 dim, but got {weights.ndim}")
    if not is_floating(weights.dtype):
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, "
            f"got: {of(weights.dtype).legacy}"
        )
    if count <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {count}")
    if not replacement and count > weights.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{count} of {weights.shape[-1]}"
        )
    if not (xp.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError(
            "multinomial(): probability tensor contains either `inf`, `nan` or element < 0"
        )
    if weights.size and not (weights.sum(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
