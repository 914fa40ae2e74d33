"""Checkpoints along a chain of functions."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

from ...nn.modules.container import Sequential
from .call import checkpoint

__all__ = ["checkpoint_sequential"]


def checkpoint_sequential(
    functions: Any,
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    *,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call functions one after the other, each on the result of the one before it, in checkpointed
    segments: of each but the last only its input is kept for backward.

        net = nn.Sequential(*(nn.Linear(8, 8) for _ in range(100)))
        y = checkpoint_sequential(net, 10, x, use_reentrant=False)

    With n functions in k segments about n/k + k tensors are alive at once, least for k = sqrt(n)
    (Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016).

    Args:
        functions: an `nn.Sequential`, or functions or modules in order, each of one argument.
        segments: into how many parts; the last one is longer where they do not divide evenly.
        input: what the first function is given.
        use_reentrant, preserve_rng_state: see `checkpoint`; `use_reentrant` is to be passed.

    Raises:
        ValueError: other keyword arguments; more segments than functions.
        ZeroDivisionError: no segments.
    """
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be "
            "passed explicitly; without it, it is True. use_reentrant=False is recommended: it "
            "works with autograd.grad, with keyword arguments and with inputs that need no "
            "gradient.",
            stacklevel=2,
        )
        use_reentrant = True
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    chain = list(functions.children() if isinstance(functions, Sequential) else functions)
    if segments == 0:
        raise ZeroDivisionError("checkpoint_sequential(): expected at least 1 segment, but got 0")
    size = len(chain) // segments
    if segments > 1 and not size:
        raise ValueError(
            f"checkpoint_sequential(): expected at most as many segments as there are functions, "
            f"{len(chain)}, but got {segments}"
        )
    end = 0
    for _ in range(segments - 1):
        input = checkpoint(
            _chained(chain[end : end + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve_rng_state,
        )
        end += size
    return _chained(chain[end:])(input)


def _chained(functions: Iterable[Callable]) -> Callable:
    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run
