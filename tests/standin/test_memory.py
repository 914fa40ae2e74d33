"""Memory of the stand-in is counted, runs out, and belongs to a device."""

import gc

import pytest

from autograd_gpu.testing import standin
from autograd_gpu.testing.standin import memory

KIB = 1024


@pytest.fixture
def pool():
    gc.collect()
    pool = standin.get_default_memory_pool()
    pool.free_all_blocks()
    yield pool
    pool.set_limit(size=0)
    pool.free_all_blocks()


def test_living_arrays_are_counted_and_freed_at_once(pool):
    before = pool.used_bytes()
    x = standin.zeros(KIB, "float32")
    assert pool.used_bytes() == before + 4 * KIB
    view = x[10:20]
    del x
    assert pool.used_bytes() == before + 4 * KIB
    del view
    assert pool.used_bytes() == before and pool.free_bytes() == 4 * KIB
    assert pool.n_free_blocks() == 1 and pool.total_bytes() == before + 4 * KIB
    pool.free_all_blocks()
    assert pool.free_bytes() == 0


def test_sizes_are_rounded_to_512_bytes(pool):
    before = pool.used_bytes()
    x = standin.zeros(1)
    assert pool.used_bytes() == before + 512 and x.nbytes == 8


def test_kept_memory_is_used_again(pool):
    x = standin.zeros(KIB)
    del x
    y = standin.empty(KIB)
    assert pool.free_bytes() == 0 and y.size == KIB


def test_every_kind_of_result_is_counted(pool):
    x = standin.zeros(KIB, "float32")
    before = pool.used_bytes()
    kept = [x + 1, x.copy(), x[x == 0], standin.concatenate([x, x]), standin.ndarray(KIB, "float32")]
    assert pool.used_bytes() - before == 4 * KIB * 6 and len(kept) == 5


def test_out_of_memory_says_what_cupy_says(pool):
    pool.set_limit(size=pool.used_bytes() + 64 * KIB)
    limit = pool.get_limit()
    kept = standin.zeros(32 * KIB, "int8")
    with pytest.raises(standin.cuda.memory.OutOfMemoryError) as caught:
        standin.zeros(40 * KIB, "int8")
    assert str(caught.value) == (
        f"Out of memory allocating 40,960 bytes (allocated so far: {pool.used_bytes():,} bytes, "
        f"limit set to: {limit:,} bytes)."
    )
    assert isinstance(caught.value, MemoryError)
    del kept
    standin.zeros(40 * KIB, "int8")


def test_idle_memory_is_given_up_before_memory_runs_out(pool):
    pool.set_limit(size=pool.used_bytes() + 64 * KIB)
    x = standin.zeros(40 * KIB, "int8")
    del x
    assert pool.free_bytes() == 40 * KIB
    standin.zeros(48 * KIB, "int8")


def test_limits_out_of_range_are_refused(pool):
    with pytest.raises(ValueError, match="at the same time"):
        pool.set_limit(size=1, fraction=0.5)
    with pytest.raises(ValueError, match="out of range"):
        pool.set_limit(size=-1)
    pool.set_limit(fraction=0.5)
    assert pool.get_limit() == memory.ARENAS[0].capacity // 2


def test_an_allocator_of_the_users_own():
    asked = []

    def allocate(size):
        asked.append(size)
        return standin.get_default_memory_pool().malloc(size)

    with standin.cuda.using_allocator(allocate):
        standin.ndarray((2, 3), "float64")
    standin.ndarray((5,), "float64")
    assert asked == [48]


def test_free_and_total_memory_of_the_device(pool):
    free, total = standin.cuda.Device(0).mem_info
    x = standin.zeros(KIB)
    assert standin.cuda.runtime.memGetInfo() == (free - 8 * KIB, total) and x.size


def test_devices_do_not_mix():
    with standin.activate(devices=2):
        x = standin.zeros(3)
        with standin.cuda.Device(1):
            y = standin.zeros(3)
            assert y.device.id == 1 and x.device.id == 0
            assert standin.cuda.runtime.getDevice() == 1
            with pytest.raises(ValueError, match="different from the current device"):
                _ = y + x
        assert standin.cuda.runtime.getDevice() == 0
        for refused in (lambda: y + 1, lambda: y.sum(), lambda: y[[0]]):
            with pytest.raises(ValueError, match=r"array resides \(1\)"):
                refused()
        assert y.get().tolist() == [0, 0, 0]  # copying to the host needs no switch
        assert y[1:].device.id == 1  # a view is no work for a device


def test_there_is_no_third_device():
    with standin.activate(devices=2), pytest.raises(standin.cuda.runtime.CUDARuntimeError):
        standin.cuda.Device(2).use()
