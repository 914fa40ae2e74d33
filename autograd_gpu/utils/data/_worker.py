"""What runs in a worker process: it receives keys and sends back batches, until the pipe closes."""

import contextlib
import itertools
import queue
import random
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

import numpy as np

from ... import manual_seed
from ..._core.threads import set_num_threads
from ._collate import fast_batch

__all__ = ["Exhausted", "Failure", "Task", "WorkerInfo", "fetcher", "get_worker_info", "work"]


@dataclass
class WorkerInfo:
    """Which worker this process is: `id` of `num_workers`, its `seed` and its `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a DataLoader: which one it is. Elsewhere None."""
    return _info


@dataclass
class Task:
    """All that a worker needs to know."""

    dataset: Any
    iterable: bool
    batched: bool
    collate: Callable[[Any], Any]
    drop_last: bool
    init: Callable[[int], None] | None
    base_seed: int
    id: int
    count: int


class Exhausted:
    """Sent in place of a batch when a worker's stream has come to its end."""


class Failure:
    """An exception on its way from a worker: its type, and the traceback as text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind = type(error)
        self.where = where
        self.text = "".join(traceback.format_exception(error))

    def rebuilt(self) -> Exception:
        """An exception of the same type; RuntimeError where that type takes other arguments."""
        message = (
            f"Caught {self.kind.__name__} {self.where}.\nOriginal Traceback (most recent call "
            "last):\n" + self.text.removeprefix("Traceback (most recent call last):\n")
        )
        kind: Any = self.kind
        try:
            return kind(_Message(message) if kind is KeyError else message)
        except Exception:
            return RuntimeError(message)


class _Message(str):
    """Text that keeps its line breaks where KeyError shows the repr of it."""

    def __repr__(self) -> str:
        return str(self)


def fetcher(task: Task) -> Callable[[Any], Any]:
    """A function from what the sampler gives (a key, or a list of keys) to a batch.

    For a stream the keys only say how many samples are wanted; it raises StopIteration at the end.
    """
    dataset, collate = task.dataset, task.collate
    if task.iterable:
        stream = iter(dataset)
        if not task.batched:
            return lambda _: collate(next(stream))
        return lambda keys: _from_stream(stream, keys, task)
    if not task.batched:
        return lambda key: collate(dataset[key])
    fast = fast_batch(dataset, collate)
    if fast is not None:
        return fast
    several = getattr(dataset, "__getitems__", None)
    if callable(several):
        return lambda keys: collate(several(keys))
    return lambda keys: collate([dataset[key] for key in keys])


def _from_stream(stream: Any, keys: Any, task: Task) -> Any:
    samples = list(itertools.islice(stream, len(keys)))
    if not samples or (task.drop_last and len(samples) < len(keys)):
        raise StopIteration
    return task.collate(samples)


def work(task: Task, pipe: Connection, others: list[Connection]) -> None:
    """The life of a worker. A thread reads keys and another sends, so that neither end of the
    pipe ever waits for the other; when the parent closes its end or dies, the worker ends."""
    for connection in others:  # a forked process holds the parent's ends: let them go
        connection.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    outbox: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(pipe, inbox), daemon=True).start()
    sender = threading.Thread(target=_send, args=(pipe, outbox), daemon=True)
    sender.start()
    where = f"in DataLoader worker process {task.id}"
    fetch, failure = None, None
    try:
        _seed(task)
        if task.init is not None:
            task.init(task.id)
    except Exception as error:
        failure = Failure(error, where)
    while (message := inbox.get()) is not None:
        number, keys = message
        if number is None:  # a new pass over the data
            fetch = None
            continue
        try:
            if failure is None and fetch is None:
                fetch = fetcher(task)
            packed = ForkingPickler.dumps((number, failure or fetch(keys)))  # type: ignore[misc]
        except StopIteration:
            fetch = _ended
            packed = ForkingPickler.dumps((number, Exhausted()))
        except Exception as error:
            packed = _pack_failure(number, Failure(error, where))
        outbox.put(packed)
    outbox.put(None)
    sender.join(1)


def _ended(keys: Any) -> Any:
    raise StopIteration


def _pack_failure(number: int, failure: Failure) -> Any:
    try:
        return ForkingPickler.dumps((number, failure))
    except Exception:  # a type that cannot be pickled
        failure.kind = RuntimeError
        return ForkingPickler.dumps((number, failure))


def _receive(pipe: Connection, inbox: Any) -> None:
    try:
        while True:
            inbox.put(pipe.recv())
    except (EOFError, OSError):
        inbox.put(None)


def _send(pipe: Connection, outbox: Any) -> None:
    with contextlib.suppress(OSError):  # the parent is gone: `_receive` sees it too
        while (packed := outbox.get()) is not None:
            pipe.send_bytes(packed)


def _seed(task: Task) -> None:
    global _info
    seed = task.base_seed + task.id
    set_num_threads(1)  # as many workers as cores would otherwise fight over them
    random.seed(seed)
    manual_seed(seed)
    halves = [task.base_seed & 0xFFFFFFFF, task.base_seed >> 32]
    np.random.seed(np.random.SeedSequence([task.id, *halves, 0]).generate_state(4))
    _info = WorkerInfo(task.id, task.count, seed, task.dataset)
