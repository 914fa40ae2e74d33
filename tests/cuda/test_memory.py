"""What memory is in use, and what happens when there is none left."""

import pytest

import autograd_gpu as ag


def test_memory_is_counted(cuda):
    before = ag.cuda.memory_allocated()
    x = ag.zeros(1 << 16, device="cuda")
    assert ag.cuda.memory_allocated() >= before + x.nbytes
    del x
    assert ag.cuda.memory_allocated() == before
    assert ag.cuda.memory_reserved() >= before
    ag.cuda.empty_cache()
    assert "CUDA memory, device 0" in ag.cuda.memory_summary()
    free, total = ag.cuda.mem_get_info()
    assert 0 < free <= total


def test_the_most_that_was_used(cuda):
    ag.cuda.reset_peak_memory_stats()
    before = ag.cuda.max_memory_allocated()
    x = ag.zeros(1 << 16, device="cuda")
    size = x.nbytes
    del x
    assert ag.cuda.max_memory_allocated() >= before + size
    assert ag.cuda.memory_stats()["allocated_bytes.all.peak"] >= before + size


def test_the_graph_does_not_keep_memory(cuda):
    """A dropped graph gives its memory back at once, without the garbage collector."""
    import gc

    gc.disable()
    try:
        x = ag.ones(1 << 12, device="cuda", requires_grad=True)
        (x * x).tanh().sum().backward()
        x.grad = None
        before = ag.cuda.memory_allocated()
        for _ in range(3):
            y = (x * x).tanh().sum()
            y.backward()
            del y
            x.grad = None
        assert ag.cuda.memory_allocated() == before
    finally:
        gc.enable()


def test_out_of_memory_names_the_op_and_the_bytes(cuda):
    cuda.get_default_memory_pool().set_limit(size=1 << 20)
    try:
        x = ag.ones(1 << 15, device="cuda", requires_grad=True)
        with pytest.raises(ag.cuda.OutOfMemoryError, match=r"zeros\(\)") as error:
            ag.zeros(1 << 22, device="cuda")
        assert "16,777,216" in str(error.value) and "free" in str(error.value)
        with pytest.raises(ag.cuda.OutOfMemoryError, match=r"mul|add"):
            x[:, None] * x
        assert isinstance(error.value, RuntimeError) and isinstance(error.value, MemoryError)
        (x * 2).sum().backward()
        assert x.grad[0].item() == 2
    finally:
        cuda.get_default_memory_pool().set_limit(size=0)


def test_a_pass_that_runs_out_leaves_the_engine_usable(cuda):
    pool = cuda.get_default_memory_pool()
    x = ag.ones(1 << 12, device="cuda", requires_grad=True)
    y = (x[:, None] * x).tanh().sum()
    try:
        pool.set_limit(size=pool.used_bytes() + (1 << 12))
        with pytest.raises(ag.cuda.OutOfMemoryError, match="backward"):
            y.backward()
        assert x.grad is None
    finally:
        pool.set_limit(size=0)
    (x * 3).sum().backward()
    assert x.grad[0].item() == 3


def test_without_a_pool_limit_nothing_is_refused(cuda):
    with pytest.raises(ValueError, match="Allowed range: 0-1"):
        ag.cuda.set_per_process_memory_fraction(2.0)


def test_each_device_has_memory_of_its_own(two_devices):
    first, second = (ag.cuda.memory_allocated(k) for k in range(2))
    reserved = ag.cuda.memory_reserved(0)
    x = ag.zeros(1 << 16, device="cuda:1")
    assert ag.cuda.memory_allocated(0) == ag.cuda.memory_allocated() == first
    assert ag.cuda.memory_allocated(1) >= second + x.nbytes <= ag.cuda.memory_reserved(1)
    assert ag.cuda.memory_reserved(0) == reserved


def test_what_the_pool_keeps_is_given_back(cuda):
    x = ag.zeros(1 << 16, device="cuda")
    size = x.nbytes
    del x
    before = ag.cuda.memory_reserved()
    ag.cuda.empty_cache()
    assert ag.cuda.memory_reserved() <= before - size


@pytest.mark.parametrize("fraction", [1e-12, 0.0])
def test_no_more_than_a_share_of_the_memory(cuda, fraction):
    try:
        ag.cuda.empty_cache()
        ag.cuda.set_per_process_memory_fraction(fraction)
        with pytest.raises(ag.cuda.OutOfMemoryError):
            ag.zeros(1 << 16, device="cuda")
        ag.cuda.set_per_process_memory_fraction(1.0)
        assert ag.zeros(1 << 16, device="cuda").is_cuda
    finally:
        cuda.get_default_memory_pool().set_limit(size=0)
