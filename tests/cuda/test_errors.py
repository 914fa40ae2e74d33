"""What CUDA says when something is wrong reaches the user with the op's name and what to do."""

import pytest

import autograd_gpu as ag
from autograd_gpu._core import library


@pytest.fixture
def broken(cuda, monkeypatch):
    """A device whose kernels fail as one does after an illegal access."""
    x = ag.ones(3, device="cuda", requires_grad=True)
    y = x.tanh()

    def fail(*arguments, **options):
        raise cuda.cuda.runtime.CUDARuntimeError(700, "cudaErrorIllegalAddress: an illegal memory access was encountered")

    kernels = {n: {cuda.ndarray: fail} for n in ("tanh", "tanh_backward", "mul")}
    for name, failing in kernels.items():
        for table in (library.KERNELS, library.QUICK):
            if name in table:
                monkeypatch.setitem(table[name], cuda.ndarray, failing[cuda.ndarray])
    return x, y


def test_an_error_of_a_kernel_names_the_op_and_may_be_an_earlier_ones(broken):
    x, _ = broken
    with pytest.raises(RuntimeError, match=r"CUDA error in tanh\(\).*asynchronously.*started again"):
        x.tanh()


def test_an_error_in_backward(broken):
    x, y = broken
    with pytest.raises(RuntimeError, match="CUDA error in backward"):
        y.sum().backward()
    assert x.grad is None


def test_errors_that_are_not_cudas_stay_what_they_are(cuda):
    with pytest.raises(RuntimeError, match="size of tensor a"):
        ag.ones(2, device="cuda") + ag.ones(3, device="cuda")
    with pytest.raises(IndexError):
        ag.ones(2, device="cuda").sum(5)


@pytest.mark.parametrize("name", ["CUDADriverError", "CUBLASError", "CURANDError", "CUSOLVERError"])
def test_errors_of_cudas_libraries_name_the_op(cuda, monkeypatch, name):
    x = ag.ones(3, device="cuda")

    def fail(*arguments, **options):
        raise type(name, (RuntimeError,), {})("went wrong")

    for table in (library.KERNELS, library.QUICK):
        monkeypatch.setitem(table["tanh"], cuda.ndarray, fail)
    with pytest.raises(RuntimeError, match=r"CUDA error in tanh\(\): went wrong"):
        x.tanh()
