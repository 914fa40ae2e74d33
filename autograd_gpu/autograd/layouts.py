"""Does a backward mind how its gradients lie in memory? It gets strided ones (behind a transpose),
expanded ones (behind a sum) and reversed ones (behind a flip of an array of NumPy's)."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._core.device import guard, library
from .._core.tensor import Tensor, make
from .analytical import GradcheckError, gradients, seed_of
from .numerical import host

__all__ = ["check_layouts"]


def check_layouts(outs: list[Tensor], targets: list[Tensor], tolerance: float) -> None:
    """GradcheckError where an output's gradient of some layout gives other gradients than a dense
    one of the same numbers, or an error. `tolerance`: how far two passes may differ anyway."""
    rng = np.random.default_rng(0)
    for place, out in enumerate(outs):
        if out._array.size < 2:
            continue
        values = _random(rng, out)
        wanted = None
        for name, like_dense, seed in _relaid(out, values):
            if wanted is None or not like_dense:
                wanted = gradients(out, targets, _dense(seed))
            try:
                found = gradients(out, targets, seed)
            except Exception as error:
                raise GradcheckError(
                    f"Backward fails for a grad_output that is {name} in memory, of output "
                    f"{place}: {type(error).__name__}: {error}"
                ) from error
            _compare(found, wanted, name, place, tolerance)


def _random(rng: Any, out: Tensor) -> np.ndarray:
    shape, dtype = out._array.shape, out._array.dtype
    values = rng.uniform(0.5, 1.5, shape) * rng.choice((-1.0, 1.0), shape)
    if dtype.kind == "c":
        values = values + 1j * rng.uniform(0.5, 1.5, shape)
    return np.asarray(values)


def _relaid(out: Tensor, values: np.ndarray) -> Iterator[tuple[str, bool, Tensor]]:
    """(layout, are its numbers `values`?, a gradient that lies so)"""
    array = seed_of(out, values)._array
    shape, xp = array.shape, library(array)
    with guard(array):
        wide = xp.zeros((*shape[::-1][:-1], 2 * shape[0]), array.dtype)
        strided = wide[..., ::2].T
        strided[...] = array
        yield "strided", True, make(strided)
        turned = (slice(None, None, -1),) * len(shape)
        yield "reversed", True, make(xp.ascontiguousarray(array[turned])[turned])
        first = array.reshape(-1)[:1].reshape((1,) * len(shape))
        yield "expanded", False, make(xp.broadcast_to(first, shape))
        if len(shape) > 1 and shape[0] > 1:
            yield "expanded", False, make(xp.broadcast_to(array[:1], shape))


def _dense(seed: Tensor) -> Tensor:
    with guard(seed._array):
        return make(library(seed._array).array(seed._array, order="C"))


def _compare(found: list, wanted: list, name: str, place: int, tolerance: float) -> None:
    for index, (a, b) in enumerate(zip(found, wanted, strict=True)):
        if a is None and b is None:
            continue
        if a is None or b is None or not _same(host(a), host(b), tolerance):
            raise GradcheckError(
                f"Gradient depends on the memory layout of grad_output: for output {place} with "
                f"respect to input {index},\n{name}:{_shown(a)}\ndense:{_shown(b)}\n"
            )


def _same(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    """Equal but for the rounding of sums in another order."""
    finite = b[np.isfinite(b)]
    largest = float(np.abs(finite).max()) if finite.size else 0.0
    slack = tolerance + largest * float(np.sqrt(np.finfo(b.dtype).eps))
    return bool(np.allclose(a, b, 0, slack, equal_nan=True))


def _shown(array: Any) -> Any:
    return None if array is None else make(array)
