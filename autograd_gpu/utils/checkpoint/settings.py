"""What holds for all checkpoints made within a block."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

__all__ = [
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
