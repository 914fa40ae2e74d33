"""Functions of neural networks without state: activations, layers, losses. A face of the table."""

from typing import TYPE_CHECKING, Any

from .._ops.table import PUBLIC as _PUBLIC

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


__all__ = sorted(_PUBLIC["nn.functional"])

globals().update(_PUBLIC["nn.functional"])
