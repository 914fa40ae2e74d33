"""Products through CuPy's own bindings of cuBLAS, to the emulated one; run as a program.

`cupy_backends.cuda.libs.cublas` is the installed extension module. What it links to is a library
made of `fake_cublas.cpp`, whose products are those of `autograd_gpu.testing.standin.blas`. So the
names, the order, the number and the C types of the arguments are CuPy's. Two functions of CuPy's
that would ask a driver, for the current stream and whether it is being captured, are replaced.
"""

import ctypes
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
Int, Long, At = ctypes.c_int, ctypes.c_longlong, ctypes.c_size_t
GEMM = ctypes.CFUNCTYPE(Int, At, Int, Int, Int, Int, Int, At, At, Int, Int, At, Int, Int, At, At, Int, Int, Int, Int)
BATCHED = ctypes.CFUNCTYPE(
    Int, At, Int, Int, Int, Int, Int, At, At, Int, Int, Long, At, Int, Int, Long, At, At, Int, Int, Long, Int, Int, Int
)  # fmt: skip
DOT = ctypes.CFUNCTYPE(Int, At, Int, At, Int, At, Int, At)
STREAM = 0x77
kept = []


def built(folder):
    """The fake libcublas, with every symbol that the bindings want."""
    extension = next(Path(importlib.util.find_spec("cupy_backends").submodule_search_locations[0]).glob("cuda/libs/cublas.*.so"))
    wanted = subprocess.run(["nm", "-D", extension], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r" U (cublas\w+)@", wanted))
    soname = re.search(r"cublas\w+@(libcublas\.so\.\d+)", wanted)[1]
    own = (HERE / "fake_cublas.cpp").read_text()
    missing = sorted(n for n in names if not re.search(rf"\b{n}\b", own))
    source = own + 'extern "C" {\n' + "".join(f"int {n}() {{ return 15; }}\n" for n in missing) + "}\n"
    (folder / "fake.cpp").write_text(source)
    (folder / "versions").write_text(soname + " { *; };")
    subprocess.run(
        ["g++", "-shared", "-fPIC", "-o", folder / soname, f"-Wl,-soname,{soname}",
         f"-Wl,--version-script={folder / 'versions'}", folder / "fake.cpp"], check=True,
    )  # fmt: skip
    return ctypes.CDLL(str(folder / soname), mode=ctypes.RTLD_GLOBAL)


def hook(library, name, kind, function):
    """Let a function answer; its errors become statuses, and unexpected ones are printed."""
    from autograd_gpu.testing.standin import blas

    def answer(*args):
        try:
            function(*args)
        except blas.CUBLASError as error:
            return error.status
        except BaseException as error:  # C has no way to pass it on
            print(f"{name}: {error!r}", file=sys.stderr)
            return 14
        return 0

    made = kind(answer)
    kept.append(made)
    ctypes.c_void_p.in_dll(library, f"hook_{name}").value = ctypes.cast(made, ctypes.c_void_p).value


def without_driver(module, name, value):
    """Let a C function of a Cython module return a constant, for modules that are imported later."""
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = ctypes.c_char_p, [ctypes.py_object]
    api.PyCapsule_New.restype = ctypes.py_object
    api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    signature = ctypes.create_string_buffer(api.PyCapsule_GetName(module.__pyx_capi__[name]))
    function = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_ssize_t)(lambda argument: value)
    kept.extend((signature, function))
    module.__pyx_capi__[name] = api.PyCapsule_New(
        ctypes.cast(function, ctypes.c_void_p), ctypes.cast(signature, ctypes.c_char_p), None
    )


def bindings(folder):
    """CuPy's module, linked to the fake library."""
    from autograd_gpu.testing.standin import blas

    library = built(folder)
    hook(library, "gemm", GEMM, blas.gemmEx)
    hook(library, "batched", BATCHED, blas.gemmStridedBatchedEx)
    for name in ("sdot", "ddot", "cdotu", "cdotc", "zdotu", "zdotc"):
        hook(library, name, DOT, getattr(blas, name))
    hook(library, "pointer_mode", SET, blas.setPointerMode)
    hook(library, "math_mode", SET, blas.setMathMode)
    from cupy_backends.cuda import stream
    from cupy_backends.cuda.api import runtime

    without_driver(stream, "get_current_stream_ptr", STREAM)
    without_driver(runtime, "streamIsCapturing", 0)
    return importlib.import_module("cupy_backends.cuda.libs.cublas"), library


def check(folder):
    """Every kind of product, once."""
    from autograd_gpu._core import library
    from autograd_gpu._core.precision import PRECISION
    from autograd_gpu._cuda.blas import KINDS
    from autograd_gpu._cuda.gemm import gemm_of
    from autograd_gpu._cuda.products import batch_plan, plan
    from autograd_gpu.testing import standin
    from tests.cuda.layouts import DTYPES, laid, random
    from tests.cuda.test_gemm import agree

    cublas, fake = bindings(folder)
    rng = np.random.default_rng(0)
    with standin.activate():
        gemm = gemm_of(library.installed())
        own = gemm.blas
        gemm._blas = own._replace(module=cublas, gemm=cublas.gemmEx, batched=cublas.gemmStridedBatchedEx)
        for dtype in DTYPES.values():
            PRECISION.full = frozenset("eE") if dtype.itemsize == 2 else frozenset()
            for layout in ("rows", "columns", "part of rows"):
                a = laid(standin, random(rng, (3, 4), dtype), layout)
                b = laid(standin, random(rng, (5, 4), dtype), "part of rows")
                agree(gemm, "nt", a, b)
                agree(gemm, "nh", a, b)
                many = laid(standin, random(rng, (2, 3, 4), dtype), layout)
                agree(gemm, "nt", many, standin.broadcast_to(b, (2, 5, 4)), batch_plan)
                c = standin.asarray(random(rng, (5,), dtype))
                added = gemm.general(plan, "nt", a, b, c, 0.5, 2).get()
                wanted = 2 * gemm.product("nt", a, b).get().astype(DTYPES["complex128"]) + 0.5 * c.get()
                np.testing.assert_allclose(added.astype(DTYPES["complex128"]), wanted, rtol=0.05, atol=0.05)
            vectors = [standin.asarray(random(rng, (7,), dtype)) for _ in range(2)]
            for conj in (False, True):
                x, y = (v.get().astype(DTYPES["complex128"]) for v in vectors)
                result = gemm.dot(*vectors, conj=conj).get().astype(DTYPES["complex128"])
                np.testing.assert_allclose(result, np.dot(x.conj() if conj else x, y), rtol=0.02, atol=0.02)
        assert ctypes.c_void_p.in_dll(fake, "last_stream").value == STREAM
        constants(cublas)
        refused(cublas, own.handle(), KINDS["f"].one)


def constants(cublas):
    """The numbers that the wrapper writes out are CuPy's."""
    from cupy.cuda import runtime

    from autograd_gpu._cuda import blas, products

    assert (products.N, products.T, products.C) == (cublas.CUBLAS_OP_N, cublas.CUBLAS_OP_T, cublas.CUBLAS_OP_C)
    assert blas.DEFAULT == cublas.CUBLAS_GEMM_DEFAULT
    assert (blas.HOST, blas.DEVICE) == (cublas.CUBLAS_POINTER_MODE_HOST, cublas.CUBLAS_POINTER_MODE_DEVICE)
    names = {"f": "R_32F", "d": "R_64F", "e": "R_16F", "E": "R_16BF", "F": "C_32F", "D": "C_64F"}
    for char, kind in blas.KINDS.items():
        assert kind.data == getattr(runtime, f"CUDA_{names[char]}"), char
        computed = "64F" if char in "dD" else "32F"
        assert kind.compute == getattr(cublas, f"CUBLAS_COMPUTE_{computed}")
        if char in "fF":
            assert kind.fast == cublas.CUBLAS_COMPUTE_32F_FAST_TF32
    from cupy.cuda import device

    assert device.get_cublas_handle.__doc__.startswith("get_cublas_handle() -> intptr_t")


def refused(cublas, handle, one):
    """CuPy raises its CUBLASError, a RuntimeError, for a status."""
    try:
        cublas.gemmEx(handle, 0, 0, 4, 4, 4, one, 0, 0, 3, 0, 0, 4, one, 0, 0, 4, 68, -1)
    except RuntimeError as error:
        assert type(error) is cublas.CUBLASError and "INVALID_VALUE" in str(error)
    else:
        raise AssertionError("a leading dimension that is too short was not refused")


if __name__ == "__main__":
    check(Path(sys.argv[1]))
    print("agreed")
