"""Pooling where the walk over the table does not look: windows of -inf, and dtypes without order."""

import pytest

import autograd_gpu as ag
import autograd_gpu.nn.functional as F


@pytest.mark.parametrize("options", [(3, 2, 1), (2, 1, 1), (3, 1, 1, 2), (5, 3, 2), (3, 2, 1, 1, True)])
def test_padding_is_never_the_maximum(torch, options):
    """Where all of a window is -inf, its first element counts, not the padding before it."""
    theirs = torch.full((1, 2, 7, 6), -torch.inf)
    theirs[0, 0, 3:, 2] = 1
    ours = ag.tensor(theirs.numpy())
    wanted = torch.nn.functional.max_pool2d(theirs, *options, return_indices=True)
    found = F.max_pool2d(ours, *options, return_indices=True)
    assert [t.tolist() for t in found] == [t.tolist() for t in wanted]
    ours.requires_grad_()
    theirs.requires_grad_()
    F.max_pool2d(ours, *options).relu().sum().backward()
    torch.nn.functional.max_pool2d(theirs, *options).relu().sum().backward()
    assert ours.grad.tolist() == theirs.grad.tolist()


POOLS = {
    "max_pool2d": lambda F, x: F.max_pool2d(x, 2),
    "max_pool2d, indices": lambda F, x: F.max_pool2d(x, 2, return_indices=True),
    "adaptive_max_pool2d": lambda F, x: F.adaptive_max_pool2d(x, 2),
    "adaptive_max_pool1d": lambda F, x: F.adaptive_max_pool1d(x[0], 2),
    "avg_pool2d": lambda F, x: F.avg_pool2d(x, 2),
    "adaptive_avg_pool2d": lambda F, x: F.adaptive_avg_pool2d(x, 2),
}


@pytest.mark.parametrize("dtype", ["complex64", "complex128", "bool"])
@pytest.mark.parametrize("pool", POOLS)
def test_no_pools_of_complex_numbers_and_bools(torch, pool, dtype):
    with pytest.raises(NotImplementedError) as wanted:
        POOLS[pool](torch.nn.functional, torch.ones(1, 4, 4, dtype=getattr(torch, dtype)))
    with pytest.raises(NotImplementedError) as found:
        POOLS[pool](F, ag.ones(1, 4, 4, dtype=getattr(ag, dtype)))
    assert str(found.value) == str(wanted.value)


@pytest.mark.parametrize("reduce", ["amax", "amin"])
def test_complex_numbers_are_not_compared(torch, reduce):
    def call(m):
        x = m.ones(3, dtype=m.complex64)
        with pytest.raises(NotImplementedError) as caught:
            x.scatter_reduce(0, m.tensor([0, 1]), x[:2], reduce)
        return str(caught.value)

    assert call(ag) == call(torch)
