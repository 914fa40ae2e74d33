"""Single ops over sizes: what each costs, and how many bytes or operations it needs."""

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["CASES", "Case"]


class Case(NamedTuple):
    """One op. `build(lib, device, n)` gives the call for about n elements (of a square matrix, for
    products); `bytes` is how many bytes an element must be read and written at least, `flops` how
    many operations a product of n x n needs."""

    family: str
    build: Callable[[Any, str, int], Callable[[], Any]]
    sizes: tuple[int, ...]
    bytes: int = 0
    flops: bool = False


_SIZES = tuple(4**k for k in range(4, 13))  # 256 .. 16 million
_SIDES = (32, 64, 128, 256, 512, 1024, 2048)


def _numbers(lib: Any, device: str, *shape: int) -> Any:
    return (lib.arange(max(1, _product(shape)), device=device) % 97 * 0.02 - 0.9).reshape(shape)


def _product(shape: tuple[int, ...]) -> int:
    out = 1
    for n in shape:
        out *= n
    return out


def _unary(name: str) -> Callable[[Any, str, int], Callable[[], Any]]:
    def build(lib: Any, device: str, n: int) -> Callable[[], Any]:
        x, call = _numbers(lib, device, n), getattr(lib, name)
        return lambda: call(x)

    return build


def _add(lib: Any, device: str, n: int) -> Callable[[], Any]:
    x, y = _numbers(lib, device, n), _numbers(lib, device, n)
    return lambda: x + y


def _gelu_step(lib: Any, device: str, n: int) -> Callable[[], Any]:
    x = _numbers(lib, device, n).requires_grad_()
    seed = lib.ones(n, device=device)

    def call() -> None:
        x.grad = None
        lib.nn.functional.gelu(x).backward(seed)

    return call


def _rows(lib: Any, device: str, n: int, width: int = 1024) -> Any:
    width = min(width, n)
    return _numbers(lib, device, n // width, width)


def _along(name: str) -> Callable[[Any, str, int], Callable[[], Any]]:
    def build(lib: Any, device: str, n: int) -> Callable[[], Any]:
        x, call = _rows(lib, device, n), getattr(lib, name)
        return lambda: call(x, -1)

    return build


def _layer_norm(lib: Any, device: str, n: int) -> Callable[[], Any]:
    x = _rows(lib, device, n)
    weight = lib.ones(x.shape[1], device=device)
    return lambda: lib.nn.functional.layer_norm(x, (x.shape[1],), weight, weight)


def _matmul(lib: Any, device: str, n: int) -> Callable[[], Any]:
    x, y = _numbers(lib, device, n, n), _numbers(lib, device, n, n)
    return lambda: x @ y


def _adam(lib: Any, device: str, n: int) -> Callable[[], Any]:
    parameters = [_numbers(lib, device, max(1, n // 10)).requires_grad_() for _ in range(10)]
    for p in parameters:
        p.grad = lib.ones_like(p)
    return lib.optim.Adam(parameters, 1e-3).step


CASES = {
    "tanh": Case("elementwise", _unary("tanh"), _SIZES, 8),
    "add": Case("elementwise", _add, _SIZES, 12),
    "gelu, forward and backward": Case("elementwise", _gelu_step, _SIZES, 20),
    "sum": Case("reduction", _unary("sum"), _SIZES, 4),
    "sum over rows": Case("reduction", _along("sum"), _SIZES, 4),
    "softmax": Case("softmax", _along("softmax"), _SIZES, 8),
    "layer norm": Case("norm", _layer_norm, _SIZES, 8),
    "matmul": Case("GEMM", _matmul, _SIDES, flops=True),
    "Adam step": Case("optimizer", _adam, _SIZES, 28),
}
"""Ops by name. The bytes are those of float32: Adam reads and writes the parameter and two means,
and reads the gradient."""
