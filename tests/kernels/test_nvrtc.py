"""NVRTC accepts every instance for five architectures, without a warning and within its limits."""

import re

import pytest

from autograd_gpu._core.manifest import KERNELS
from autograd_gpu.testing import nvrtc

from .conftest import require_nvrtc
from .functions import NAMES, text
from .limits import ARCHS, MORE, MORE_FLOAT64, STACK, excess, registers, report, units

UNITS = units()
every_arch = pytest.mark.parametrize("arch", ARCHS, ids="sm_{}".format)


@pytest.fixture(autouse=True)
def compiler():
    require_nvrtc()


@every_arch
@pytest.mark.parametrize("unit", UNITS, ids=" ".join)
def test_every_instance(unit, arch):
    names = UNITS[unit]
    found = report(unit[0], names, arch)
    assert found.cubin[:4] == b"\x7fELF"
    assert set(found.kernels) == set(names)
    assert not found.warnings, "\n".join(found.warnings)
    lines = [line for name, usage in found.kernels.items() for line in excess(*names[name], usage)]
    assert not lines, "\n".join(lines)


def test_units_hold_every_instance():
    """Some kernels share an instance, so it is compiled once."""
    ours = {name for names in UNITS.values() for name in names}
    assert ours == {e for k in KERNELS.values() for d in k.dtypes for e in k.instances(d)}


def test_the_largest_block_fits():
    """A launch of 512 threads, the most that a kernel is launched with, has the registers."""
    limits = [registers(file, dtype) for file, dtype in UNITS]
    assert 512 * max(limits) <= 65536


def test_limits_name_kernels_that_exist():
    assert set(STACK) <= set(KERNELS)
    assert {*MORE, *MORE_FLOAT64} <= {kernel.file for kernel in KERNELS.values()}


@pytest.mark.parametrize("arch", [ARCHS[0], ARCHS[-1]])
def test_the_emulators_functions_are_nvrtcs(arch):
    """Every function that the emulator offers to kernels, by the same text."""
    found = nvrtc.compile_for(arch, text())
    assert set(found.kernels) == set(NAMES) and not found.warnings


SPILLS = """
extern "C" __global__ void __launch_bounds__(1024, 2) spills(const double* in, double* out) {
  double x[64];
#pragma unroll
  for (int k = 0; k < 64; ++k) x[k] = in[k * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int k = 0; k < 64; ++k) out[threadIdx.x * 64 + k] = x[k] * x[63 - k];
}
"""
LOCAL = """
extern "C" __global__ void local(const int* at, int* out) {
  int table[40];
  for (int k = 0; k < 40; ++k) table[at[k] % 40] = k;
  out[threadIdx.x] = table[at[threadIdx.x] % 40];
}
"""
SHARED = """
template <class T> __global__ void turn(T* data) {
  __shared__ T copy[256];
  copy[threadIdx.x] = data[threadIdx.x];
  __syncthreads();
  data[threadIdx.x] = copy[255 - threadIdx.x];
}
"""


def usage_of(source, name, expressions=()):
    return nvrtc.compile_for(90, source, expressions).kernels[name]


def test_planted_spill():
    usage = usage_of(SPILLS, "spills")
    assert usage.spills > 0 and usage.registers <= 32
    (line,) = excess(KERNELS["softmax"], "rows", "float32", usage)
    assert re.search(r"softmax \(rows, float32\) spills \d+ bytes", line)


def test_planted_local_memory():
    usage = usage_of(LOCAL, "local")
    assert usage.stack >= 160 and usage.spills == 0
    assert "bytes of local memory" in excess(KERNELS["softmax"], "rows", "float32", usage)[0]


def test_planted_excess_of_registers():
    usage = nvrtc.Usage(registers("softmax.cu", "float32") + 1, 0, 0, 0)
    assert "registers of" in excess(KERNELS["softmax"], "rows", "float32", usage)[0]


def test_shared_memory_is_reported():
    names = ["turn<float>", "turn<double>"]
    found = nvrtc.compile_for(80, SHARED, names).kernels
    assert [found[n].shared for n in names] == [1024, 2048]


def test_planted_warning():
    found = nvrtc.compile_for(80, 'extern "C" __global__ void f() { int unused = 1; }')
    assert "never referenced" in found.warnings[0]


def test_planted_error_shows_the_line():
    with pytest.raises(nvrtc.CompileError, match=r"sm_80.*\n.*\(2\).*nonsense"):
        nvrtc.compile_for(80, "// one\n__global__ void f() { nonsense; }")


def test_unknown_expression():
    with pytest.raises(nvrtc.CompileError, match="undefined_kernel"):
        nvrtc.compile_for(80, SHARED, ["undefined_kernel<float>"])


def test_unknown_architecture():
    with pytest.raises(nvrtc.CompileError, match="NVRTC"):
        nvrtc.compile_for(13, SHARED, ["turn<float>"])


def test_version_is_the_one_that_ci_pins():
    assert nvrtc.version()[0] == 13
