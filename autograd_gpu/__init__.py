"""autograd_gpu: tensors with PyTorch's eager autograd, on NumPy and CuPy. The public face; it computes nothing."""

from ._core import dtype as _dtype
from ._core.tensor import Tensor
from ._ops import arithmetic, complex, convert, create, elementwise, reduce, select, shape  # noqa: F401
from ._ops.declare import PUBLIC as _PUBLIC
from .autograd.mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .autograd import backward as _backward
globals().update(_dtype.BY_NAME)
globals().update({k: _dtype.BY_NAME[v] for k,v in _dtype.ALIASES.items()})
globals().update(_PUBLIC[""])
from .autograd.backward import grad
from .autograd.graph import verbs as _verbs
_verbs.update(sum=reduce._sum, reshape=shape._reshape, to=convert._cast, clone=convert.clone, copy_=convert.copy_)
