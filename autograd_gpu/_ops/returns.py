"""Results of several tensors that have names: `x.max(0).values`; what `autograd_gpu.return_types`
shows.
"""

from operator import itemgetter
from typing import Any

__all__ = ["BY_NAME", "result_type"]

BY_NAME: dict[str, type] = {}
"""name -> class."""


class Result(tuple):
    """A tuple of tensors whose places also have names; made from one sequence, as a tuple is."""

    __slots__ = ()
    _names: tuple[str, ...] = ()
    n_fields = n_sequence_fields = n_unnamed_fields = 0

    def __new__(cls, sequence: Any) -> Any:
        """The tensors in their order. TypeError where their number is wrong."""
        self = tuple.__new__(cls, sequence)
        if len(self) != len(cls._names):
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls._names)}-sequence "
                f"({len(self)}-sequence given)"
            )
        return self

    def __repr__(self) -> str:
        fields = ",\n".join(
            f"{name}={value!r}" for name, value in zip(self._names, self, strict=True)
        )
        return f"torch.return_types.{type(self).__name__}(\n{fields})"

    def __reduce__(self) -> Any:
        return type(self), (tuple(self),)


def result_type(name: str, *fields: str) -> type:
    """A new class of results, or the one of this name."""
    if name not in BY_NAME:
        places: dict[str, Any] = {
            field: property(itemgetter(i), doc=f"Tensor {i} of the result.")
            for i, field in enumerate(fields)
        }
        about: dict[str, Any] = {
            "__slots__": (),
            "_names": fields,
            "n_fields": len(fields),
            "n_sequence_fields": len(fields),
            "__module__": "autograd_gpu.return_types",
            "__doc__": f"What `{name}` returns: ({', '.join(fields)}).",
        }
        BY_NAME[name] = type(name, (Result,), {**about, **places})
    return BY_NAME[name]
