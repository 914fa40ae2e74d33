"""What CuPy itself gives the driver are the bytes that a kernel is to find: arrays' addresses, numbers, structures."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MISSING = [t for t in ("gcc", "readelf", "nm") if shutil.which(t) is None]
PROGRAM = """
import ctypes, os, sys
import numpy as np
from tests.standin import null_driver

def launch(function, gx, gy, gz, bx, by, bz, shared, stream, parameters, extra):
    places = ctypes.cast(parameters, ctypes.POINTER(ctypes.c_void_p))
    seen.append([ctypes.string_at(places[k], len(w)) for k, w in enumerate(wanted)])

seen = []
null_driver._DRIVER["launchKernel"] = launch
cupy = null_driver.null_cupy()
from cupy.cuda import compiler
from cupy.cuda.function import Module
from autograd_gpu._core import library
from autograd_gpu._core.manifest import LAYOUT

def compiled(*arguments, **options):
    module = Module()
    module.load(b"")
    module._set_mapping({})
    return module

compiler._compile_module_with_cache = compiled
kernel = cupy.RawModule(code="x", name_expressions=["k"]).get_function("k").kernel
xp = library.install(cupy)
layout = np.frombuffer(np.random.default_rng(0).bytes(LAYOUT.itemsize), LAYOUT)[0]
array = xp.new_array((2, 3), np.dtype("f4"))
assert (array.shape, array.dtype, array._c_contiguous) == ((2, 3), np.float32, True)
address = array.data.ptr.to_bytes(8, "little")
numbers = [np.int64(-5), np.float32(2.5), np.bool_(True), np.uint8(200), np.float64(0.1)]
wanted = [address, layout.tobytes(), *[n.tobytes() for n in numbers]]
for structure in (xp.structure(layout), xp.structure(np.array(layout)), layout):
    kernel((1,), (1,), (array, structure, *numbers))
assert seen == [wanted] * 3, seen
print("the same", flush=True)
os._exit(0)
"""


@pytest.mark.skipif(importlib.util.find_spec("cupy_backends") is None, reason="CuPy is not installed")
@pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)}")
def test_the_driver_finds_every_argument():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.stdout == "the same\n", done.stderr[-3000:]
