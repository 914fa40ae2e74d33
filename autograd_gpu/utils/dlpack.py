"""Tensors from and to other libraries by DLPack, without a copy: the old names of the protocol that
arrays have.
"""

from typing import Any

from .._core.tensor import Tensor
from .._ops.table import PUBLIC

__all__ = ["from_dlpack", "to_dlpack"]

from_dlpack = PUBLIC[""]["from_dlpack"]


def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule on the tensor's memory, which may be taken once.

    Libraries of today need none: they take the tensor itself. BufferError for a tensor that
    requires grad.
    """
    return tensor.__dlpack__()  # type: ignore[attr-defined]
