"""RawModule of the stand-in: kernels run in the emulator, launched as CuPy launches them."""

import numpy as np
import pytest

from autograd_gpu.testing import emulator, standin

pytestmark = pytest.mark.skipif(bool(emulator.unavailable()), reason=emulator.unavailable())

SOURCE = """
template <class T> __global__ void scaled(const T* x, T* y, long long n, T factor) {
  long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] * factor;
}
template <class T> __global__ void beyond(const T* x, T* y, long long n) { y[n] = x[0]; }
"""
SCALED, BEYOND = "scaled<float>", "beyond<float>"


@pytest.fixture(scope="module")
def module():
    return standin.RawModule(code=SOURCE, name_expressions=[SCALED, BEYOND])


def arguments(n=100):
    x = standin.asarray(np.arange(n, dtype="float32"))
    return x, standin.zeros(n, "float32"), np.int64(n), np.float32(2)


def test_a_kernel_writes_device_arrays(module):
    x, y, n, factor = arguments()
    module.get_function(SCALED)((2,), (64,), (x, y, n, factor))
    assert y.get().tolist() == (2 * x).get().tolist()


def test_launches_are_listed(module):
    kernel = module.get_function(SCALED)
    with standin.launches() as seen:
        kernel((2,), (64,), arguments())
        kernel.kernel((1, 1, 1), (128, 1, 1), arguments(), shared_mem=0)
    kernel((2,), (64,), arguments())
    assert seen == [(SCALED, (2,), (64,)), (SCALED, (1, 1, 1), (128, 1, 1))]


def test_arguments_that_a_driver_would_misread_are_refused(module):
    kernel = module.get_function(SCALED)
    x, y, n, factor = arguments()
    with pytest.raises(emulator.ArgumentError, match="no width"):
        kernel((1,), (1,), (x, y, 100, factor))
    with pytest.raises(emulator.ArgumentError, match="float64"):
        kernel((1,), (1,), (x.astype("float64"), y, n, factor))
    with pytest.raises(emulator.ArgumentError, match="4 arguments"):
        kernel((1,), (1,), (x, y, n))
    with pytest.raises(TypeError, match="Unsupported type"):
        kernel((1,), (1,), (x.get(), y, n, factor))


def test_strides_are_ignored_as_cupy_ignores_them(module):
    x = standin.asarray(np.arange(10, dtype="float32"))
    y = standin.zeros(5, "float32")
    module.get_function(SCALED)((1,), (5,), (x[::2], y, np.int64(5), np.float32(1)))
    assert y.get().tolist() == [0, 1, 2, 3, 4]


def test_a_name_that_was_not_asked_for_is_refused(module):
    with pytest.raises(RuntimeError, match="not among"):
        module.get_function("scaled<double>")


def test_checked_and_guarded_runs_find_a_write_out_of_bounds(module):
    kernel = module.get_function(BEYOND)
    x, y = arguments(1024)[:2]
    call = ((1,), (1,), (x, y, np.int64(1024)))
    with standin.running(checked=True), pytest.raises(emulator.KernelError, match="out of bounds"):
        kernel(*call)
    with standin.running(guarded=True), pytest.raises(emulator.KernelError, match="out of bounds"):
        kernel(*call)


def test_another_order_of_threads_can_be_chosen(module):
    x, y, n, factor = arguments()
    for schedule in ("reverse", "random"):
        with standin.running(schedule=schedule, seed=3):
            module.get_function(SCALED)((2,), (64,), (x, y, n, factor))
    with standin.running(schedule="sideways"), pytest.raises(ValueError, match="sideways"):
        module.get_function(SCALED)((2,), (64,), (x, y, n, factor))


def test_a_function_belongs_to_the_device_it_was_compiled_on(module):
    with standin.activate(devices=2):
        function = module.get_function(SCALED).kernel
        x, y, n, factor = arguments()
        with standin.cuda.Device(1):
            with pytest.raises(standin.cuda.runtime.CUDARuntimeError, match="INVALID_HANDLE"):
                function((1,), (1,), arguments())
            with pytest.raises(ValueError, match="different from the current device"):
                module.get_function(SCALED)((1,), (1,), (x, y, n, factor))


def test_source_that_does_not_compile_says_why():
    module = standin.RawModule(code="__global__ void k() { nonsense; }", name_expressions=["k"])
    with pytest.raises(emulator.CompileError, match="nonsense"):
        module.get_function("k")((1,), (1,), ())
    with pytest.raises(TypeError, match="no files"):
        standin.RawModule(path="kernel.cu")
