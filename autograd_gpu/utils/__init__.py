"""Tools around training: data loading, exchange with other libraries."""

from . import data, dlpack

__all__ = ["data", "dlpack"]
