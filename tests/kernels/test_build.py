"""Compiling: the cache under many processes, what makes it stale, and what a missing g++ says."""

import os
import subprocess
import sys

import numpy as np
import pytest

from autograd_gpu.testing.emulator import CompileError, Module, build, unavailable

from . import conftest

TEXT = """
template <class T> __global__ void twice(const T* in, T* out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = in[i] * 2;
}
"""
RACE = f"""
import numpy as np
from autograd_gpu.testing.emulator import Module
x, out = np.arange(8, dtype="f4"), np.zeros(8, "f4")
Module({TEXT!r}, ["twice<float>"]).get_function("twice<float>")((1,), (32,), (x, out, np.int32(8)))
assert (out == 2 * x).all()
"""


@pytest.fixture
def emulator():
    conftest.require_emulator()


@pytest.fixture
def cold(emulator, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_GPU_EMULATOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.slow
def test_parallel_processes_share_a_cold_cache(cold):
    jobs = [
        subprocess.Popen([sys.executable, "-c", RACE], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for job in jobs:
        _, error = job.communicate(timeout=120)
        assert job.returncode == 0, error
    names = {path.name.split("-")[0] for path in cold.iterdir()}
    assert "kernel" in names and "build" not in names, "temporary folders are gone"
    assert len(list(cold.glob("kernel-*.so"))) == 1


def test_text_headers_and_mode_make_different_libraries(emulator, tmp_path):
    (tmp_path / "a.cuh").write_text("#define FACTOR 2\n")
    text = '#include "a.cuh"\n' + TEXT.replace("* 2", "* FACTOR")
    make = lambda checked: Module(text, ["twice<int>"], checked=checked, include=[tmp_path])
    first, again, checked = make(False), make(False), make(True)
    assert first.path == again.path != checked.path
    (tmp_path / "a.cuh").write_text("#define FACTOR 3\n")
    x, out = np.ones(4, np.int32), np.zeros(4, np.int32)
    make(False).get_function("twice<int>")((1,), (4,), (x, out, np.int32(4)))
    assert (out == 3).all()


def test_compile_error_shows_the_line(cold):
    with pytest.raises(CompileError, match="nonsense"):
        Module("__global__ void f() { nonsense; }", ["f"])
    assert not list(cold.glob("build-*"))


def test_unknown_kernel(emulator):
    module = Module(TEXT, ["twice<int>"])
    with pytest.raises(AttributeError):
        module.get_function("twice<float>")


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("AUTOGRAD_GPU_EMULATOR_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build.cache_folder() == tmp_path / "autograd_gpu" / "emulator"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert build.cache_folder() == tmp_path / ".cache" / "autograd_gpu" / "emulator"


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "there-is-no-such-compiler")


def test_missing_compiler(no_compiler):
    assert "there-is-no-such-compiler" in unavailable() and "install g++" in unavailable()
    with pytest.raises(CompileError, match="install g"):
        Module(TEXT, ["twice<int>"])


def test_other_platforms(monkeypatch):
    monkeypatch.setattr(build.platform, "machine", lambda: "aarch64")
    assert "x86-64" in unavailable()


def test_missing_compiler_fails_in_ci_and_skips_elsewhere(no_compiler, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="in CI the kernels must be tested"):
        conftest.require_emulator()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="install g"):
        conftest.require_emulator()
    assert "CI" not in os.environ
