"""What holds for all checkpoints made within a block."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from weakref import WeakKeyDictionary

__all__ = [
    "GraphExecGroup",
    "group",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "settings",
]


class _Settings:
    """None: each call decides for itself."""

    early_stop: bool | None = None
    debug: bool | None = None


settings = _Settings()


class _Group(threading.local):
    current: "GraphExecGroup | None" = None


group = _Group()
"""The GraphExecGroup in force in this thread."""


class GraphExecGroup:
    """Within it several backward passes share the recomputations of checkpoints with
    `use_reentrant=False`: each is done once.

    The passes must be through different parts of the graph, since what was recomputed serves one
    use. RuntimeError for one within another.
    """

    def __init__(self) -> None:
        self.runs: WeakKeyDictionary = WeakKeyDictionary()

    def __enter__(self) -> "GraphExecGroup":
        if group.current is not None:
            raise RuntimeError(
                f"GraphExecGroup contexts cannot be nested. Already inside group {group.current}"
            )
        group.current = self
        return self

    def __exit__(self, *_: object) -> None:
        group.current = None
        self.runs.clear()


def noop_context_fn() -> tuple[AbstractContextManager, AbstractContextManager]:
    """Two contexts that do nothing: the `context_fn` of a checkpoint that is given none."""
    return nullcontext(), nullcontext()


@contextmanager
def set_checkpoint_early_stop(enable: bool) -> Iterator[None]:
    """Within the block, whatever `early_stop` says: does a recomputation end as soon as it has all
    that backward needs?

    It counts where the forward runs, for checkpoints with `use_reentrant=False`; the others always
    compute to the end.
    """
    before, settings.early_stop = settings.early_stop, enable
    try:
        yield
    finally:
        settings.early_stop = before


@contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Within the block, whatever `debug` says: do errors list the operations of the forward and of
    the recomputation? None: each checkpoint's own `debug` decides.

    It counts where the forward runs, for checkpoints with `use_reentrant=False`.
    """
    before, settings.debug = settings.debug, enabled
    try:
        yield
    finally:
        settings.debug = before
