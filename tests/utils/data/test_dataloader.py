"""DataLoader: batches, order, workers, errors, and that no process is left behind."""

import multiprocessing
import os
import random
import time

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
    get_worker_info,
)

TEN = list(range(10))
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(5))


class Plain(Dataset):
    """What TensorDataset is, without the fast path."""

    def __init__(self, *tensors):
        self.tensors = tensors

    def __getitem__(self, i):
        return tuple(t[i] for t in self.tensors)

    def __len__(self):
        return len(self.tensors[0])


class Calls(Dataset):
    """Sample i is what a function makes of i."""

    def __init__(self, function, size=6):
        self.function, self.size = function, size

    def __getitem__(self, i):
        return self.function(i)

    def __len__(self):
        return self.size


class Peculiar(Exception):
    def __init__(self, a, b):
        super().__init__(a, b)


def fail(i):
    if i == 4:
        raise KeyError("no such sample")
    return i


def fail_peculiarly(i):
    raise Peculiar(1, 2)


def leave(i):
    os._exit(3)


def sleep(i):
    time.sleep(60)


def who(i):
    info = get_worker_info()
    return info.id, info.num_workers, info.seed, ag.rand(1), random.random(), np.random.rand()


def where(i):
    return os.getpid()


def listed(loader):
    return [batch.tolist() for batch in loader]


def no_children():
    """Have all worker processes ended (and been waited for)?"""
    for _ in range(100):
        if not multiprocessing.active_children():
            return True
        time.sleep(0.05)
    return False


BAD = [
    (TEN, {"num_workers": -1}, "non-negative"),
    (TEN, {"timeout": -1}, "timeout option should be non-negative"),
    (TEN, {"prefetch_factor": 2}, "prefetch_factor"),
    (TEN, {"num_workers": 1, "prefetch_factor": -1}, "non-negative"),
    (TEN, {"persistent_workers": True}, "num_workers > 0"),
    (TEN, {"sampler": [1], "shuffle": True}, "mutually exclusive with shuffle"),
    (TEN, {"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
    (TEN, {"batch_size": None, "drop_last": True}, "disables auto-batching"),
    (TEN, {"batch_size": 0}, "batch_size=0"),
    (TEN, {"batch_size": 2.5}, "batch_size=2.5"),
    (TEN, {"drop_last": 3}, "drop_last=3"),
    ([], {"shuffle": True}, "num_samples=0"),
    (Stream(), {"shuffle": True}, "unspecified shuffle"),
    (Stream(), {"sampler": [1]}, "unspecified sampler"),
    (Stream(), {"batch_sampler": [[1]]}, "unspecified batch_sampler"),
    (TEN, {"multiprocessing_context": "fork"}, "num_workers > 0"),
    (TEN, {"num_workers": 1, "multiprocessing_context": "foo"}, "valid start method"),
]


@pytest.mark.parametrize("dataset, options, words", BAD)
def test_bad_options(dataset, options, words):
    with pytest.raises(ValueError, match=words):
        DataLoader(dataset, **options)


def test_other_errors():
    with pytest.raises(TypeError, match="context object"):
        DataLoader(TEN, num_workers=1, multiprocessing_context=3)
    loader = DataLoader(TEN, 2)
    with pytest.raises(ValueError, match="batch_size attribute should not be set"):
        loader.batch_size = 3
    with pytest.raises(TypeError, match="no len"):
        len(DataLoader(Stream()))


def test_batches():
    assert listed(DataLoader(TEN, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert listed(DataLoader(TEN, 4, drop_last=True)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert list(DataLoader(TEN, batch_size=None)) == TEN
    assert listed(DataLoader(TEN, batch_sampler=[[1, 2], [5]])) == [[1, 2], [5]]
    assert listed(DataLoader(TEN, 2, sampler=[9, 8, 7])) == [[9, 8], [7]]
    assert listed(DataLoader(Stream(), 2)) == [[0, 1], [2, 3], [4]]
    assert listed(DataLoader(Stream(), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader(Stream(), None)) == [0, 1, 2, 3, 4]
    assert list(DataLoader([])) == [] and list(DataLoader(TEN, 5, collate_fn=sum)) == [10, 35]
    sizes = [len(DataLoader(TEN, 3, drop_last=d)) for d in (False, True)]
    assert sizes == [4, 3] and len(DataLoader(TEN, batch_size=None)) == 10


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("own", [False, True])
def test_shuffle_is_torchs(workers, own):
    torch = pytest.importorskip("torch")

    def run(module):
        module.manual_seed(11)
        generator = module.Generator().manual_seed(5) if own else None
        loader = module.utils.data.DataLoader(
            TEN, 3, shuffle=True, num_workers=workers, generator=generator
        )
        return listed(loader), listed(loader), module.rand(1).item()

    assert run(ag) == run(torch)


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(Subset(d, range(1, 9)), [6, 1, 3])])
def test_fast_path_gives_the_same(wrap):
    tensors = ag.rand(10, 2, 3), ag.arange(10), ag.rand(3, 10).t(), ag.arange(10) > 4
    quick, slow = (DataLoader(wrap(kind(*tensors)), 3) for kind in (TensorDataset, Plain))
    for a, b in zip(quick, slow, strict=True):
        assert type(a) is type(b) is list
        for x, y in zip(a, b, strict=True):
            assert x.dtype is y.dtype and x.tolist() == y.tolist() and x.is_contiguous()
            assert x._array.flags.writeable and x._array.base is None


def test_tensors_in_a_graph_keep_it():
    x = ag.rand(4, 2, requires_grad=True)
    (batch,) = next(iter(DataLoader(TensorDataset(x), 2)))
    batch.sum().backward()
    assert x.grad.sum().item() == 4.0


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_give_the_same_batches(context):
    data = TensorDataset(ag.rand(23, 300), ag.arange(23))
    alone = list(DataLoader(data, 4))
    loader = DataLoader(data, 4, num_workers=2, multiprocessing_context=context)
    for a, b in zip(alone, loader, strict=True):
        assert [t.tolist() for t in a] == [t.tolist() for t in b]
    assert no_children()


def test_large_batches_and_long_keys_do_not_block():
    big = DataLoader(Calls(lambda i: np.zeros(300_000), 8), 2, num_workers=2)
    assert [b.shape[0] for b in big] == [2, 2, 2, 2]
    keys = [list(range(60_000))] * 6
    long = DataLoader(Calls(lambda i: i, 60_000), batch_sampler=keys, num_workers=1)
    assert [len(b) for b in long] == [60_000] * 6
    assert no_children()


def test_streams_with_workers():
    loader = DataLoader(Stream(), 2, num_workers=2)
    assert listed(loader) == [[0, 1], [0, 1], [2, 3], [2, 3], [4], [4]]
    with pytest.raises(TypeError):
        len(loader)


def test_every_worker_has_its_own_random_numbers():
    torch = pytest.importorskip("torch")

    def run(module, get):
        def sample(i):
            info = get()
            numbers = module.rand(1).item(), random.random(), np.random.rand()
            return info.id, info.num_workers, *numbers

        module.manual_seed(1)
        loader = module.utils.data.DataLoader(Calls(sample), 2, num_workers=2, collate_fn=list)
        return list(loader)

    assert run(ag, get_worker_info) == run(torch, torch.utils.data.get_worker_info)
    assert get_worker_info() is None


def test_worker_init_fn():
    os.environ["PROBE"] = "parent"

    def start(worker):
        os.environ["PROBE"] = f"worker {worker}"

    data = Calls(lambda i: os.environ["PROBE"], 2)
    assert list(DataLoader(data, None, num_workers=2, worker_init_fn=start)) == [
        "worker 0",
        "worker 1",
    ]
    assert os.environ.pop("PROBE") == "parent"

    def broken(worker):
        raise ValueError("cannot start")

    with pytest.raises(ValueError, match="cannot start"):
        list(DataLoader(data, None, num_workers=1, worker_init_fn=broken))


def test_exceptions_keep_their_type_and_traceback():
    seen = []
    with pytest.raises(KeyError) as caught:
        for batch in DataLoader(Calls(fail), 2, num_workers=2):
            seen.append(batch.tolist())
    assert seen == [[0, 1], [2, 3]]
    text = str(caught.value)
    del caught  # its traceback holds the iterator, and that its workers
    assert "Caught KeyError in DataLoader worker process 0." in text
    assert 'raise KeyError("no such sample")' in text and "\n" in text
    with pytest.raises(RuntimeError, match="Caught Peculiar in DataLoader worker process 0"):
        list(DataLoader(Calls(fail_peculiarly), num_workers=1))
    with pytest.raises(KeyError, match="no such sample"):
        list(DataLoader(Calls(fail), 2))
    assert no_children()


def test_iteration_goes_on_after_an_exception():
    batches = iter(DataLoader(Calls(fail, 8), 2, num_workers=2))
    assert [next(batches).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError):
        next(batches)
    assert next(batches).tolist() == [6, 7]
    with pytest.raises(StopIteration):
        next(batches)


def test_what_cannot_be_pickled_is_told():
    with pytest.raises(Exception, match="pickle"):
        list(DataLoader(Calls(lambda i: lambda: i), None, num_workers=1))


def test_a_worker_that_dies_is_told():
    with pytest.raises(RuntimeError, match=r"worker \(pid\(s\) \d+\) exited unexpectedly.*code 3"):
        list(DataLoader(Calls(leave), num_workers=1))
    assert no_children()


def test_timeout():
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="timed out after 0.5 seconds"):
        list(DataLoader(Calls(sleep), num_workers=1, timeout=0.5))
    assert time.monotonic() - start < 10 and no_children()


def test_leaving_early_ends_the_workers():
    batches = iter(DataLoader(TEN, 2, num_workers=2))
    next(batches)
    assert len(multiprocessing.active_children()) == 2
    del batches
    assert no_children()


def test_persistent_workers():
    loader = DataLoader(
        Calls(where), 2, num_workers=2, persistent_workers=True, collate_fn=lambda x: x
    )
    first = list(loader)
    for _ in range(2):
        next(iter(loader))  # a pass that is broken off
    assert list(loader) == first and len({pid for batch in first for pid in batch}) == 2
    del loader
    assert no_children()
    loader = DataLoader(Stream(), 2, num_workers=2, persistent_workers=True)
    assert listed(loader) == listed(loader) == [[0, 1], [0, 1], [2, 3], [2, 3], [4], [4]]


def test_in_order_false():
    def slow_start(i):
        time.sleep(0.4 if i == 0 else 0.0)
        return i

    loader = DataLoader(Calls(slow_start, 6), None, num_workers=2, in_order=False)
    seen = list(loader)
    assert sorted(seen) == [0, 1, 2, 3, 4, 5] and seen[0] == 1


def test_a_stream_longer_than_it_said_warns():
    class Liar(Stream):
        def __len__(self):
            return 2

    loader = DataLoader(Liar(), 1)
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        list(loader)


def test_pin_memory_warns():
    with pytest.warns(UserWarning, match="no accelerator is found"):
        list(DataLoader(TEN, pin_memory=True))


def test_collate_is_the_default():
    assert DataLoader(TEN).collate_fn is default_collate
