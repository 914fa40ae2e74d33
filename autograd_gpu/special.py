"""Special functions under PyTorch's names, `autograd_gpu.special.erf`: a face, filled from the
table of ops.
"""

from ._ops.table import PUBLIC as _PUBLIC

__all__ = sorted(_PUBLIC["special"])

globals().update(_PUBLIC["special"])
