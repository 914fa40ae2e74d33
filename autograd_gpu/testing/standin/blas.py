"""cuBLAS with the names and signatures of CuPy's bindings, on host memory.

Products of raw addresses, read column by column. Refused is what cuBLAS refuses, with its statuses;
and what cuBLAS would do silently wrong raises `Misuse`: reads and writes outside of the device's
allocations, misaligned addresses, results that overlap each other or a factor."""

import ctypes
import operator
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from . import calls, lifetimes, memory, streams

__all__ = [
    "CUBLAS_OP_C", "CUBLAS_OP_N", "CUBLAS_OP_T", "CUBLASError", "Misuse", "cdotc", "cdotu", "ddot",
    "gemmEx", "gemmStridedBatchedEx", "getMathMode", "getPointerMode", "get_cublas_handle",
    "sdot", "setMathMode", "setPointerMode", "zdotc", "zdotu",
]  # fmt: skip

CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C = 0, 1, 2
_DEFAULT, _HOST, _DEVICE = -1, 0, 1
_FLOAT, _DOUBLE, _TF32 = 68, 70, 77
_FULL_REDUCTION = 16
_STATUS = {
    1: "CUBLAS_STATUS_NOT_INITIALIZED", 7: "CUBLAS_STATUS_INVALID_VALUE",
    15: "CUBLAS_STATUS_NOT_SUPPORTED",
}  # fmt: skip
_TYPES = {0: "f", 1: "d", 2: "e", 4: "F", 5: "D", 14: "bfloat16"}  # cudaDataType
_COMPUTED = {
    _FLOAT: {"f": "f", "e": "f", "bfloat16": "f", "F": "F"}, _TF32: {"f": "f", "F": "F"},
    _DOUBLE: {"d": "d", "D": "D"},
}  # fmt: skip


class CUBLASError(RuntimeError):
    """What cuBLAS answers to a call that it refuses."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(_STATUS[status])


class Misuse(AssertionError):
    """What cuBLAS would have done without a word, and wrongly."""


class _Handle:
    """The settings of one thread on one device."""

    def __init__(self, device: int) -> None:
        self.device, self.pointer, self.math = device, _HOST, 0


_here = threading.local()
_handles: dict[int, _Handle] = {}


def get_cublas_handle() -> int:
    """The handle of this thread and the current device."""
    device = streams.current_device()
    key = f"device{device}"
    number = getattr(_here, key, 0)
    if not number:
        handle = _Handle(device)
        number = id(handle)
        _handles[number] = handle
        setattr(_here, key, number)
    return number


def _settings(handle: int) -> _Handle:
    found = _handles.get(_integer(handle, 64))
    if found is None:
        raise CUBLASError(1)
    return found


def getPointerMode(handle: int) -> int:
    """Where alpha, beta and results of `dot` are: 0 on the host, 1 on the device."""
    return _settings(handle).pointer


def setPointerMode(handle: int, mode: int) -> None:
    """Say where they are."""
    if mode not in (_HOST, _DEVICE):
        raise CUBLASError(7)
    _settings(handle).pointer = mode


def getMathMode(handle: int) -> int:
    """The handle's math mode."""
    return _settings(handle).math


def setMathMode(handle: int, mode: int) -> None:
    """Set it."""
    if _integer(mode) & ~_FULL_REDUCTION not in (0, 1, 2, 3):
        raise CUBLASError(7)
    _settings(handle).math = mode


def _integer(value: Any, bits: int = 32) -> int:
    """A C integer. TypeError and OverflowError as Cython's."""
    number = operator.index(value)
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise OverflowError("value too large to convert to int")
    return number


def _dtype(code: int) -> np.dtype:
    name = _TYPES.get(code)
    if name is None:
        raise CUBLASError(15)
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _memory(address: int, size: int, what: str, itemsize: int) -> np.ndarray:
    """The bytes of the device at an address. Misuse where no allocation holds all of them."""
    if address % itemsize:
        raise Misuse(f"{what}: the address {address:#x} is not aligned to {itemsize} bytes")
    for reference in memory.LIVING.valuerefs():
        owner = reference()
        if owner and owner.ptr <= address and address + size <= owner.ptr + owner.size:
            _used(owner, what)
            return memory.MemoryPointer(owner, address - owner.ptr).bytes(size)
    raise Misuse(
        f"{what}: {size} bytes from {address:#x} on lie in no allocation of the device, or leave it"
    )


def _used(owner: memory.BaseMemory, what: str) -> None:
    here = streams.current_device()
    if owner.device_id != here:
        raise Misuse(f"{what} lies on device {owner.device_id}, the handle is of device {here}")
    if lifetimes.is_on():
        stream = streams.current(here).key
        owner.users = {**(owner.users or {}), stream: lifetimes.submit(stream)}


def _matrix(
    what: str, address: int, step: int, count: int, rows: int, columns: int, ld: int,
    dtype: np.dtype,
) -> np.ndarray:  # fmt: skip
    """`count` column-major matrices in memory, (count, rows, columns)."""
    size = dtype.itemsize
    first, last = min(0, (count - 1) * step), max(0, (count - 1) * step)
    extent = (last - first + (columns - 1) * ld + rows) * size
    whole = _memory(address + first * size, extent, what, size).view(dtype)
    strides = (step * size, size, ld * size)
    return np.ndarray((count, rows, columns), dtype, whole, -first * size, strides)


def _number(address: int, dtype: np.dtype, handle: _Handle) -> Any:
    """alpha or beta."""
    if not address:
        raise CUBLASError(7)
    if handle.pointer == _DEVICE:
        return _memory(address, dtype.itemsize, "a scalar", dtype.itemsize).view(dtype)[0]
    return np.frombuffer(ctypes.string_at(address, dtype.itemsize), dtype)[0]


def _turned(stack: np.ndarray, flag: int) -> np.ndarray:
    if flag == CUBLAS_OP_N:
        return stack
    stack = stack.swapaxes(-1, -2)
    return stack.conj() if flag == CUBLAS_OP_C and stack.dtype.kind == "c" else stack


def _tf32(values: np.ndarray) -> np.ndarray:
    """Rounded to 10 bits of mantissa."""
    words = np.ascontiguousarray(values).view(np.uint32)
    words = (words + 0xFFF + (words >> 13 & 1)) & np.uint32(0xFFFFE000)
    rounded = words.view(values.dtype)
    return np.where(np.isfinite(values), rounded, values)


def _apart(step: int, count: int, rows: int, columns: int, ld: int) -> None:
    """Misuse where two of the results share an element."""
    step = abs(step)
    beside = step >= (columns - 1) * ld + rows
    within = rows <= step and count * step <= ld
    if count > 1 and not (beside or within):
        raise Misuse(f"the results of a batch overlap: {step} elements apart")


def _separate(c: np.ndarray, factors: tuple[np.ndarray, ...]) -> None:
    if any(np.may_share_memory(c, factor) for factor in factors):
        raise Misuse("the result lies within a factor")


def gemmEx(
    handle: int, transa: int, transb: int, m: int, n: int, k: int, alpha: int, A: int, Atype: int,
    lda: int, B: int, Btype: int, ldb: int, beta: int, C: int, Ctype: int, ldc: int,
    computeType: int, algo: int,
) -> None:  # fmt: skip
    """C = alpha op(A) op(B) + beta C"""
    calls.record("cublas.gemmEx", (transa, transb, m, n, k, lda, ldb, ldc, computeType), {})
    _gemm(
        handle, transa, transb, m, n, k, alpha, A, Atype, lda, 0, B, Btype, ldb, 0, beta, C, Ctype,
        ldc, 0, 1, computeType, algo,
    )  # fmt: skip


def gemmStridedBatchedEx(
    handle: int, transa: int, transb: int, m: int, n: int, k: int, alpha: int, A: int, Atype: int,
    lda: int, strideA: int, B: int, Btype: int, ldb: int, strideB: int, beta: int, C: int,
    Ctype: int, ldc: int, strideC: int, batchCount: int, computeType: int, algo: int,
) -> None:  # fmt: skip
    """C_i = alpha op(A_i) op(B_i) + beta C_i"""
    calls.record(
        "cublas.gemmStridedBatchedEx",
        (transa, transb, m, n, k, lda, strideA, ldb, strideB, ldc, strideC, batchCount), {},
    )  # fmt: skip
    _gemm(
        handle, transa, transb, m, n, k, alpha, A, Atype, lda, strideA, B, Btype, ldb, strideB,
        beta, C, Ctype, ldc, strideC, batchCount, computeType, algo,
    )  # fmt: skip


def _gemm(
    handle: int, transa: int, transb: int, m: int, n: int, k: int, alpha: int, A: int, Atype: int,
    lda: int, strideA: int, B: int, Btype: int, ldb: int, strideB: int, beta: int, C: int,
    Ctype: int, ldc: int, strideC: int, batchCount: int, computeType: int, algo: int,
) -> None:  # fmt: skip
    settings = _settings(handle)
    sizes = m, n, k, batchCount
    for value in (*sizes, transa, transb, lda, ldb, ldc, Atype, Btype, Ctype, computeType, algo):
        _integer(value)
    for value in (strideA, strideB, strideC, A, B, C, alpha, beta):
        _integer(value, 64)
    rows_a, columns_a = (m, k) if transa == CUBLAS_OP_N else (k, m)
    rows_b, columns_b = (k, n) if transb == CUBLAS_OP_N else (n, k)
    short = lda < max(1, rows_a) or ldb < max(1, rows_b) or ldc < max(1, m)
    if short or min(sizes) < 0 or not {transa, transb} <= {0, 1, 2}:
        raise CUBLASError(7)
    dtype = _dtype(Atype)
    kinds = _COMPUTED.get(computeType, {})
    wide = kinds.get(_TYPES[Atype])
    if wide is None or not Atype == Btype == Ctype or algo != _DEFAULT:
        raise CUBLASError(15)
    one, other = (_number(x, np.dtype(wide), settings) for x in (alpha, beta))
    if not (m and n and batchCount):
        return
    c = _matrix("C", C, strideC, batchCount, m, n, ldc, dtype)
    _apart(strideC, batchCount, m, n, ldc)
    total: Any = np.zeros((), wide)
    if k and one != 0:
        a = _matrix("A", A, strideA, batchCount, rows_a, columns_a, lda, dtype)
        b = _matrix("B", B, strideB, batchCount, rows_b, columns_b, ldb, dtype)
        _separate(c, (a, b))
        total = one * _multiplied(_turned(a, transa), _turned(b, transb), wide, computeType)
    with np.errstate(all="ignore"):
        c[...] = (total if other == 0 else total + other * c.astype(wide)).astype(dtype)


def _multiplied(a: np.ndarray, b: np.ndarray, wide: str, compute: int) -> np.ndarray:
    a, b = a.astype(wide), b.astype(wide)
    if compute == _TF32:
        a, b = _tf32(a), _tf32(b)
    with np.errstate(all="ignore"):
        return np.matmul(a, b)


def _dot(char: str, conj: bool, name: str) -> Callable[..., None]:
    dtype = np.dtype(char)
    size = dtype.itemsize

    def dot(handle: int, n: int, x: int, incx: int, y: int, incy: int, result: int) -> None:
        calls.record(f"cublas.{name}", (n, incx, incy), {})
        settings = _settings(handle)
        if _integer(n) < 0:
            raise CUBLASError(7)
        if settings.pointer == _HOST:
            raise Misuse(f"{name}: a result on the host waits for the device")
        out = _memory(result, size, "the result", size).view(dtype)
        vectors = []
        for what, address, step in (("x", x, incx), ("y", y, incy)):
            if _integer(step) <= 0:
                raise Misuse(f"{name}: the step {step} of {what} reads backwards or stands still")
            vectors.append(_matrix(what, address, 0, 1, n, 1, 1, dtype)[0, :, 0] if step == 1
                           else _matrix(what, address, 0, 1, 1, n, step, dtype)[0, 0])
        with np.errstate(all="ignore"):
            out[0] = np.vdot(*vectors) if conj else np.dot(*vectors)

    dot.__name__, dot.__doc__ = name, "result = sum x_i y_i; a c at the end: x conjugated"
    return dot


sdot, ddot = _dot("f", False, "sdot"), _dot("d", False, "ddot")
cdotu, zdotu = _dot("F", False, "cdotu"), _dot("D", False, "zdotu")
cdotc, zdotc = _dot("F", True, "cdotc"), _dot("D", True, "zdotc")
