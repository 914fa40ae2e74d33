"""Questions about tensors that are no mathematics: result_type, numel, isin, and small
conveniences."""

import numpy as np

from .._core.device import library
from .._core.dtype import of, result_dtype
from .._core.tensor import Tensor, make
from .create import as_tensor, finish, numpy_of
from .declare import composite
from .helpers import raw
from .shape import sum_to_shape

__all__ = ["asarray", "detach", "isin", "numel", "result_type", "scalar_tensor", "sum_to_size"]


@composite(where=("",))
def result_type(tensor1, tensor2):
    """The dtype that an operation on the two gives; each is a Tensor or a Python number."""
    return of(result_dtype([raw(tensor1), raw(tensor2)]))


@composite(where=("",))
def numel(input):
    """How many elements the tensor has."""
    return input.numel()


@composite(where=("",))
def detach(input):
    """The same memory without a history; see `Tensor.detach`."""
    return input.detach()


@composite(where=("",))
def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False):
    """A 0-d tensor of the default dtype (or `dtype`) from a number."""
    return finish(np.asarray(s, numpy_of(dtype)), device, requires_grad)


@composite(where=("",))
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """`obj` as a Tensor: shared memory where possible, a copy with `copy=True`; ValueError where
    `copy=False` needs one."""
    out = as_tensor(obj, dtype=dtype, device=device)
    source = obj._array if isinstance(obj, Tensor) else obj
    shared = isinstance(source, np.ndarray) and np.shares_memory(source, out._array)
    if copy is False and not shared and not (isinstance(source, np.ndarray) and not source.size):
        raise ValueError("can't alias arbitrary sequence, or another dtype, into a tensor.")
    if copy and shared:
        out = out.detach().clone()
    return out.requires_grad_() if requires_grad else out


@composite(where=("",))
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """A mask: is each element among the test elements? Tensors or numbers; not differentiable."""
    xp = library(raw(elements if isinstance(elements, Tensor) else test_elements))
    found = xp.isin(raw(elements), raw(test_elements), assume_unique=assume_unique, invert=invert)
    return make(xp.asarray(found))


@composite(where=("Tensor",))
def sum_to_size(input, *size):
    """The sum over what broadcasting from `size` to this shape had added or stretched."""
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    have = tuple(input.shape)
    lead = len(have) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, have[lead:], strict=True)):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(have)}}}.")
    return sum_to_shape(input, shape)


sum_to_size.samples(lambda t: [(t(2, 3), (1, 3)), (t(2, 3), 3), (t(4, 2, 3), (2, 1))])
