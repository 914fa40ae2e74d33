"""Complex numbers: conj, real, imag, angle, and the view of pairs."""

from .declare import Array, op

__all__ = ["conj_physical", "imag", "real"]


@op(inplace=True, node="ConjBackward0")
def conj_physical(xp, input: Array):
    """The complex conjugate, computed.            y = x*,  dL/dx = g*"""
    return xp.conj(input)


conj_physical.derivative(input=lambda grad: _conj(grad))


def _conj(grad):
    from .helpers import conj

    return conj(grad)


def real_part(value):
    """The real part of a Tensor or raw array; a real one is its own."""
    from .helpers import is_complex

    return real(value) if is_complex(value) else value
