"""An op of one's own: swish with CUDA kernels forward and backward, and NumPy bodies for the CPU.

    python examples/own_kernel.py          # on the CPU
    python examples/own_kernel.py cuda     # on a GPU
    python examples/own_kernel.py standin  # the kernels themselves, run on the CPU by the emulator
"""

import sys
from contextlib import nullcontext

import numpy as np

import autograd_gpu as ag
from autograd_gpu import cuda

SOURCE = """
template <class T> __device__ T sigmoid(T x) { return 1 / (1 + exp(-x)); }

template <class T> __global__ void swish(const T* x, T* y, long long n) {
  long long first = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  for (long long i = first; i < n; i += (long long)gridDim.x * blockDim.x)
    y[i] = x[i] * sigmoid(x[i]);
}
template <class T> __global__ void swish_grad(const T* g, const T* x, T* dx, long long n) {
  long long first = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  for (long long i = first; i < n; i += (long long)gridDim.x * blockDim.x) {
    T s = sigmoid(x[i]);
    dx[i] = g[i] * s * (1 + x[i] * (1 - s));
  }
}
"""

# Here begins the op: ten lines.
forward = cuda.RawKernel(SOURCE, "swish<{T}>", "x: const T*, y: T*, n: i64")
backward = cuda.RawKernel(SOURCE, "swish_grad<{T}>", "g: const T*, x: const T*, dx: T*, n: i64")


@cuda.custom_op(cpu=lambda x: x / (1 + np.exp(-x)))
def swish(xp, x):
    """y = x / (1 + e^-x)"""
    y = xp.empty_like(x)
    forward(x, y, x.size, threads=x.size)
    return y


@swish.derivative
@cuda.custom_op(cpu=lambda grad, x: grad * (1 + x - x / (1 + np.exp(-x))) / (1 + np.exp(-x)))
def swish_grad(xp, grad, x):
    """dL/dx = g s (1 + x (1 - s)) with s = 1 / (1 + e^-x)"""
    dx = xp.empty_like(x)
    backward(grad, x, dx, x.size, threads=x.size)
    return dx


def main(device: str) -> None:
    """Check the derivative, then print swish and its slope at a few points."""
    x = ag.linspace(-3, 3, 7, dtype=ag.float64, device=device, requires_grad=True)
    assert ag.autograd.gradcheck(swish, (x,))
    y = swish(x)
    y.sum().backward()
    print("y     ", y.detach().cpu())
    print("dy/dx ", x.grad.cpu())


if __name__ == "__main__":
    where = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    if where == "standin":
        from autograd_gpu.testing import standin
    with standin.activate() if where == "standin" else nullcontext():
        main("cuda" if where == "standin" else where)
