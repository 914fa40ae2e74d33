"""Functions of neural networks without state: activations, layers, losses. A face of the table of ops."""

from .._ops.table import PUBLIC as _PUBLIC

__all__ = sorted(_PUBLIC["nn.functional"])

globals().update(_PUBLIC["nn.functional"])
