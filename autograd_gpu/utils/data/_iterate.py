"""The iterators behind DataLoader: in this process, and over worker processes."""

import contextlib
import copy
import itertools
import multiprocessing
import os
import warnings
import weakref
from multiprocessing.connection import wait
from typing import Any

from ..._ops import observe
from ._worker import Exhausted, Failure, Task, fetcher, work
from .sampler import draw_seed

__all__ = ["ParallelIterator", "SerialIterator"]


class _Iterator:
    """One pass over the data: `_fetch()` gives the next batch or raises StopIteration."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._keys = iter(loader._index_sampler)
        self._base_seed = draw_seed(loader.generator)
        self._yielded = 0

    def _task(self, worker: int) -> Task:
        loader = self._loader
        return Task(
            loader.dataset, loader._iterable, loader._auto_collation, loader.collate_fn,
            loader.drop_last, loader.worker_init_fn, self._base_seed, worker, loader.num_workers,
        )  # fmt: skip

    def _fetch(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Any:
        return self

    def __len__(self) -> int:
        return len(self._loader._index_sampler)

    def __next__(self) -> Any:
        batch = self._fetch()
        self._yielded += 1
        told = self._loader._length_told
        if told is not None and self._yielded > len(self._loader):
            warnings.warn(
                f"Length of IterableDataset {self._loader.dataset} was reported to be {told} "
                f"(when accessing len(dataloader)), but {self._yielded} batches have been fetched.",
                stacklevel=2,
            )
        return batch


observe.offer(
    _Iterator.__next__, lambda args: f"enumerate(DataLoader)#{type(args[0]).__name__}.__next__"
)


class SerialIterator(_Iterator):
    """Fetches in this process."""

    def __init__(self, loader: Any) -> None:
        super().__init__(loader)
        self._get = fetcher(self._task(0))

    def _fetch(self) -> Any:
        return self._get(next(self._keys))


class ParallelIterator(_Iterator):
    """Hands keys to the workers in turn and takes their batches in the same order."""

    def __init__(self, loader: Any) -> None:
        # The loader keeps an iterator with persistent workers: a reference back would be a cycle,
        # and the workers would outlive the last name of the loader.
        super().__init__(copy.copy(loader) if loader.persistent_workers else loader)
        self.closed = False
        self._processes: list[Any] = []
        self._pipes: list[Any] = []
        self._close = weakref.finalize(self, _shut_down, self._processes, self._pipes, os.getpid())
        self._start(loader.multiprocessing_context or multiprocessing.get_context())
        self._number = itertools.count()
        self._begin()

    def _start(self, context: Any) -> None:
        forked = context.get_start_method() == "fork"
        for i in range(self._loader.num_workers):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            process = context.Process(
                target=work,
                args=(self._task(i), theirs, list(self._pipes) if forked else []),
                daemon=True,
            )
            process.start()
            theirs.close()
            self._processes.append(process)

    def _begin(self) -> None:
        self._waiting: dict[int, int] = {}  # number of a batch -> its worker, oldest first
        self._early: dict[int, Any] = {}  # batches that came before their turn
        self._active = [True] * len(self._processes)
        self._turn = itertools.cycle(range(len(self._processes)))
        for _ in range(self._loader.prefetch_factor * len(self._processes)):
            self._ask()

    def restart(self) -> None:
        """A new pass with the same workers; what they still send of the last one is dropped."""
        self._keys = iter(self._loader._index_sampler)
        self._yielded = 0
        for i in range(len(self._pipes)):
            self._send(i, (None, None))
        self._begin()

    def _ask(self) -> None:
        """Give the next keys to the next worker that has data left."""
        if not any(self._active):
            return
        try:
            keys = next(self._keys)
        except StopIteration:
            return
        worker = next(i for i in self._turn if self._active[i])
        number = next(self._number)
        self._waiting[number] = worker
        self._send(worker, (number, keys))

    def _send(self, worker: int, message: Any) -> None:
        try:
            self._pipes[worker].send(message)
        except OSError:
            raise self._died([worker]) from None

    def _fetch(self) -> Any:
        while self._waiting:
            number, result = self._take()
            worker = self._waiting.pop(number)
            if isinstance(result, Exhausted):
                self._active[worker] = False
                self._ask()
                continue
            self._ask()
            if isinstance(result, Failure):
                raise result.rebuilt()
            return result
        if not self._loader.persistent_workers:
            self._end()
        raise StopIteration

    def _take(self) -> tuple[int, Any]:
        """The batch whose turn it is, or with `in_order=False` the first that is there."""
        oldest = next(iter(self._waiting))
        in_order = self._loader.in_order
        while True:
            if oldest in self._early:
                return oldest, self._early.pop(oldest)
            workers = [self._waiting[oldest]] if in_order else sorted(set(self._waiting.values()))
            number, result = self._receive(workers)
            if number in self._waiting:  # else it belongs to a pass that was broken off
                if not in_order:
                    return number, result
                self._early[number] = result

    def _receive(self, workers: list[int]) -> tuple[int, Any]:
        pipes = {self._pipes[i]: i for i in workers}
        ends = [self._processes[i].sentinel for i in workers]
        ready = wait([*pipes, *ends], self._loader.timeout or None)
        if not ready:
            for i in workers:  # stuck: no use in asking it to end
                self._processes[i].terminate()
            self._end()
            raise RuntimeError(f"DataLoader timed out after {self._loader.timeout} seconds")
        for pipe in pipes:
            if pipe in ready or pipe.poll():
                try:
                    return pipe.recv()
                except (EOFError, ConnectionError):
                    raise self._died([pipes[pipe]]) from None
        raise self._died([i for i in workers if self._processes[i].sentinel in ready])

    def _died(self, workers: list[int]) -> RuntimeError:
        for i in workers:
            self._processes[i].join(1)
        pids = ", ".join(str(self._processes[i].pid) for i in workers)
        codes = ", ".join(str(self._processes[i].exitcode) for i in workers)
        self._end()
        return RuntimeError(
            f"DataLoader worker (pid(s) {pids}) exited unexpectedly with exit code {codes}"
        )

    def _end(self) -> None:
        self.closed = True
        self._waiting.clear()
        self._close()


def _shut_down(processes: list[Any], pipes: list[Any], owner: int) -> None:
    """Ask the workers to end, and make those end that do not."""
    if os.getpid() != owner:  # in a fork: the workers are not its children
        return
    for pipe in pipes:
        with contextlib.suppress(OSError):
            pipe.send(None)
        pipe.close()
    for process in processes:
        process.join(5)
        if process.is_alive():
            process.terminate()
            process.join()
        process.close()
