"""Without a GPU everything imports, and what needs one says why there is none."""

import importlib.metadata
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import autograd_gpu as ag
from autograd_gpu._core import library
from autograd_gpu.cuda import Event

ROOT = Path(__file__).parents[1]
REASON = "CuPy is away today"


@pytest.fixture(autouse=True)
def no_device(monkeypatch):
    """As if there were none, also where there is one."""
    monkeypatch.setattr(library, "_installed", [])
    monkeypatch.setattr(library, "_imported", [REASON])


HARMLESS = {
    "is_available": ((), False), "is_initialized": ((), False), "is_bf16_supported": ((), False),
    "device_count": ((), 0), "unavailable_reason": ((), REASON), "get_arch_list": ((), []),
    "get_rng_state_all": ((), []), "set_rng_state_all": (([],), None), "empty_cache": ((), None),
    "manual_seed": ((1,), None), "manual_seed_all": ((1,), None), "seed": ((), None), "seed_all": ((), None),
    "set_stream": ((None,), None),
}  # fmt: skip
"""What it is called with, and what it returns."""

NEEDY = {
    "Stream": (), "can_device_access_peer": (0, 1), "current_device": (), "current_stream": (), "default_stream": (),
    "device": (0,), "get_device_capability": (), "get_device_name": (), "get_device_properties": (), "get_rng_state": (),
    "init": (), "initial_seed": (), "max_memory_allocated": (), "max_memory_reserved": (), "mem_get_info": (),
    "memory_allocated": (), "memory_reserved": (), "memory_stats": (), "memory_summary": (),
    "reset_max_memory_allocated": (), "reset_peak_memory_stats": (), "set_device": (0,),
    "set_per_process_memory_fraction": (0.5,), "set_rng_state": (ag.zeros(16, dtype=ag.uint8),), "synchronize": (),
}  # fmt: skip

MADE = {"CustomOp", "check_indices", "Event", "OutOfMemoryError", "RawKernel", "StreamContext", "custom_op", "device_of", "stream"}
"""What can be made: a device is needed when it is used, if at all."""


def test_every_name_is_covered():
    assert HARMLESS.keys() | NEEDY.keys() | MADE == set(ag.cuda.__all__)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_needs_no_device_works(name):
    arguments, wanted = HARMLESS[name]
    assert getattr(ag.cuda, name)(*arguments) == wanted


@pytest.mark.parametrize("name", NEEDY)
def test_what_needs_a_device_says_why_there_is_none(name):
    with pytest.raises(RuntimeError, match=rf"cuda\.\w+\(\) needs a CUDA device: {REASON}"):
        getattr(ag.cuda, name)(*NEEDY[name])


def test_what_is_made_without_a_device():
    kernel = ag.cuda.RawKernel("", "f", "x: const T*")
    with pytest.raises((RuntimeError, TypeError), match=f"CUDA device|{REASON}"):
        kernel(ag.ones(1), threads=1)
    event = Event()
    assert event.query()
    with pytest.raises(RuntimeError, match=f"Event.*{REASON}"):
        event.record()
    with ag.cuda.stream(None), ag.cuda.device_of(ag.ones(1)):
        pass
    assert issubclass(ag.cuda.OutOfMemoryError, RuntimeError)


def test_default_generators():
    assert ag.cuda.default_generators == ()


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'autograd_gpu.cuda' has no attribute 'nothing'"):
        ag.cuda.nothing  # noqa: B018


def test_seeding_leaves_the_cpu_alone():
    state = ag.get_rng_state()
    ag.cuda.manual_seed_all(1)
    assert ag.equal(ag.get_rng_state(), state)


@pytest.mark.parametrize("move", [
    lambda t: t.to("cuda"), lambda t: t.cuda(), lambda t: ag.zeros(1, device="cuda:0"),
    lambda t: ag.nn.Linear(2, 2).cuda(), lambda t: ag.set_default_device("cuda"),
])  # fmt: skip
def test_moving_there_says_why_not(move):
    with pytest.raises(RuntimeError, match=f"cannot use device 'cuda.*{REASON}"):
        move(ag.ones(2))


def test_a_module_keeps_its_parameters_when_it_cannot_move():
    net = ag.nn.Linear(2, 2)
    before = [p._array for p in net.parameters()]
    with pytest.raises(RuntimeError, match=REASON):
        net.to("cuda")
    assert all(p._array is a for p, a in zip(net.parameters(), before, strict=True))


def reason_with(folder, cupy):
    """What a program says whose `cupy` is this text."""
    if cupy is not None:
        (folder / "cupy.py").write_text(cupy)
    code = "import autograd_gpu as ag; print(ag.cuda.is_available(), ag.cuda.unavailable_reason())"
    path = os.pathsep.join([str(folder), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    available, _, reason = done.stdout.partition(" ")
    assert available == "False" and reason.count("\n") == 1
    return reason.strip()


DRIVER = "class cuda:\n class runtime:\n  def getDeviceCount(): {}\n"
BROKEN = {
    "not there": ("raise ModuleNotFoundError('none', name='cupy')", "CuPy is not installed; see the extras cuda12x"),
    "no libcuda": ("raise ImportError('libcuda.so.1: no such file')", "does not import: libcuda.so.1: no such file"),
    "advice": ("try:\n 1 / 0\nexcept Exception as e: raise ImportError('=====\\nadvice') from e", "import: division by zero"),
    "needs another": ("import not_there_either", "does not import: No module named 'not_there_either'"),
    "broken": ("raise SystemError", "does not import: SystemError"),
    "old driver": (DRIVER.format("raise RuntimeError('insufficient driver')"), "driver or device: insufficient driver"),
    "no device": (DRIVER.format("return 0"), "CuPy works, but there is no CUDA device"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_cupy_that_does_not_work(case, tmp_path):
    text, wanted = BROKEN[case]
    assert wanted in reason_with(tmp_path, text)


class Loadable:
    """A module `cupy` without a device, in place of the one that is installed or not."""

    class cuda:
        class runtime:
            @staticmethod
            def getDeviceCount():
                return 0


@pytest.fixture
def two_packages(monkeypatch):
    versions = {"cupy-cuda12x": "14.1", "cupy-cuda13x": "14.2"}

    def version(name):
        if name not in versions:
            raise importlib.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(importlib.metadata, "version", version)


BOTH = "cupy-cuda12x 14.1 and cupy-cuda13x 14.2 are installed side by side"


def test_two_installations_are_named_in_a_warning(two_packages, monkeypatch):
    monkeypatch.setattr(library, "_imported", [])
    monkeypatch.setitem(sys.modules, "cupy", Loadable)
    with pytest.warns(UserWarning, match=BOTH) as seen:
        assert ag.cuda.is_available() is False
    assert len(seen) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "no CUDA device" in ag.cuda.unavailable_reason()


def test_two_installations_that_broke_each_other_are_named_in_the_reason(two_packages, monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('undefined symbol')")
    monkeypatch.setattr(library, "_imported", [])
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    assert f"undefined symbol; {BOTH}" in ag.cuda.unavailable_reason()
