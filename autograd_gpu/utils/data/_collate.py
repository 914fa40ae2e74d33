"""How a list of samples becomes a batch."""

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ... import as_tensor, float64, stack, tensor
from ..._core.tensor import Tensor, make
from .dataset import Subset, TensorDataset

__all__ = ["default_collate", "default_convert", "fast_batch"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack a list of samples: n samples of shape S give a batch of shape (n, *S).

    Tensors and NumPy arrays are stacked; Python numbers give a tensor (floats float64); strings
    and bytes stay a list; of mappings and sequences each part is collated, and the container is
    kept (a tuple gives a list).

    Raises RuntimeError for shapes or lengths that differ, TypeError for samples of another kind.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(list(batch), 0)
    if isinstance(first, np.ndarray):
        if first.dtype.kind not in "biufcV":
            raise _unknown(first.dtype)
        return stack([as_tensor(sample) for sample in batch], 0)
    if isinstance(first, np.bool_ | np.number):
        return as_tensor(np.array(batch))
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        values = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return _like_mapping(first, values)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(part) for part in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        return parts if isinstance(first, tuple) else _like_sequence(first, parts)
    raise _unknown(type(first))


def default_convert(data: Any) -> Any:
    """NumPy arrays and numbers as tensors, also inside containers; all else as it is."""
    if isinstance(data, np.ndarray | np.bool_ | np.number):
        return as_tensor(data) if np.asarray(data).dtype.kind in "biufcV" else data
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(part) for part in data))
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        parts = [default_convert(part) for part in data]
        return parts if isinstance(data, tuple) else _like_sequence(data, parts)
    return data


def _unknown(kind: Any) -> TypeError:
    return TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
        f"found {kind}"
    )


def _like_mapping(pattern: Any, values: dict[Any, Any]) -> Any:
    """`values` in a mapping like `pattern`, a dict where there is no way to make one."""
    try:
        if isinstance(pattern, MutableMapping):
            clone = copy.copy(pattern)
            clone.update(values)
            return clone
        return type(pattern)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def _like_sequence(pattern: Any, values: list[Any]) -> Any:
    """`values` in a sequence like `pattern`, a list where there is no way to make one."""
    try:
        if isinstance(pattern, MutableSequence):
            clone = copy.copy(pattern)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return type(pattern)(values)  # type: ignore[call-arg]
    except TypeError:
        return values


def fast_batch(dataset: Any, collate: Callable[..., Any]) -> Callable[[list[int]], Any] | None:
    """A function that gives what fetching and collating gives, with one indexing a tensor.

    None where that may differ: for another `collate`, for a data set that is not exactly a
    TensorDataset (or subsets of one), and for tensors that take part in a graph.
    """
    if collate is not default_collate:
        return None
    chain = []
    while type(dataset) is Subset:
        chain.append(dataset.indices)
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or not dataset.tensors:
        return None
    if any(type(t) is not Tensor or t.requires_grad for t in dataset.tensors):
        return None
    arrays = [t._array for t in dataset.tensors]
    if any(type(a) is not np.ndarray or a.ndim == 0 for a in arrays):
        return None

    def fetch(indices: list[int]) -> list[Tensor]:
        for chosen in chain:
            indices = [chosen[i] for i in indices]
        where = np.array(indices, np.intp)
        return [make(array.take(where, 0)) for array in arrays]

    return fetch
