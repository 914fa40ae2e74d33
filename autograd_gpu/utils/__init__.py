"""Tools around training: data loading, exchange with other libraries."""

from . import data, dlpack, hooks

__all__ = ["data", "dlpack", "hooks"]
