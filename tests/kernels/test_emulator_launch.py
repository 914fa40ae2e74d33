"""How a launch can be asked for: its schedule, its seed, with guards or on the arrays themselves."""

import numpy as np
import pytest

from autograd_gpu.testing.emulator import KernelError, Module, strided

from .conftest import require_emulator

TEXT = """
extern "C" __global__ void order(int* turn, int* out) { out[threadIdx.x] = atomicAdd(turn, 1); }
extern "C" __global__ void twice(const float* in, float* out, int n, int beyond) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i + beyond] = in[i] * 2;
}
"""
f4, i4 = np.float32, np.int32


def module(checked=False, **options):
    require_emulator()
    return Module(TEXT, ["order", "twice"], checked=checked, **options)


def order(kernel, **options):
    out = np.zeros(256, i4)
    kernel((1,), (256,), (np.zeros(1, i4), out), **options)
    return out.tolist()


def test_schedules():
    kernel = module().get_function("order")
    forward, backward = list(range(256)), order(kernel, schedule="reverse")
    assert order(kernel) == forward != backward
    assert sorted(backward) == forward and backward[224:] == list(range(32))


def test_a_seed_repeats_an_order():
    kernel = module().get_function("order")
    same = [order(kernel, schedule="random", seed=5) for _ in range(2)]
    assert same[0] == same[1] != order(kernel, schedule="random", seed=6)


def test_a_module_may_say_the_schedule():
    """Each launch of a kernel then draws another order, and the same ones every time."""
    runs = []
    for _ in range(2):
        kernel = module(schedule="random").get_function("order")
        runs.append([order(kernel) for _ in range(3)])
    assert runs[0] == runs[1] and len(set(map(tuple, runs[0]))) == 3
    assert order(kernel, schedule="forward") == list(range(256))


@pytest.mark.parametrize("checked", [False, True], ids=["plain", "checked"])
def test_without_guards_the_arrays_themselves_are_used(checked):
    kernel = module(checked).get_function("twice")
    x, out = np.arange(8, dtype=f4), np.zeros(20, f4)
    kernel((1,), (8,), (x, strided(out[::2]), i4(8), i4(3)), guarded=False)
    assert out.tolist() == [0, 0, 0, *(2 * x), *[0] * 9]


def test_the_checker_needs_no_guards():
    x, out = np.ones(8, f4), np.zeros(8, f4)
    with pytest.raises(KernelError, match="out of bounds: write of 4 bytes"):
        module(True).get_function("twice")((1,), (8,), (x, out, i4(8), i4(1)), guarded=False)


def test_a_guarded_launch_that_fails_changes_nothing():
    out = np.zeros(8, f4)
    with pytest.raises(KernelError):
        module().get_function("twice")((1,), (8,), (np.ones(8, f4), out, i4(8), i4(1)))
    assert not out.any()


def test_contraction_can_be_chosen():
    plain, fused = module(contract=False), module(contract=True)
    assert not plain.contract and fused.contract == module(True).contract
    assert (plain.path == fused.path) != fused.contract
