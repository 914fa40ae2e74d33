"""New tensors of random numbers: rand, randn, randint, randperm and their `_like` forms.

The same seed gives the numbers that PyTorch draws on the CPU. `_core/random` says how they are made
and which few float64 results of 65536 elements or more differ in their last bits.
"""

import warnings
from typing import Any

import numpy as np

from .._core import dtype as dtypes
from .._core.device import as_device, move
from .._core.random import Generator, default_generator, in_memory_order
from .._core.size import size_from
from .._core.tensor import Tensor, make
from ..autograd.attributes import requires_grad_
from ..autograd.graph import edge_required
from .declare import composite
from .general import mark_written

__all__ = ["rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm"]
