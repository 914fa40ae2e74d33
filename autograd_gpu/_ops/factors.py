"""The product of two raw arrays, whatever their dtype and layout, and the errors of factors."""

from typing import Any

import numpy as np

from .._core.dtype import of

__all__ = ["cannot_multiply", "legacy_name", "product", "same_dtype_of_factors"]

_C_NAMES = {
    "Float": "float",
    "Double": "double",
    "Half": "c10::Half",
    "BFloat16": "c10::BFloat16",
    "Long": "long int",
    "Int": "int",
    "Short": "short int",
    "Char": "signed char",
    "Byte": "unsigned char",
    "Bool": "bool",
    "ComplexFloat": "c10::complex<float>",
    "ComplexDouble": "c10::complex<double>",
}


def legacy_name(array: Any) -> str:
    """The name of the array's dtype in PyTorch's messages: Float, Long ..."""
    return of(array.dtype).legacy


def product(xp: Any, a: Any, b: Any) -> Any:
    """a @ b of raw arrays whose shapes fit. Half types are multiplied and added in float32; bools
    are refused.

    `dot` of at most two dimensions costs half of what `matmul` does on small matrices.
    """
    if a.dtype.char in "fdFD":
        if a.ndim > 2 or b.ndim > 2:
            return xp.matmul(a, b)
        if a.size > 4096 and (not a.strides[0] or not b.strides[-1]):
            return _of_equal_lines(xp, a, b)
        return a.dot(b)
    if a.dtype.kind == "b":
        raise NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":
        return product(xp, a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    return a.dot(b) if a.ndim <= 2 and b.ndim <= 2 else xp.matmul(a, b)


def _of_equal_lines(xp: Any, a: Any, b: Any) -> Any:
    """a @ b where the rows of `a`, or the columns of `b`, are one line seen again and again: the
    gradient of a sum or a mean is. One line is multiplied, the result is repeated."""
    if a.ndim != 2 or b.ndim != 2:
        return a.dot(b)
    out = xp.empty((len(a), b.shape[1]), a.dtype)
    out[...] = a[:1].dot(b) if not a.strides[0] else a.dot(b[:, :1])
    return out


def same_dtype_of_factors(a: Any, b: Any) -> None:
    """RuntimeError for matrices of different dtypes: a product does not promote."""
    if a.dtype != b.dtype:
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{_C_NAMES[legacy_name(a)]} != {_C_NAMES[legacy_name(b)]}"
        )


def cannot_multiply(a: Any, b: Any) -> RuntimeError:
    """The error for two matrices whose inner sizes differ."""
    (n, k), (m, p) = a.shape, b.shape
    return RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {m}x{p})")
