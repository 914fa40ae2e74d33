"""Memory of the stand-in in other hands: the two protocols, and the addresses behind them."""

import numpy as np
import pytest

from autograd_gpu.testing import standin


def test_the_cuda_array_interface_names_memory_and_strides():
    x = standin.asarray(np.arange(6.0).reshape(2, 3))
    interface = x.T.__cuda_array_interface__
    assert interface["shape"] == (3, 2) and interface["strides"] == (8, 24)
    assert interface["data"] == (x.data.ptr, False) and interface["version"] == 3

    class Foreign:
        __cuda_array_interface__ = interface

    other = standin.asarray(Foreign())
    other[0, 1] = 9
    assert float(x[1, 0]) == 9


@pytest.mark.parametrize("options", [{}, {"max_version": (1, 0)}])
def test_dlpack_shares_memory_and_says_cuda(options):
    x = standin.asarray(np.arange(3.0))
    assert x.__dlpack_device__() == (2, 0)

    class Foreign:
        __dlpack_device__ = x.__dlpack_device__

        def __dlpack__(self, **_):
            return x.__dlpack__(**options)

    other = standin.from_dlpack(Foreign())
    other[0] = 7
    assert float(x[0]) == 7 and other.device == x.device
    with pytest.raises((BufferError, RuntimeError, ValueError, TypeError)):
        np.from_dlpack(x)


def test_memory_of_the_host_is_refused_by_dlpack():
    with pytest.raises(BufferError, match="not of kind 1"):
        standin.from_dlpack(np.ones(3))


def test_an_array_over_memory_that_somebody_else_owns():
    host = np.arange(8, dtype="int32")
    memory = standin.cuda.UnownedMemory(host.ctypes.data, host.nbytes, host, 0)
    place = standin.cuda.MemoryPointer(memory, 4)
    x = standin.ndarray((2, 2), "int32", place, strides=(8, 4))
    assert x.get().tolist() == [[1, 2], [3, 4]] and x.data.ptr == host.ctypes.data + 4
    x[...] = 0
    assert host.tolist() == [0, 0, 0, 0, 0, 5, 6, 7]


def test_pinned_memory_is_a_buffer():
    pinned = standin.cuda.alloc_pinned_memory(16)
    view = np.frombuffer(pinned, "float32", 4)
    view[...] = 3
    assert np.frombuffer(pinned, "float32", 4).tolist() == [3] * 4
