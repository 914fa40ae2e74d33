"""The switches of cuDNN that programs set. Nothing here uses cuDNN, so that they change nothing:
convolutions are matrix products, whose switches are in `backends.cuda.matmul`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = [
    "allow_tf32", "benchmark", "benchmark_limit", "deterministic", "enabled", "flags",
    "is_acceptable", "is_available", "version",
]  # fmt: skip

allow_tf32 = True
benchmark = False
benchmark_limit = 10
deterministic = False
enabled = True


def is_available() -> bool:
    """Is cuDNN used: no."""
    return False


def version() -> int | None:
    """The number of cuDNN's version; there is none."""
    return None


def is_acceptable(tensor: Any) -> bool:
    """Would cuDNN take this tensor: no."""
    return False


@contextmanager
def flags(
    enabled: bool = False,
    benchmark: bool = False,
    benchmark_limit: int = 10,
    deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:
    """A context in which the switches have other values."""
    here: Any = sys.modules[__name__]
    given = {
        "enabled": enabled, "benchmark": benchmark, "benchmark_limit": benchmark_limit,
        "deterministic": deterministic, "allow_tf32": allow_tf32,
    }  # fmt: skip
    before = {name: getattr(here, name) for name in given}
    try:
        for name, value in given.items():
            setattr(here, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(here, name, value)


class _Switches(ModuleType):
    """A module whose switches take bools only."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("allow_tf32", "benchmark", "deterministic", "enabled"):
            if not isinstance(value, bool):
                raise RuntimeError(
                    f"set_{name}_cudnn expects a bool, but got {type(value).__name__}"
                )
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Switches
