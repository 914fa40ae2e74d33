"""Hooks of saved tensors: what is to be kept for backward passes through a function on its way in,
and through another on its way out.
"""

from collections.abc import Callable
from typing import Any

from .._core.state import local, set_mode, thread_key
from .._core.tensor import Tensor, make

__all__ = ["disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]

_PACKING = 3


class saved_tensors_hooks:
    """Within it, every tensor that an operation saves for backward passes through two functions.

    Args:
        pack_hook: called with the tensor when it is saved, with nothing recorded; returns anything.
            It must not write into the tensor.
        unpack_hook: called with that when backward needs it, once per use; returns a tensor of the
            same content.

    Where contexts are nested, the innermost acts. Writes to what was saved are not noticed: the
    hooks answer for the content. Raises TypeError for what cannot be called, and for an unpack_hook
    that returns no Tensor; RuntimeError for a pack_hook that writes, and where
    `disable_saved_tensors_hooks` forbids hooks.
    """

    def __init__(
        self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]
    ) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        for name, hook in (("pack_hook", self.pack_hook), ("unpack_hook", self.unpack_hook)):
            if not callable(hook):
                raise TypeError(
                    f"saved_tensors_hooks(): {name} must be callable, but got {type(hook).__name__}"
                )
        if local.no_packing is not None:
            raise RuntimeError(local.no_packing)
        _set_packing((*local.packing, (self.pack_hook, self.unpack_hook)))

    def __exit__(self, *_: object) -> None:
        _set_packing(local.packing[:-1])


def _set_packing(hooks: tuple) -> None:
    local.packing = hooks
    set_mode(thread_key(_PACKING), bool(hooks))


class save_on_cpu(saved_tensors_hooks):
    """Within it, what is saved for backward lies in host memory, and comes back to its device when
    it is needed.

    Args:
        pin_memory: page-locked host memory; copies from and to it need not be waited for.
        device_type: the kind of device whose memory is to be spared. Tensors come back to where
            they were, whatever it says. TypeError for anything but a string.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        if not isinstance(device_type, str):
            raise TypeError(
                f"save_on_cpu(): device_type must be a string, not {type(device_type).__name__}"
            )

        def pack(tensor: Any) -> tuple[Any, Any]:
            if tensor.is_cpu:
                # Host memory already; its own object, since the tensor may be written to later.
                return tensor.device, make(tensor._array)
            if not pin_memory:
                return tensor.device, tensor.cpu()
            return tensor.device, tensor.cpu().pin_memory()

        def unpack(kept: tuple[Any, Any]) -> Any:
            place, tensor = kept
            return tensor.to(place, non_blocking=pin_memory)

        super().__init__(pack, unpack)


class disable_saved_tensors_hooks:
    """Within it, entering `saved_tensors_hooks` is a RuntimeError with the text `error_message`;
    also a decorator. So is entering it where hooks are in force."""

    def __init__(self, error_message: str) -> None:
        self.error_message = error_message
        self.previous: list[str | None] = []

    def __enter__(self) -> None:
        if local.packing:
            raise RuntimeError(self.error_message)
        self.previous.append(local.no_packing)
        local.no_packing = self.error_message

    def __exit__(self, *_: object) -> None:
        local.no_packing = self.previous.pop()

    def __call__(self, function: Callable) -> Callable:
        """Decorate a function."""
        import functools

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with disable_saved_tensors_hooks(self.error_message):
                return function(*args, **kwargs)

        return call
