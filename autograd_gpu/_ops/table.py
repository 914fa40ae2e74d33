"""The finished table: what the faces show, and the few verbs that the engine borrows from it."""

from typing import Any

from .._core.library import on_install
from ..autograd.node import verbs
from . import aliases  # noqa: F401  (after all chapters: second names)
from .arithmetic import add
from .complex import real_part
from .convert import _cast, _clone_in, clone, copied_into, copy_
from .declare import PUBLIC, REGISTRY
from .join import stack
from .reduce import _sum
from .shape import _reshape

__all__ = ["PUBLIC", "REGISTRY"]


def _load_kernels(library: Any) -> None:
    from .. import _cuda  # noqa: F401  (its modules declare the launching functions)


on_install(_load_kernels)
verbs.update(
    add=add,
    copy_into=copied_into,
    sum=_sum,
    reshape=_reshape,
    to=_cast,
    real=real_part,
    clone=clone,
    clone_in=_clone_in,
    copy_=copy_,
    stack=stack,
)
