"""Data sets, samplers and collation: values, order of random numbers, errors."""

import collections

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu.utils import data

torch = pytest.importorskip("torch")
TEN = list(range(10))


class Stream(data.IterableDataset):
    def __init__(self, stop=5):
        self.stop = stop

    def __iter__(self):
        return iter(range(self.stop))

    def __len__(self):
        return self.stop


def seeded(module, make):
    module.manual_seed(7)
    return list(make(module, module.utils.data))


@pytest.mark.parametrize(
    "make",
    [
        lambda m, d: d.RandomSampler(TEN),
        lambda m, d: d.RandomSampler(TEN, num_samples=23),
        lambda m, d: d.RandomSampler(TEN, replacement=True, num_samples=70),
        lambda m, d: d.RandomSampler(TEN, replacement=True, num_samples=64),
        lambda m, d: d.SubsetRandomSampler([3, 5, 7, 9]),
        lambda m, d: d.WeightedRandomSampler([0.1, 0.9, 0.4, 3.0], 12),
        lambda m, d: d.WeightedRandomSampler([0.1, 0.9, 0.4, 3.0], 4, replacement=False),
        lambda m, d: d.BatchSampler(d.RandomSampler(TEN), 3, False),
        lambda m, d: d.BatchSampler(d.RandomSampler(TEN), 3, True),
        lambda m, d: [list(s.indices) for s in d.random_split(TEN, [3, 7])],
        lambda m, d: [list(s.indices) for s in d.random_split(TEN, [0.25, 0.5, 0.25])],
        lambda m, d: d.SequentialSampler(TEN),
    ],
)
def test_samplers_give_torchs_order(make):
    assert seeded(ag, make) == seeded(torch, make)
    assert ag.rand(1).item() == torch.rand(1).item()  # as many numbers were drawn


def test_samplers_with_a_generator():
    def run(module):
        generator = module.Generator()
        generator.manual_seed(3)
        sampler = module.utils.data.RandomSampler(TEN, generator=generator)
        return list(sampler) + list(sampler) + [module.rand(1, generator=generator).item()]

    assert run(ag) == run(torch)


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: data.RandomSampler([]), ValueError, "num_samples=0"),
        (lambda: data.RandomSampler(TEN, replacement=3), TypeError, "boolean"),
        (lambda: data.WeightedRandomSampler([1.0], True), ValueError, "num_samples=True"),
        (lambda: data.WeightedRandomSampler([[1.0]], 1), ValueError, "1d sequence"),
        (lambda: data.WeightedRandomSampler([1.0], 1, replacement=2), ValueError, "boolean"),
        (lambda: data.BatchSampler(TEN, 0, False), ValueError, "batch_size=0"),
        (lambda: data.BatchSampler(TEN, 2.0, False), ValueError, "batch_size=2.0"),
        (lambda: data.BatchSampler(TEN, 2, 3), ValueError, "drop_last=3"),
        (lambda: iter(data.Sampler()), NotImplementedError, "__iter__"),
        (lambda: data.Dataset()[0], NotImplementedError, "__getitem__"),
        (lambda: len(data.Dataset()), TypeError, "no len"),
        (lambda: data.TensorDataset(ag.ones(2), ag.ones(3)), AssertionError, "Size mismatch"),
        (lambda: data.StackDataset(TEN, [1]), ValueError, "Size mismatch"),
        (lambda: data.ConcatDataset([]), AssertionError, "empty"),
        (lambda: data.ConcatDataset([Stream()]), AssertionError, "IterableDataset"),
        (lambda: data.ConcatDataset([TEN])[-11], ValueError, "absolute value"),
        (lambda: data.ConcatDataset([TEN])[10], IndexError, "out of range"),
        (lambda: list(data.ChainDataset([TEN])), AssertionError, "IterableDataset"),
        (lambda: data.random_split(TEN, [3, 3]), ValueError, "does not equal"),
        (lambda: data.random_split(TEN, [0.5, 0.6]), ValueError, "does not equal"),
        (lambda: data.random_split(TEN, [-0.5, 1.5]), ValueError, "Fraction at index 0"),
        (lambda: data.default_collate([object()]), TypeError, "found <class 'object'>"),
        (lambda: data.default_collate([np.array(["a"])]), TypeError, "found"),
        (lambda: data.default_collate([[1, 2], [1]]), RuntimeError, "equal size"),
        (lambda: data.default_collate([ag.ones(2), ag.ones(3)]), RuntimeError, "equal size"),
    ],
)
def test_errors(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_datasets():
    pairs = data.TensorDataset(ag.arange(3), ag.arange(3) * 2)
    assert len(pairs) == 3 and [t.item() for t in pairs[2]] == [2, 4]
    both = data.ConcatDataset([TEN, [10, 11]])
    assert len(both) == 12 and both[11] == 11 and both[-1] == 11 and both[-12] == 0
    assert len(pairs + pairs) == 6
    subset = data.Subset(TEN, [7, 8, 9])
    assert subset[1] == 8 and subset.__getitems__([0, 2]) == [7, 9] and len(subset) == 3
    assert data.StackDataset(TEN, a_b := [*"abcdefghij"])[1] == (1, "b") and a_b
    assert data.StackDataset(x=TEN, y=TEN)[3] == {"x": 3, "y": 3}
    assert list(Stream(2) + Stream(3)) == [0, 1, 0, 1, 2] and len(Stream(2) + Stream(3)) == 5


def test_an_empty_split_warns():
    with pytest.warns(UserWarning, match="Length of split at index 0 is 0"):
        sizes = [len(part) for part in data.random_split([1], [0.0, 1.0][::-1][::-1])]
    assert sizes == [1, 0] or sizes == [0, 1]


Point = collections.namedtuple("Point", "x y")


class Odd(tuple):
    __slots__ = ()


BATCHES = [
    lambda m: [m.ones(2), m.zeros(2)],
    lambda m: [1, 2],
    lambda m: [1, 2.5],
    lambda m: [0.1, 2.0],
    lambda m: [True, False],
    lambda m: [np.float32(1), np.float32(2)],
    lambda m: [np.ones((2, 2)), np.zeros((2, 2))],
    lambda m: [np.array(1), np.array(2)],
    lambda m: [(1, "a", 2.0), (3, "b", 4.0)],
    lambda m: [[1, m.ones(1)], [2, m.zeros(1)]],
    lambda m: [{"a": 1, "b": (2, 3)}, {"a": 4, "b": (5, 6)}],
    lambda m: [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    lambda m: [Point(1, 2.0), Point(3, 4.0)],
    lambda m: [b"x", b"y"],
    lambda m: ["only"],
]


def plain(value):
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return str(value.dtype), value.tolist()
    if isinstance(value, dict):
        return type(value), {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [plain(v) for v in value]
    return value


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("name", ["default_collate", "default_convert"])
def test_collate(batch, name):
    ours = getattr(ag.utils.data, name)(batch(ag))
    theirs = getattr(torch.utils.data, name)(batch(torch))
    assert plain(ours) == plain(theirs)
