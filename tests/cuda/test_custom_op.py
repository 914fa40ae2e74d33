"""custom_op: users' kernels as differentiable ops, on CUDA and through NumPy bodies on the CPU."""

import gc
import runpy
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

import autograd_gpu as ag
from autograd_gpu import cuda
from autograd_gpu.testing import assert_close, standin

from ..kernels.conftest import require_emulator

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_kernel.py"
SOURCE = """
template <class T> __global__ void axpy(const T* x, const T* y, T* out, long long n, T a) {
  long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < n) out[i] = a * x[i] + y[i];
}
template <class T> __global__ void split(const T* x, T* whole, T* rest, long long* sign, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  whole[i] = trunc(x[i]);
  rest[i] = x[i] - whole[i];
  sign[i] = (x[i] > 0) - (x[i] < 0);
}
"""
axpy_kernel = cuda.RawKernel(
    SOURCE, "axpy<{T}>", "x: const T*, y: const T*, out: T*, n: i64, a: A"
)
split_kernel = cuda.RawKernel(
    SOURCE, "split<{T}>", "x: const T*, whole: T*, rest: T*, sign: i64*, n: i32"
)


@cuda.custom_op(cpu=lambda x, y, a=1.0: np.multiply(x, a, dtype=x.dtype) + y)
def axpy(xp, x, y, a=1.0):
    """a x + y"""
    out = xp.empty_like(x)
    axpy_kernel(x, y, out, x.size, a, threads=x.size)
    return out


@axpy.derivative
def axpy_derivative(grad, a, wanted):
    return (grad * a if wanted[0] else None, grad if wanted[1] else None)


@cuda.custom_op
def split(xp, x):
    whole, rest, sign = xp.empty_like(x), xp.empty_like(x), xp.empty(x.shape, "int64")
    split_kernel(x, whole, rest, sign, x.size, threads=x.size)
    return whole, rest, sign


@split.cpu
def split_body(x):
    return np.trunc(x), x - np.trunc(x), np.sign(x).astype(np.int64)


@split.derivative
def split_derivative(grad, out, x):
    assert len(out) == 3 and out[0].shape == x.shape
    return grad[1]


@cuda.custom_op
def no_body(xp, x):
    return x + 1


@pytest.fixture(scope="module", params=["cpu", "cuda"])
def device(request):
    if request.param == "cpu":
        yield "cpu"
        return
    require_emulator()
    with standin.activate():
        yield "cuda"


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(EXAMPLE))


def randn(device, *shape, dtype=ag.float64):
    ag.manual_seed(3)
    return ag.randn(shape, dtype=dtype).to(device).requires_grad_()


def test_example_agrees_with_torch(torch, example, device):
    x = randn(device, 3, 5, dtype=ag.float32)
    y = example["swish"](x)
    y.sum().backward()
    t = torch.tensor(x.detach().cpu().numpy(), requires_grad=True)
    wanted = torch.nn.functional.silu(t)
    wanted.sum().backward()
    assert_close(y.detach().cpu().numpy(), wanted.detach().numpy())
    assert_close(x.grad.cpu().numpy(), t.grad.numpy())
    assert y.device.type == device and type(y.grad_fn).__name__ == "SwishBackward"


def test_gradcheck(example, device):
    assert ag.autograd.gradcheck(example["swish"], (randn(device, 4),))
    args = (randn(device, 2, 3), randn(device, 2, 3))
    assert ag.autograd.gradcheck(lambda x, y: axpy(x, y, 2.5), args)
    assert ag.autograd.gradgradcheck(lambda x, y: axpy(x * y, y, a=-1.5), args)


def test_tensors_need_not_be_contiguous(device):
    x, y = randn(device, 4, 3), randn(device, 3, 4)
    out = axpy(x.t(), y, 2)
    assert_close(out.detach().cpu(), (2 * x.t() + y).detach().cpu())
    out.sum().backward()
    assert (x.grad == 2).all() and (y.grad == 1).all()


@pytest.mark.parametrize("shape", [(0,), (), (1,), (2, 0), (300,)], ids=str)
def test_sizes(device, shape):
    x = randn(device, *shape)
    assert axpy(x, x).shape == shape
    assert ag.autograd.grad(axpy(x, x).sum(), x)[0].shape == shape


def test_several_results(device):
    x = ag.tensor([1.5, -2.25, 0.0], device=device, requires_grad=True)
    whole, rest, sign = split(x)
    assert (whole.tolist(), rest.tolist(), sign.tolist()) == ([1, -2, 0], [0.5, -0.25, 0], [1, -1, 0])
    assert rest.requires_grad and not sign.requires_grad
    (rest * 3).sum().backward()
    assert x.grad.tolist() == [3, 3, 3]


def test_derivative_without_a_derivative_of_its_own(example, device):
    x = randn(device, 3)
    (first,) = ag.autograd.grad(example["swish"](x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="swish_grad has no derivative: declare one with @swish_g"):
        first.sum().backward()


def test_not_recorded_without_need(device):
    x = ag.ones(3, device=device)
    assert axpy(x, x).grad_fn is None
    with ag.no_grad():
        assert axpy(x.requires_grad_(), x).grad_fn is None


def test_saved_tensors_are_watched(device):
    x = randn(device, 3)
    h = x * 1
    out = runpy.run_path(str(EXAMPLE))["swish"](h)
    h.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_graph_is_freed_without_the_collector(example, device):
    x = randn(device, 3)
    out = example["swish"](x)
    node = weakref.ref(out.grad_fn)
    gc.disable()
    try:
        del out
        assert node() is None
    finally:
        gc.enable()


def test_no_body_for_the_cpu():
    x = ag.ones(2)
    with pytest.raises(NotImplementedError, match="no_body runs on CUDA only.*custom_op.cpu="):
        no_body(x)


def test_a_body_must_not_write_its_inputs():
    @cuda.custom_op(cpu=lambda x: np.add(x, 1, out=x))
    def careless(xp, x):
        return x

    x = ag.zeros(2)
    with pytest.raises(ValueError, match="read-only"):
        careless(x)
    assert x.tolist() == [0, 0]


def test_results_are_arrays_of_the_device(device):
    @cuda.custom_op(cpu=lambda x: x.tolist())
    def wrong(xp, x):
        return 1.0

    with pytest.raises(TypeError, match="wrong: expected an array of (numpy|autograd_gpu) as the"):
        wrong(ag.ones(2, device=device))


def test_number_of_gradients(device):
    @cuda.custom_op(cpu=lambda x, y: x + y)
    def two(xp, x, y):
        return x + y

    two.derivative(lambda grad: grad)
    x = randn(device, 2)
    with pytest.raises(RuntimeError, match="two: the derivative returned 1 gradients for 2 tensors"):
        two(x, x).sum().backward()


def test_misuse_is_named():
    with pytest.raises(ValueError, match="axpy: the derivative asks for z; there are grad, out,"):
        axpy.derivative(lambda grad, z: grad)
    with pytest.raises(TypeError, match="a function of xp"):
        cuda.custom_op(lambda: 0)
    with pytest.raises(TypeError, match="a function of xp"):
        cuda.custom_op(lambda xp, *args: 0)
    with pytest.raises(TypeError, match="expected a Tensor among the arguments"):
        axpy(np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        axpy(ag.ones(2))


def test_mixed_devices():
    with standin.activate(), pytest.raises(RuntimeError, match=r"cpu and cuda:0! \(axpy\)"):
        axpy(ag.ones(2), ag.ones(2, device="cuda"))


def test_kernels_errors_name_the_op():
    require_emulator()

    @cuda.custom_op
    def wrong_type(xp, x):
        axpy_kernel(x, x, x.astype("float64"), x.size, 1, threads=x.size)

    with standin.activate(), pytest.raises(TypeError, match="axpy<float>: out: expected float32"):
        wrong_type(ag.ones(2, device="cuda"))


@pytest.mark.parametrize("where", ["cpu", "standin"])
def test_example_runs(where):
    if where == "standin":
        require_emulator()
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), where], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert "0.5000" in done.stdout
