"""What the random functions accept: generators, dtypes, bounds, probabilities; their errors."""

import warnings
from typing import Any

import numpy as np

from .._core.device import cpu, device
from .._core.dtype import of
from .._core.random import Generator, default_for

__all__ = [
    "check_bounds", "check_one_probability", "check_positive", "check_probabilities", "check_std",
    "check_uniform", "first_of", "generator_of", "integer", "not_implemented", "real",
]  # fmt: skip

# The names that PyTorch's messages give to the types of elements.
_C_NAMES = {
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
    "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int",
    "int64": "long", "bool": "bool",
}  # fmt: skip
_DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}


def generator_of(generator: Any, op: str, place: device = cpu) -> Generator:
    """The generator to draw from for a device: its default one for None. RuntimeError for one of
    another type of device, TypeError for anything else."""
    if generator is None:
        return default_for(place)
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{op}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}"
        )
    if generator.device.type != place.type:
        raise RuntimeError(
            f"Expected a '{place.type}' device type for generator but found "
            f"'{generator.device.type}'"
        )
    return generator


def not_implemented(kernel: str, dtype: np.dtype) -> NotImplementedError:
    """The error for a dtype that a function has no numbers of."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{of(dtype).legacy}'")


def is_floating(dtype: np.dtype) -> bool:
    """float16, bfloat16, float32 or float64?"""
    return of(dtype).is_floating_point


def real(value: Any, name: str, op: str) -> float:
    """A Python float out of a number or a 0-d Tensor. TypeError for anything else."""
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{op}(): argument '{name}' must be float, not {type(value).__name__}"
        ) from None


def integer(value: Any, name: str, op: str) -> int:
    """A Python int. TypeError for a float or anything else."""
    if not hasattr(value, "__index__"):
        raise TypeError(
            f"{op}() received an invalid combination of arguments: '{name}' must be int, "
            f"not {type(value).__name__}"
        )
    return value.__index__()


def _limits(dtype: np.dtype) -> tuple[float, float]:
    if dtype.name == "bfloat16":
        import ml_dtypes

        info: Any = ml_dtypes.finfo(dtype)
    elif dtype.kind == "b":
        return 0, 1
    else:
        info = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    convert = int if dtype.kind in "iu" else float
    return convert(info.min), convert(info.max)


def check_uniform(low: float, high: float, dtype: np.dtype) -> None:
    """RuntimeError for ends that are out of the dtype's range or order, or too far apart."""
    entry = of(dtype)
    if not (entry.is_floating_point or entry.is_complex):
        raise not_implemented("check_uniform_bounds", dtype)
    if entry.is_complex:
        dtype, entry = entry.to_real().numpy, entry.to_real()
    bottom, top = _limits(dtype)
    for name, value in (("from", low), ("to", high)):
        if not bottom <= value <= top:
            raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[dtype.name]}: got {value:g}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > top:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{entry.legacy}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def check_std(std: float, dtype: np.dtype) -> None:
    """RuntimeError for a negative standard deviation, NotImplementedError for integer dtypes."""
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    if not (is_floating(dtype) or dtype.kind == "c"):
        raise not_implemented("normal_kernel_cpu", dtype)


def check_positive(value: float, op: str, name: str) -> None:
    """RuntimeError for a parameter that is not above 0."""
    if not value > 0:
        raise RuntimeError(f"{op} expects {name} > 0.0, but found {name}={value:g}")


def check_one_probability(p: float, op: str) -> None:
    """RuntimeError for a probability outside [0, 1]."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"{op} expects p to be in [0, 1], but got p={p:g}")


def check_probabilities(p: Any, op: str) -> None:
    """RuntimeError for a probability outside [0, 1], NotImplementedError for integer dtypes. Waits
    for a CUDA device."""
    if not is_floating(p.dtype):
        raise not_implemented("bernoulli_tensor_cpu_p_", p.dtype)
    good = (p >= 0) & (p <= 1)
    if not good.all():
        raise RuntimeError(
            f"{op}: Expected p_in >= 0 && p_in <= 1 to be true of every probability, but got "
            f"{first_of(p, ~good):g}"
        )


def first_of(values: Any, wrong: Any) -> float:
    """The first value of those that a mask shows, for a message."""
    return float(values[wrong][0])


def check_bounds(low: int, high: int | None, dtype: np.dtype) -> None:
    """RuntimeError for a range [low, high) that is empty or that the dtype does not cover."""
    if dtype.kind == "c":
        raise RuntimeError(
            "random_: check_random_bounds handles only integral, floating-point and boolean types, "
            f"but got {of(dtype)}"
        )
    bottom, top = _limits(dtype)
    name = _C_NAMES[dtype.name]
    if high is not None and low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    ends = [("from", low)] if high is None else [("from", low), ("to - 1", high - 1)]
    for what, value in ends:
        if not bottom <= value <= top:
            raise RuntimeError(f"{what} is out of bounds for {name}: got {value}")
    bits = _DIGITS.get(dtype.name, 0)
    for what, value in ends if bits else ():
        if abs(value) > 2**bits:
            warnings.warn(
                f"{what} is out of bounds [-(2^{bits}), 2^{bits}]. Beyond them {name} does not "
                f"hold every whole number, so not all of the range can be drawn; got {value}",
                UserWarning,
                stacklevel=4,
            )
