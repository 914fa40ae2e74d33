"""The classes of results that have names, as that of `max`: tuples with `values` and `indices`."""

from . import _ops  # noqa: F401  whose chapters declare them
from ._ops.returns import BY_NAME as _BY_NAME

__all__ = sorted(_BY_NAME)

globals().update(_BY_NAME)
