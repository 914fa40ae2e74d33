"""Carrying values from autograd_gpu to PyTorch and back, and comparing them."""

import numpy as np

import autograd_gpu as ag


def to_torch(torch, value, requires_grad=None):
    """The same value for PyTorch: Tensors (as new leaves, with their strides), dtypes, and containers of them."""
    if isinstance(value, ag.Tensor):
        array = value.detach()._array
        if array.dtype.name == "bfloat16":
            out = torch.from_numpy(array.astype(np.float32)).to(torch.bfloat16)
        else:
            base = torch.from_numpy(np.array(array, order="K"))
            out = base if base.stride() == tuple(s // array.itemsize for s in array.strides) else strided(torch, array)
        need = value.requires_grad if requires_grad is None else requires_grad
        return out.requires_grad_(bool(need)) if out.is_floating_point() or out.is_complex() else out
    if isinstance(value, ag.dtype):
        return getattr(torch, value.name)
    if isinstance(value, (list, tuple)):
        return type(value)(to_torch(torch, v, requires_grad) for v in value)
    return value


def strided(torch, array):
    """A PyTorch tensor with the array's strides."""
    strides = [max(s // array.itemsize, 0) for s in array.strides]
    out = torch.empty_strided(array.shape, strides, dtype=torch.from_numpy(array[:0].reshape(-1) if array.ndim else array.reshape(1)).dtype)
    return out.copy_(torch.from_numpy(array.copy()))


def numpy_of(value):
    """A NumPy array of either library's tensor; anything else as it is."""
    if isinstance(value, ag.Tensor):
        array = value.detach()._array
    elif hasattr(value, "detach"):
        value = value.detach()
        array = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy(force=True)
    else:
        return value
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


TOLERANCE = {"float64": (1e-10, 1e-12), "complex128": (1e-10, 1e-12), "float32": (2e-5, 2e-6), "complex64": (2e-5, 2e-6),
             "float16": (2e-3, 2e-3), "bfloat16": (2e-2, 2e-2)}  # fmt: skip


def assert_same(ours, theirs, context="", tolerance=None):
    """Shapes, dtypes and values agree, in tensors and in containers of them."""
    if isinstance(ours, (list, tuple)) and not isinstance(ours, ag.Size):
        assert len(ours) == len(theirs), context
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b, context, tolerance)
        return
    if not isinstance(ours, ag.Tensor):
        if isinstance(ours, float):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=context)
        else:
            assert str(ours) == str(theirs), (context, ours, theirs)
        return
    assert str(ours.dtype) == str(theirs.dtype), (context, ours.dtype, theirs.dtype)
    assert tuple(ours.shape) == tuple(theirs.shape), (context, ours.shape, theirs.shape)
    rtol, atol = tolerance or TOLERANCE.get(ours.dtype.name, (0, 0))
    np.testing.assert_allclose(numpy_of(ours), numpy_of(theirs), rtol=rtol, atol=atol, equal_nan=True, err_msg=context)
