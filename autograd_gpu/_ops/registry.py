"""The registry of ops, from which all else is derived, and the words that rows are said in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._core.library import KERNELS
from .._core.tensor import Tensor

__all__ = ["KERNELS", "PUBLIC", "REGISTRY", "Array", "Arrays", "Entry", "Index", "kind_of"]

if TYPE_CHECKING:  # forwards see raw arrays, callers Tensors: no one type says that
    from typing import Any as Array
    from typing import Any as Arrays
    from typing import Any as Index
else:

    class Array:
        """Annotation: a Tensor for the caller, a raw array in the forward. `Array | float`: or a
        number; `Array | None`."""

    class Index(Array):
        """Annotation: an array that takes no part in promotion and has no derivative (indices,
        masks, conditions)."""

    class Arrays(Array):
        """Annotation: a list of Tensors for the caller, of raw arrays in the forward."""


REGISTRY: dict[str, Any] = {}
"""name -> Op or Composite: the table."""

PUBLIC: dict[str, dict[str, Any]] = {"": {}, "nn.functional": {}}
"""namespace -> {name: function}: what the faces show; "" is the package itself."""

class Entry:
    """What ops and composites share: a function, where it is shown, and how it is sampled in
    tests."""

    def __init__(
        self, name: str, function: Any, where: tuple[str, ...], methods: tuple[str, ...]
    ) -> None:
        self.name, self.function, self.where, self.methods = name, function, where, methods
        self.inplace: tuple[str, ...] = ()
        self.sampler: Any = None
        self.function.samples = self.samples
        self.function.op = self
        if name in REGISTRY:
            raise ValueError(f"the op '{name}' is declared twice")
        REGISTRY[name] = self
        public = name.lstrip("_")
        for place in where:
            if place == "Tensor":
                methods = (*methods, public)
            else:
                PUBLIC.setdefault(place, {})[public] = function
        for method in methods:
            setattr(Tensor, method, self.method(method))
        self.methods = methods

    def method(self, name: str) -> Any:
        """What Tensor gets under a method's name."""
        return self.function

    def samples(self, sampler: Callable[[Any], list]) -> Any:
        """Say which calls the tests make: `sampler(t)` gives a list of argument tuples, where `t(2,
        3)` is a tensor."""
        self.sampler = sampler
        return self.function


def kind_of(annotation: Any) -> str:
    """'array', 'index' or 'list', with '|float' and '|None' where numbers and None are allowed; ''
    for an option."""
    parts = getattr(annotation, "__args__", (annotation,))
    if not any(isinstance(p, type) and issubclass(p, Array) for p in parts):
        return ""
    kind = "list" if Arrays in parts else "index" if Index in parts else "array"
    return kind + ("|float" if float in parts else "") + ("|None" if type(None) in parts else "")
