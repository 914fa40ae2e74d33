"""register_multi_grad_hook: one hook on the gradients of several tensors."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from .._core.tensor import Tensor
from .hooks import RemovableHandle
from .passes import Notes, notes_of_pass
from .views import edge_of

__all__ = ["MultiHandle", "register_multi_grad_hook"]


class MultiHandle(RemovableHandle):
    """What registering a hook on several tensors returns; removes it from all of them."""

    def __init__(self, handles: tuple[RemovableHandle, ...]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Tensor],
    fn: Callable[[list[Tensor | None]], None] | Callable[[Tensor], None],
    *,
    mode: Literal["all", "any"] = "all",
) -> RemovableHandle:
    """Call `fn` once in each backward pass that comes to some of `tensors`.

    Args:
        tensors: each must require grad; with "any", others are passed over.
        fn: with "all", called with the list of their gradients once the last of them is known: None
            for tensors that the pass does not come to. With "any", called with the first gradient
            of any of them. What it returns is ignored.
        mode: "all" or "any".

    Returns a handle: `remove()` takes the hook away.

    Raises:
        ValueError: another mode.
        RuntimeError: a tensor that does not require grad, with "all".
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        first = _First(fn)
        return MultiHandle(tuple(t.register_hook(first) for t in tensors if t.requires_grad))
    for t in tensors:
        if not t.requires_grad:
            raise RuntimeError(
                "register_multi_grad_hook(): cannot register a hook on a tensor that doesn't "
                "require gradient"
            )
    every = _All(fn, [edge_of(t) for t in tensors])
    return MultiHandle(tuple(t.register_hook(every.hook(i)) for i, t in enumerate(tensors)))


def _notes() -> Notes:
    notes = notes_of_pass()
    if notes is None:
        raise RuntimeError("register_multi_grad_hook(): the hook runs in backward passes only")
    return notes


class _First:
    """The hook of mode "any": its first call in a pass counts."""

    def __init__(self, fn: Callable) -> None:
        self.fn, self.__name__ = fn, getattr(fn, "__name__", "hook")

    def __call__(self, grad: Tensor) -> None:
        kept = _notes().kept
        if self not in kept:
            kept[self] = True
            self.fn(grad)


class _All:
    """The hooks of mode "all": the gradients of a pass are gathered in its notes."""

    def __init__(self, fn: Callable, edges: list[Any]) -> None:
        self.fn, self.edges = fn, edges

    def hook(self, index: int) -> Callable[[Tensor], None]:
        """The hook of one tensor."""

        def gather(grad: Tensor) -> None:
            notes = _notes()
            if self not in notes.kept:
                missing = sum(map(notes.visits, self.edges))
                notes.kept[self] = [missing, [None] * len(self.edges)]
                notes.queued.append(lambda: self.call(notes))
            gathered = notes.kept[self]
            if gathered is None:
                return
            gathered[0] -= 1
            gathered[1][index] = grad
            if not gathered[0]:
                self.call(notes)

        return gather

    def call(self, notes: Notes) -> None:
        """Call the function, once a pass: with the last gradient, or at the end where some tensor
        got none (a Function gave None).
        """
        gathered, notes.kept[self] = notes.kept[self], None
        if gathered is not None:
            self.fn(gathered[1])
