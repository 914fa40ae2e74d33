"""enforce_grad_layout_policy: must gradients lie row by row in memory?"""

import threading

from .decorate import Decorated, Decorator

__all__ = ["enforce_grad_layout_policy", "policy"]


class _Policy(threading.local):
    enforced = True


policy = _Policy()
"""`enforced`, per thread: gradients that arrive at leaves in another layout are copied."""


class enforce_grad_layout_policy(Decorator):
    """Gradients in `.grad` lie row by row (True, the default), whatever the layout of the parameter
    and of the gradient that arrives. With False, one that arrives in another layout and belongs to
    nobody else is taken as it is, without a copy.

    Acts at once, for this thread; as a context manager, or a decorator, it is undone at the end.
    """

    def __init__(self, enable: bool = True) -> None:
        self.previous, self.mode = policy.enforced, enable
        policy.enforced = enable

    def __call__(self, function: Decorated) -> Decorated:
        """Decorate a function, a generator function or a coroutine function."""
        policy.enforced = self.previous  # it acts in the calls, not where it is written
        return super().__call__(function)

    def clone(self) -> "enforce_grad_layout_policy":
        """A fresh context of the same mode."""
        return enforce_grad_layout_policy(self.mode)

    def __enter__(self) -> None:
        policy.enforced = self.mode

    def __exit__(self, *_: object) -> None:
        policy.enforced = self.previous
