"""SavedTensor: a handle of one tensor that a node saved, as `_raw_saved_*` gives it."""

from collections.abc import Callable
from typing import Any

from .._core.tensor import Tensor
from .node import freed
from .saving import Packed

__all__ = ["SavedTensor"]


class SavedTensor:
    """One tensor that a node saved."""

    def __init__(
        self,
        held: Callable[[], Any],
        again: Callable[[bool], Any],
        pack: Callable[[tuple[Callable, Callable]], None],
    ) -> None:
        """`held`: what lies in the node: arrays, a Packed, or None: nothing, or freed. `again`: the
        tensor, checked for writes or not; RuntimeError after it was freed. `pack`: let it pass
        through a pair of hooks."""
        self._held, self._again, self._pack = held, again, pack

    @property
    def data(self) -> Any:
        """What is kept: the tensor, or what its pack hook made of it; None after it was freed."""
        value = self._held()
        if value.__class__ is Packed:
            return value.value
        return None if value is None else self._again(False)

    @property
    def unpack_hook(self) -> Callable | None:
        """The hook that brings the tensor back, or None."""
        value = self._held()
        return value.unpack_hook if value.__class__ is Packed else None

    def unpack(self) -> Any:
        """The tensor, as backward gets it. RuntimeError after it was freed, or written in place."""
        return self._again(True)

    def register_hooks(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        """Let the tensor pass through `pack_hook` now, and what that returns through `unpack_hook`
        whenever it is needed.

        Raises:
            TypeError: a hook that cannot be called.
            RuntimeError: nothing is saved, it was freed, it has hooks, or pack_hook writes into it.
        """
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError(f"register_hooks(): {type(hook).__name__} is not callable")
        value = self._held()
        if value is None:
            raise self._nothing()
        first = value[0] if value.__class__ in (list, tuple) and value else value
        if first.__class__ is Packed:
            raise RuntimeError(
                "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: "
                "only one pair of hooks is allowed at a time."
            )
        self._pack((pack_hook, unpack_hook))

    def _nothing(self) -> RuntimeError:
        try:
            self._again(False)
        except RuntimeError:
            return RuntimeError(
                "Calling register_hooks on a saved tensor after it has been freed. "
                + str(freed()).partition("freed). ")[2]
            )
        return RuntimeError("Calling register_hooks on a saved tensor with value None is forbidden")
