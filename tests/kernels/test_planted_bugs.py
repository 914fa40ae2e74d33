"""For each class of bug that the emulator must find, a kernel that has it."""

import numpy as np
import pytest

from autograd_gpu.testing.emulator import ArgumentError, KernelError
from autograd_gpu.testing.emulator.build import can_contract

BUGS = [
    "one_too_far", "reads_too_far", "writes_before", "follows_null", "no_barrier",
    "no_second_barrier", "no_atomic", "blocks_collide", "uninitialised", "leaves_early",
    "two_barriers", "shuffles_alone", "misaligned", "misaligned_atomic", "too_little_shared", "loads_too_far", "no_syncwarp",
    "reads_a_sum_too_early", "reads_outside_its_mask", "two_masks", "index_overflows",
    "beyond_fixed_size", "uninitialised_local", "divides_by_zero", "hangs_on_rounding", "asserts",
]  # fmt: skip
both = pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"])
every_schedule = pytest.mark.parametrize("schedule", ["forward", "reverse", "random"])
f4, i4, i8 = np.float32, np.int32, np.int64


@pytest.fixture
def kernel(in_order):
    return lambda name, checked: in_order("planted.cu", BUGS, checked).get_function(name)


def ones(*shape, dtype=f4):
    return np.ones(shape, dtype)


def line_of(text):
    from .conftest import HERE

    lines = (HERE / "planted.cu").read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


@both
def test_index_beyond_the_end(kernel, checked):
    """A guard page finds it where the array's end is aligned; the checker always."""
    out = ones(64)
    with pytest.raises(KernelError, match="out of bounds"):
        kernel("one_too_far", checked)((3,), (32,), (ones(64), out, i8(64)))
    assert (out == 1).all(), "a failed launch changes nothing"
    with pytest.raises(KernelError, match="out of bounds") as error:
        kernel("one_too_far", checked)((1,), (64,), (ones(61), ones(61), i8(61)))
    assert not checked or f"planted.cu:{line_of('out[i] = in[i] * 2')}" in str(error.value)
    assert not checked or "thread (61, 0, 0)" in str(error.value)


def test_read_beyond_the_end(kernel):
    with pytest.raises(KernelError, match="out of bounds: read of 4 bytes"):
        kernel("reads_too_far", True)((1,), (32,), (ones(30), ones(30), i4(30)))


def test_error_names_the_kernels_line(kernel):
    """Not that of the emulator's function which the kernel called."""
    line = line_of("__ldg(in + i + 1)")
    with pytest.raises(KernelError, match=f"out of bounds: read of 4 bytes.*planted.cu:{line}"):
        kernel("loads_too_far", True)((1,), (32,), (ones(30), ones(30), i4(30)))


def test_fault_names_its_line(kernel):
    with pytest.raises(KernelError, match=r"out of bounds.*faulted \(planted.cu:\d+\)"):
        kernel("reads_too_far", False)((1,), (64,), (ones(64), ones(64), i4(64)))


@both
def test_index_before_the_beginning(kernel, checked):
    with pytest.raises(KernelError, match="out of bounds"):
        kernel("writes_before", checked)((1,), (8,), (ones(64),))


@both
def test_null_pointer(kernel, checked):
    with pytest.raises(KernelError, match="out of bounds"):
        kernel("follows_null", checked)((1,), (1,), (None, ones(1)))


def test_missing_barrier(kernel):
    """Whether the reader comes too early or the writers happen to be first."""
    run, args = kernel("no_barrier", True), (ones(128), ones(1))
    with pytest.raises(KernelError, match="read of uninitialised shared memory"):
        run((1,), (128,), args)
    with pytest.raises(KernelError, match="race in shared memory: read .* after a write") as error:
        run((1,), (128,), args, schedule="reverse")
    assert f"planted.cu:{line_of('total += partial[w]')}" in str(error.value)


def test_missing_second_barrier(kernel):
    with pytest.raises(KernelError, match="race in shared memory: write .* after a read"):
        kernel("no_second_barrier", True)((1,), (128,), (ones(3, 128), ones(3), i4(3)))


def test_random_schedule_shows_a_race_in_the_values(kernel):
    """Without the checker: the fair order hides the missing barrier, a random one does not."""
    x, out = np.arange(512, dtype=f4).reshape(4, 128), np.zeros(4, f4)
    run = kernel("no_second_barrier", False)
    run((1,), (128,), (x, out, i4(4)))
    assert np.array_equal(out, x.sum(1))
    wrong = 0
    for seed in range(20):
        run((1,), (128,), (x, out, i4(4)), schedule="random", seed=seed)
        wrong += not np.array_equal(out, x.sum(1))
    assert wrong > 0


def test_missing_atomic(kernel):
    index = np.arange(100, dtype=i4) % 5
    with pytest.raises(KernelError, match="race in global memory"):
        kernel("no_atomic", True)((2,), (64,), (ones(100), index, ones(5), i4(100)))


def test_blocks_that_collide(kernel):
    with pytest.raises(KernelError, match="race in global memory: write .* of block"):
        kernel("blocks_collide", True)((2,), (32,), (ones(1),))


def test_uninitialised_shared_memory(kernel):
    with pytest.raises(KernelError, match="uninitialised shared memory"):
        kernel("uninitialised", True)((1,), (64,), (ones(64), ones(64)))
    out = ones(64)  # without the checker it is poisoned, so that the values show it
    kernel("uninitialised", False)((1,), (64,), (ones(64), out))
    assert np.isnan(out[32:]).all() and (out[:32] == 1).all()


@both
def test_threads_that_leave_before_a_barrier(kernel, checked):
    with pytest.raises(KernelError, match="barrier divergence: 100 threads wait.*28 have exited"):
        kernel("leaves_early", checked)((1,), (128,), (ones(100), ones(100), i4(100)))


@both
def test_threads_at_two_barriers(kernel, checked):
    with pytest.raises(KernelError, match=r"barrier divergence: .* line \d+ and of line \d+"):
        kernel("two_barriers", checked)((1,), (64,), (ones(64),))


@both
def test_shuffle_with_absent_lanes(kernel, checked):
    with pytest.raises(KernelError, match="lane 20 of mask ffffffff has exited"):
        kernel("shuffles_alone", checked)((1,), (32,), (ones(20), ones(20), i4(20)))
    with pytest.raises(KernelError, match="beyond the block"):
        kernel("shuffles_alone", checked)((1,), (20,), (ones(20), ones(20), i4(20)))


@both
def test_misaligned_vector(kernel, checked):
    out = np.zeros(1, np.dtype([("v", f4, 4)]))
    run = kernel("misaligned", checked)
    run((1,), (1,), (ones(16), out, i4(4)))
    with pytest.raises(KernelError, match="misaligned access"):
        run((1,), (1,), (ones(16), out, i4(1)))


@both
def test_misaligned_atomic(kernel, checked):
    with pytest.raises(KernelError, match="misaligned atomic"):
        kernel("misaligned_atomic", checked)((1,), (1,), (np.zeros(16, np.int8),))


def test_too_little_dynamic_shared_memory(kernel):
    run, out = kernel("too_little_shared", True), ones(64)
    run((1,), (64,), (out,), shared_mem=256)
    with pytest.raises(KernelError, match="shared memory"):
        run((1,), (64,), (out,), shared_mem=255)
    with pytest.raises(KernelError, match="beyond the dynamic shared memory"):
        run((1,), (64,), (out,), shared_mem=128)


@every_schedule
def test_missing_barrier_of_a_warp(kernel, schedule):
    """What one lane writes another reads, in whatever order they happen to run."""
    words = "race in shared memory|uninitialised shared memory"
    with pytest.raises(KernelError, match=words):
        kernel("no_syncwarp", True)((1,), (32,), (ones(32), ones(32)), schedule=schedule, seed=2)


@every_schedule
def test_read_beside_atomics(kernel, schedule):
    args = (ones(32), np.zeros(1, f4), ones(32))
    with pytest.raises(KernelError, match="race in global memory"):
        kernel("reads_a_sum_too_early", True)((1,), (32,), args, schedule=schedule, seed=2)


@both
def test_shuffle_from_outside_the_mask(kernel, checked):
    run, args = kernel("reads_outside_its_mask", checked), (np.ones(32, i4), np.ones(32, i4))
    with pytest.raises(KernelError, match="lane 0 reads lane 1 outside mask 55555555"):
        run((1,), (32,), args)


@both
def test_different_masks(kernel, checked):
    run, args = kernel("two_masks", checked), (np.ones(32, i4), np.ones(32, i4))
    with pytest.raises(KernelError, match="not in its mask|different masks"):
        run((1,), (32,), args)


def test_index_of_32_bits(kernel):
    """The checker sees the overflow itself: no array of that size is needed."""
    args = (ones(8), ones(8), i4(70_000), i4(40_000))
    with pytest.raises(KernelError, match="overflow of a signed integer: 70000 . 40000") as error:
        kernel("index_overflows", True)((1,), (8,), args)
    assert f"planted.cu:{line_of('int at = row * n')}" in str(error.value)
    kernel("index_overflows", True)((1,), (8,), (*args[:2], i4(7), i4(4)))


def test_index_beyond_an_array_of_fixed_size(kernel):
    run, args = kernel("beyond_fixed_size", True), (ones(32), ones(32))
    run((1,), (32,), (*args, i4(0)))
    with pytest.raises(KernelError, match="out of bounds: index 32 of an array of fixed size"):
        run((1,), (32,), (*args, i4(1)))


@both
def test_uninitialised_variable_shows_in_the_values(kernel, checked):
    out = ones(4)
    kernel("uninitialised_local", checked)((1,), (4,), (ones(3), out, i4(3)))
    assert (out == 1).all()
    kernel("uninitialised_local", checked)((1,), (4,), (ones(3), out, i4(0)))
    assert not (np.abs(out) < 1e30).any()


@both
def test_division_by_zero(kernel, checked):
    """It would kill the process; on a GPU it gives some number."""
    run = kernel("divides_by_zero", checked)
    for _ in range(2):
        with pytest.raises(KernelError, match="division of an integer by zero|overflow"):
            run((1,), (4,), (np.zeros(4, i4), i4(0)))
    run((1,), (4,), (np.zeros(4, i4), i4(2)))


def test_fused_products_are_seen(kernel):
    """NVRTC fuses a product and a sum; the plain mode does not, the checked one does."""
    if not can_contract():
        pytest.skip("this CPU has no fused multiply-add")
    a, b = np.random.default_rng(0).standard_normal((2, 64)).astype(f4)
    plain, fused = ones(64), ones(64)
    kernel("hangs_on_rounding", False)((1,), (64,), (a, b, plain))
    kernel("hangs_on_rounding", True)((1,), (64,), (a, b, fused))
    exact = (a.astype(float) * b - (a * b).astype(float)).astype(f4)
    assert (plain == 0).all() and np.array_equal(fused, exact) and fused.any()


@both
def test_assertion_in_a_kernel(kernel, checked):
    with pytest.raises(KernelError, match=r"thread \(2, 0, 0\): assertion failed: index.* < n"):
        kernel("asserts", checked)((1,), (4,), (np.arange(4, dtype=i4), i4(2)))


def test_dynamic_shared_memory_beyond_48_kib(kernel):
    run, out = kernel("too_little_shared", False), ones(64)
    with pytest.raises(KernelError, match="max_dynamic_shared_size_bytes"):
        run((1,), (64,), (out,), shared_mem=48 * 1024 + 1)
    run.max_dynamic_shared_size_bytes = 100 * 1024
    run((1,), (64,), (out,), shared_mem=100 * 1024)


READ_ONLY = np.broadcast_to(f4(1), (8,))
GOOD = (ones(8), ones(8), i8(8))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((ones(8, dtype=i4), *GOOD[1:]), "const float32.*got int32"),
        ((ones(8, dtype=np.float64), *GOOD[1:]), "const float32.*got float64"),
        ((ones(8, dtype=np.uint32), *GOOD[1:]), "got uint32"),
        ((ones(8).astype(">f4"), *GOOD[1:]), "got >f4"),
        ((*GOOD[:2], 8), "NumPy scalar of int64, got int.*no width"),
        ((*GOOD[:2], i4(8)), "expected int64, got int32"),
        ((*GOOD[:2], np.uint64(8)), "expected int64, got uint64"),
        ((*GOOD[:2], np.float64(8)), "expected int64, got float64"),
        ((f4(1), *GOOD[1:]), "expected an array for const float32"),
        (([1.0] * 8, *GOOD[1:]), "expected an array.*got list"),
        ((GOOD[0], READ_ONLY.copy()[::2], GOOD[2]), "not contiguous"),
        ((ones(16)[::2], *GOOD[1:]), "not contiguous"),
        ((READ_ONLY[:1], GOOD[1], i8(1)), None),
        ((GOOD[0], READ_ONLY[:1], i8(1)), "read-only"),
        (GOOD[:2], "expected 3 arguments.*got 2"),
        ((*GOOD, i4(1)), "expected 3 arguments.*got 4"),
    ],
)
def test_arguments(kernel, args, words):
    run = kernel("one_too_far", False)
    size = args[2] if len(args) > 2 else 0
    if words is None:
        return run((1,), (1,), (*args[:2], size - 1))
    with pytest.raises(ArgumentError, match=words):
        run((1,), (1,), args)


@pytest.mark.parametrize(
    ("grid", "block", "words"),
    [
        ((1,), (1025,), "1 to 1024 threads"), ((1,), (0,), "1 to 1024 threads"),
        ((0,), (1,), "at least one block"), ((1, 65536), (1,), "at most"),
    ],
)  # fmt: skip
def test_launches_that_a_gpu_refuses(kernel, grid, block, words):
    with pytest.raises(KernelError, match=words):
        kernel("one_too_far", False)(grid, block, GOOD)


def test_too_much_shared_memory(kernel):
    run = kernel("one_too_far", False)
    run.max_dynamic_shared_size_bytes = 2**20
    with pytest.raises(KernelError, match="232448 bytes"):
        run((1,), (1,), GOOD, shared_mem=232449)


def test_unknown_schedule(kernel):
    with pytest.raises(ValueError, match="forward, reverse, random"):
        kernel("one_too_far", False)((1,), (1,), GOOD, schedule="fair")


def test_it_works_after_a_failure(kernel):
    run = kernel("one_too_far", True)
    with pytest.raises(KernelError):
        run((1,), (64,), GOOD)
    out = np.zeros(8, f4)
    run((1,), (7,), (ones(8), out, i8(8)))
    assert out.tolist() == [2] * 7 + [0]
