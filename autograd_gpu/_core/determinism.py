"""Whether ops must give the same bits every time: use_deterministic_algorithms and its state."""

import warnings

__all__ = [
    "are_deterministic_algorithms_enabled", "demanded",
    "is_deterministic_algorithms_warn_only_enabled", "refuse", "use_deterministic_algorithms",
]  # fmt: skip

_state = {"on": False, "warn_only": False}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Let every op take an algorithm that gives the same bits for the same inputs, where there is
    one, and raise RuntimeError where there is none; with `warn_only`, warn there.

    On the CPU all algorithms are such. On CUDA the sums over equal indices (the gradients of
    indexing, gather and embedding, index_add, scatter_add, index_put with `accumulate`) are then
    taken in a fixed order, after sorting the indices. TypeError for another `mode` than a bool.
    """
    for name, value in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(value, bool):
            raise TypeError(
                f"use_deterministic_algorithms(): argument '{name}' must be bool, not "
                f"{type(value).__name__}"
            )
    _state.update(on=mode, warn_only=warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Were deterministic algorithms asked for by `use_deterministic_algorithms(True)`?"""
    return _state["on"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Do ops without a deterministic algorithm only warn, where one is asked for?"""
    return _state["warn_only"]


demanded = are_deterministic_algorithms_enabled


def refuse(name: str) -> None:
    """For an op that has no deterministic algorithm on this device: nothing, unless one was asked
    for; then RuntimeError, or a warning where that was asked for."""
    if not _state["on"]:
        return
    text = (
        f"{name} does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'. Turn that off around this operation, or pass "
        "'warn_only=True' where other bits each time are acceptable."
    )
    if not _state["warn_only"]:
        raise RuntimeError(text)
    warnings.warn(text, UserWarning, stacklevel=3)
