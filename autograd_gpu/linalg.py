"""Linear algebra: norms, determinants, inverses, factorisations. A face of the table of ops."""

from ._ops.table import PUBLIC as _PUBLIC

__all__ = sorted(_PUBLIC["linalg"])

globals().update(_PUBLIC["linalg"])
