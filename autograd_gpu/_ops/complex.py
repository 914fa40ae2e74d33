"""Complex numbers: conj, real, imag, angle, polar, and pairs of reals seen as complex numbers.

Gradients are conjugate Wirtinger derivatives, as in PyTorch: of a real loss L with respect to z = x
+ iy, dL/dx + i dL/dy.
"""

from typing import Any

import numpy as np

from .._core.dtype import default, of
from .._core.layout import offset, strides
from .._core.tensor import Tensor
from .convert import _cast
from .declare import Array, composite, op
from .elementwise import cos, sin
from .helpers import is_complex, like, no_gradient, raw
from .select import masked_fill
from .signs import abs

__all__ = [
    "angle",
    "complex",
    "conj",
    "conj_physical",
    "imag",
    "polar",
    "real",
    "view_as_complex",
    "view_as_real",
]


@op(where=(), node="ConjBackward0")
def _conj(xp, input: Array):
    """See `conj`."""
    return xp.conj(input)


_conj.derivative(input=lambda grad: _conj(grad))


@composite(where=("", "Tensor"))
def conj(input):
    """The complex conjugate; a real tensor itself. It is computed at once (in PyTorch, when it is
    read).

    y = x*            dL/dx = g*
    """
    return _conj(input) if is_complex(input) else input


@op(where=(), node="ConjPhysicalBackward0")
def _conj_physical(xp, input: Array):
    """See `conj_physical`."""
    return xp.conj(input)


_conj_physical.derivative(input=lambda grad: _conj_physical(grad))


@composite(where=("", "Tensor"), inplace=True)
def conj_physical(input, *, out=None):
    """The complex conjugate, computed; a real tensor itself.            y = x*,  dL/dx = g*"""
    return _conj_physical(input, out=out) if is_complex(input) or out is not None else input


@composite(where=("", "Tensor"))
def resolve_conj(input):
    """The tensor itself: `conj` leaves nothing to be computed."""
    return input


@composite(where=("", "Tensor"))
def resolve_neg(input):
    """The tensor itself: there are no negations that wait to be computed."""
    return input


@composite(where=("", "Tensor"))
def adjoint(input):
    """The last two dimensions exchanged, and conjugated.            y = x^H,  dL/dx = g^H"""
    return input.mH


# ---- parts


@op(where=(), view=True, node="SelectBackward0")
def _real(xp, input: Array):
    """See `real`."""
    return input.real


_real.derivative(input=lambda grad, input_dtype: _cast(grad, input_dtype))


@op(where=(), view=True, node="SelectBackward0")
def _imag(xp, input: Array):
    """See `imag`."""
    return input.imag


_imag.derivative(input=lambda grad, input_dtype: _cast(grad, input_dtype) * 1j)


@composite(where=("",))
def real(input):
    """The real part of complex numbers, a view; a real tensor itself.

    y = Re x,  dL/dx = g
    """
    return _real(input) if is_complex(input) else input


@composite(where=("",))
def imag(input):
    """The imaginary part of complex numbers, a view.            y = Im x,  dL/dx = i g

    RuntimeError for real tensors.
    """
    if not is_complex(input):
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return _imag(input)


def real_part(value):
    """The real part of a Tensor or raw array; a real one is its own."""
    return real(value)


def _set(part: Any) -> Any:
    def assign(self: Tensor, value: Any) -> None:
        target = part(self)
        (target.copy_ if isinstance(value, Tensor) else target.fill_)(value)

    return assign


_DOC = "The {} part, a view; it can be assigned to."
setattr(Tensor, "real", property(real, _set(real), doc=_DOC.format("real")))  # noqa: B010
setattr(Tensor, "imag", property(imag, _set(imag), doc=_DOC.format("imaginary")))  # noqa: B010


@op()
def angle(xp, input: Array):
    """The angle of complex numbers; of real ones 0, and pi below 0 (NaN of NaN).

    y = atan2(Im x, Re x)            dL/dx = g i x / |x|^2, 0 at 0 and for real x
    """
    if input.dtype.kind == "c":
        return xp.angle(input)
    wide = input.astype(default()) if input.dtype.kind in "biu" else input
    turned = xp.where(wide < 0, wide.dtype.type(np.pi), wide.dtype.type(0))
    return xp.where(wide != wide, wide, turned)


angle.derivative(input=lambda grad, input: _angle_backward(grad, input))


def _angle_backward(grad, input):
    if not is_complex(input):
        return no_gradient(grad)
    size = abs(input)
    zero = raw(size) == 0
    safe = masked_fill(size, like(zero, size), 1)
    return masked_fill(grad * (input * 1j / (safe * safe)), like(zero, grad), 0)


# ---- made of two reals


def _two(op_name: str, first: Any, second: Any, name: str) -> None:
    if not isinstance(second, Tensor):
        raise TypeError(
            f"{op_name}(): argument '{name}' (position 2) must be Tensor, not "
            f"{type(second).__name__}"
        )
    a, b = first.dtype, second.dtype
    if not {a.name, b.name} <= {"float16", "float32", "float64"}:
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {a.legacy} and "
            f"{b.legacy}"
        )
    if a is not b:
        raise RuntimeError(
            f"Expected object of scalar type {a.legacy} but got scalar type {b.legacy} for second "
            "argument"
        )
    if a.name == "float16":
        raise RuntimeError(
            f"{op_name}(): complex numbers of two halves are not supported: use float32 or float64"
        )


@op(where=(), promote="bool", node="ComplexBackward0")
def _complex(xp, input: Array, imag: Array):
    """See `complex`."""
    if input.dtype.kind == "c":
        raise RuntimeError("complex(): expected two real tensors, got complex ones")
    shape = np.broadcast_shapes(input.shape, imag.shape)
    out = xp.empty(shape, of(input.dtype).to_complex().numpy)
    out.real, out.imag = input, imag
    return out


_complex.derivative(input=lambda grad: real(grad), imag=lambda grad: imag(grad))


@composite(where=("",))
def complex(real, imag, *, out=None):
    """Complex numbers of their two parts, elementwise, with broadcasting.

    y = a + i b            dL/da = Re g,  dL/db = Im g

    RuntimeError unless both are float32 or both float64.
    """
    _two("complex", real, imag, "imag")
    return _complex(real, imag, out=out)


@op(where=(), promote="bool", node="PolarBackward0")
def _polar(xp, input: Array, angle: Array):
    """See `polar`."""
    return _complex.op.forward(xp, input * xp.cos(angle), input * xp.sin(angle))


_polar.derivative(
    input=lambda grad, angle: real(grad) * cos(angle) + imag(grad) * sin(angle),
    angle=lambda grad, input, angle: (imag(grad) * cos(angle) - real(grad) * sin(angle)) * input,
)


@composite(where=("",))
def polar(abs, angle, *, out=None):
    """Complex numbers of size and angle, elementwise, with broadcasting.

    y = r e^(i t)            dL/dr = Re(g* e^(i t)),  dL/dt = Re(g* i y)

    RuntimeError unless both are float32 or both float64.
    """
    _two("polar", abs, angle, "angle")
    return _polar(abs, angle, out=out)


# ---- pairs


@op(view=True)
def view_as_real(xp, input: Array):
    """The same memory as pairs of real numbers: one more dimension, of length 2; a view.

    y[..., 0] = Re x, y[..., 1] = Im x            dL/dx = g[..., 0] + i g[..., 1]

    RuntimeError for real tensors.
    """
    if input.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return input[..., None].view(of(input.dtype).to_real().numpy)


view_as_real.derivative(input=lambda grad: _joined(grad))


@op(view=True)
def view_as_complex(xp, input: Array):
    """The same memory, whose last dimension has length 2, as complex numbers; a view.

    y = x[..., 0] + i x[..., 1]            dL/dx[..., 0] = Re g, dL/dx[..., 1] = Im g

    RuntimeError but for float32 and float64, and for pairs that do not lie in memory as complex
    numbers do.
    """
    if of(input.dtype).name not in ("float32", "float64"):
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a "
            "tensor of scalar type: "
            f"{of(input.dtype).legacy}"
        )
    if not input.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    kind = of(input.dtype).to_complex().numpy
    if not input.size:
        return xp.empty(input.shape[:-1], kind)
    steps = strides(input)
    if steps[-1] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(s % 2 for s, n in zip(steps[:-1], input.shape[:-1], strict=True) if n > 1):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    if offset(input) % 2:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    return input.view(kind)[..., 0]


view_as_complex.derivative(input=lambda grad: view_as_real(grad))


@op(where=())
def _joined(xp, input: Array):
    """Pairs as complex numbers, wherever they lie in memory."""
    return _complex.op.forward(xp, input[..., 0], input[..., 1])


_joined.derivative(input=lambda grad: view_as_real(grad))

_conj.samples(lambda t: [t(2, 3)])
_conj_physical.samples(lambda t: [t(2, 3)])
_joined.samples(lambda t: [t(3, 2), t(2)])
_complex.samples(lambda t: [(t(2, 3), t(3)), (t(), t())])
_polar.samples(lambda t: [(t(2, 3), t(3)), (t(), t())])
complex.samples(lambda t: [(t(2, 3), t(3)), (t(), t())])
polar.samples(lambda t: [(t(2, 3, low=0.2, high=2.0), t(3)), (t(low=0.2), t())])
view_as_real.samples(lambda t: [complex(t(*size), t(*size)) for size in ((2, 3), ())])
view_as_complex.samples(lambda t: [t(3, 2), t(2)])
