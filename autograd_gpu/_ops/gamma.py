"""The gamma function's logarithm and its derivatives: lgamma, digamma, polygamma, mvlgamma;
Hurwitz's zeta.
"""

import math
from typing import Any

from .._core.tensor import Tensor
from .declare import Array, composite, op
from .errorfunction import in_double, pieces, ratio
from .errors import not_implemented
from .helpers import narrow, unary, wide

__all__ = ["digamma", "lgamma", "mvlgamma", "polygamma", "zeta"]

# W. J. Cody and K. E. Hillstrom, "Chebyshev approximations for the natural logarithm of the gamma
# function", Mathematics
# of Computation 21 (1967), as in Cody's ALGAMA: about 1, about 2, about 4, and for large x. Highest
# power first.
_ABOUT_1 = (
    (4.945235359296727046734888, 2.018112620856775083915565e2, 2.290838373831346393026739e3,
     1.131967205903380828685045e4, 2.855724635671635335736389e4, 3.848496228443793359990269e4,
     2.637748787624195437963534e4, 7.225813979700288197698961e3),
    (1.0, 6.748212550303777196073036e1, 1.113332393857199323513008e3, 7.738757056935398733233834e3,
     2.763987074403340708898585e4, 5.499310206226157329794414e4, 6.161122180066002127833352e4,
     3.635127591501940507276287e4, 8.785536302431013170870835e3),
)  # fmt: skip
_ABOUT_2 = (
    (4.974607845568932035012064, 5.424138599891070494101986e2, 1.550693864978364947665077e4,
     1.847932904445632425417223e5, 1.088204769468828767498470e6, 3.338152967987029735917223e6,
     5.106661678927352456275255e6, 3.074109054850539556250927e6),
    (1.0, 1.830328399370592604055942e2, 7.765049321445005871323047e3, 1.331903827966074194402448e5,
     1.136705821321969608938755e6, 5.267964117437946917577538e6, 1.346701454311101692290052e7,
     1.782736530353274213975932e7, 9.533095591844353613395747e6),
)  # fmt: skip
_ABOUT_4 = (
    (1.474502166059939948905062e4, 2.426813369486704502836312e6, 1.214755574045093227939592e8,
     2.663432449630976949898078e9, 2.940378956634553899906876e10, 1.702665737765398868392998e11,
     4.926125793377430887588120e11, 5.606251856223951465078242e11),
    (-1.0, 2.690530175870899333379843e3, 6.393885654300092398984238e5, 4.135599930241388052042842e7,
     1.120872109616147941376570e9, 1.488613728678813811542398e10, 1.016803586272438228077304e11,
     3.417476345507377132798597e11, 4.463158187419713286462081e11),
)  # fmt: skip
_BERNOULLI = (
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
)
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


def _stirling(xp: Any, x: Any) -> Any:
    """Stirling's series, for x > 12: terms B_2k / (2k (2k - 1) x^(2k - 1))."""
    z = 1 / (x * x)
    tail = xp.zeros_like(x)
    for k in range(7, 0, -1):
        tail = tail * z + _BERNOULLI[k - 1] / (2 * k * (2 * k - 1))
    return (x - 0.5) * xp.log(x) - x + _HALF_LOG_TAU + tail / x


def _lgamma_positive(xp: Any, x: Any) -> Any:
    return pieces(x, [
        (x <= 0.5, lambda x: _near_one(xp, x) - xp.log(x)),
        ((x > 0.5) & (x <= 0.6796875), lambda x: -xp.log(x) + _near_two(xp, x - 1)),
        ((x > 0.6796875) & (x <= 1.5), lambda x: _near_one(xp, x - 1)),
        ((x > 1.5) & (x <= 4), lambda x: _near_two(xp, x - 2)),
        ((x > 4) & (x <= 12), lambda x: 1.791759469228055000094023 + (x - 4) * _four(xp, x - 4)),
        (x > 12, lambda x: xp.where(x < 1e305, _stirling(xp, x), math.inf)),
    ])  # fmt: skip


def _near_one(xp: Any, d: Any) -> Any:
    return d * (-0.5772156649015328605195174 + d * ratio(xp, _ABOUT_1, d)) + 0.0  # not -0 at 1


def _near_two(xp: Any, d: Any) -> Any:
    return d * (0.4227843350984671393993777 + d * ratio(xp, _ABOUT_2, d))


def _four(xp: Any, d: Any) -> Any:
    return ratio(xp, _ABOUT_4, d)


def _lgamma_array(xp: Any, x: Any) -> Any:
    """Below 0 by reflection: log|G(x)| = log(pi / |x sin(pi x)|) - log G(-x); infinite at the
    poles.
    """

    def reflected(x: Any) -> Any:
        part = x - xp.floor(x)
        value = xp.log(math.pi / xp.abs(x * xp.sin(math.pi * part))) - _lgamma_positive(xp, -x)
        return xp.where((part == 0) | (x == -math.inf), math.inf, value)

    return pieces(x, [
        (x > 0, lambda x: _lgamma_positive(xp, x)), (x < 0, reflected),
        (x == 0, lambda x: xp.full_like(x, math.inf)),
    ])  # fmt: skip


@op(kernel=True, inplace=True, promote="float")
def lgamma(xp, input: Array):
    """The logarithm of the gamma function's size: infinite at 0, -1, -2, ...

    y = log |G(x)|            dL/dx = g digamma(x)

    NotImplementedError for complex numbers. Source: Cody and Hillstrom (1967), Stirling's series.
    """
    return in_double(xp, "lgamma", _lgamma_array, input)


lgamma.derivative(input=lambda grad, input: grad * digamma(input))


def _digamma_array(xp: Any, x: Any) -> Any:
    """Up to 10 by psi(x) = psi(x + 1) - 1 / x, then a series in 1 / x; below 0 by reflection."""

    def positive(x: Any) -> Any:
        out = xp.zeros_like(x)
        for _ in range(10):
            small = x < 10
            out -= xp.where(small, 1 / x, 0)
            x = x + small
        z, tail = 1 / (x * x), xp.zeros_like(x)
        for k in range(8, 0, -1):
            tail = (tail + _BERNOULLI[k - 1] / (2 * k)) * z
        return out + xp.log(x) - 0.5 / x - tail

    def reflected(x: Any) -> Any:
        part = x - xp.rint(x)
        return xp.where(part == 0, math.nan, positive(1 - x) - math.pi / xp.tan(math.pi * part))

    return pieces(x, [
        (x > 0, positive), (x < 0, reflected), (x == 0, lambda x: xp.copysign(math.inf, -x)),
    ])  # fmt: skip


@op(inplace=True, promote="float", where=("", "Tensor", "special"))
def digamma(xp, input: Array):
    """The derivative of `lgamma`: NaN at -1, -2, ..., infinite at 0.

    y = psi(x) = G'(x) / G(x)            dL/dx = g polygamma(1, x)

    NotImplementedError for complex numbers.
    """
    return in_double(xp, "digamma", _digamma_array, input)


digamma.derivative(input=lambda grad, input: grad * _polygamma(input, 1))


# ---- higher derivatives, by Hurwitz's zeta function


def _zeta_array(xp: Any, s: Any, q: Any) -> Any:
    """Euler's and Maclaurin's formula: terms one by one until q + k > 10 + s, the rest by an
    integral and corrections.
    """
    if not q.size:
        return xp.zeros_like(q)
    bound = 10 + min(int(xp.max(xp.where(s > 1, s, 1))), 100)
    out = xp.zeros_like(q)
    for _ in range(max(bound - int(xp.floor(q.min())), 0)):
        small = q < bound
        out += xp.where(small, q**-s, 0)
        q = q + small
    out += q ** (1 - s) / (s - 1) + 0.5 * q**-s
    factor, power = s, q ** (-s - 1)
    for k, b in enumerate(_BERNOULLI, 1):
        out += b / math.factorial(2 * k) * factor * power
        factor = factor * (s + 2 * k - 1) * (s + 2 * k)
        power = power / (q * q)
    return out


@op(promote="float", where=("special",), node="SpecialZetaBackward0")
def zeta(xp, input: Array | float, other: Array | float):
    """Hurwitz's zeta function; elementwise, with broadcasting.

    y = sum over k >= 0 of (q + k)^-s            dL/dq = -g s zeta(s + 1, q); none for s

    Infinite for s = 1 and q = 0, -1, -2, ...; NaN for s < 1. Source: the Euler-Maclaurin formula.
    """
    dtype = input.dtype if hasattr(input, "dtype") else other.dtype
    if dtype.kind == "c":
        raise not_implemented("zeta_cpu", dtype)
    s, q = xp.broadcast_arrays(xp.asarray(input, "f8"), xp.asarray(other, "f8"))
    pole = (q <= 0) & (q == xp.floor(q))
    out = xp.where(
        s > 1,
        _zeta_array(xp, s, xp.where(pole | (q < -1e5), 1.0, q)),
        xp.where(s == 1, math.inf, math.nan),
    )
    out = xp.where(
        (q < 0) & (s != xp.floor(s)) | (q < -1e5), math.nan, xp.where(pole, math.inf, out)
    )
    return out if dtype.kind in "biu" else out.astype(dtype)


zeta.derivative(other=lambda grad, input, other: grad * -input * zeta(input + 1, other))


@op(where=(), promote="float", node="PolygammaBackward0")
def _polygamma(xp, input: Array, n):
    """See `polygamma`."""
    if input.dtype.kind == "c":
        raise not_implemented("polygamma", input.dtype)
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if n == 0:
        return digamma.op.forward(xp, input)
    out = zeta.op.forward(xp, n + 1.0, wide(input)) * ((-1) ** (n + 1) * float(math.factorial(n)))
    return narrow(out, input.dtype)


_polygamma.derivative(input=lambda grad, input, n: grad * _polygamma(input, n + 1))


@composite(where=("", "special"))
def polygamma(n, input, *, out=None):
    """The n-th derivative of `digamma`.

    y = (-1)^(n + 1) n! zeta(n + 1, x)            dL/dx = g polygamma(n + 1, x)

    RuntimeError for a negative n.
    """
    return _polygamma(input, n, out=out)


def _method(self, n):
    """The n-th derivative of `digamma`; see `polygamma`."""
    return _polygamma(self, n)


def _method_inplace(self, n):
    """In-place form of `polygamma`: the result is written into this tensor, which is returned."""
    from .inplace import write_inplace

    return write_inplace(_polygamma.op, self, (n,), {})


Tensor.polygamma, Tensor.polygamma_ = _method, _method_inplace  # type: ignore[attr-defined]


@composite(where=("", "Tensor"), inplace=True)
def mvlgamma(input, p, *, out=None):
    """The logarithm of the multivariate gamma function of dimension p.

    y = p (p - 1) / 4 log pi + sum over j < p of lgamma(x - j / 2)
    dL/dx = g sum digamma(x - j / 2)

    Its domain is x > (p - 1) / 2. RuntimeError for p < 1.
    """
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    total = lgamma(input)
    for j in range(1, p):
        total = total + lgamma(input - j / 2)
    total = total + p * (p - 1) / 4 * math.log(math.pi)
    return total if out is None else out.copy_(total)


lgamma.samples(unary(0.3, 4.0))
digamma.samples(unary(8.0, 12.0))  # nearer to 0 PyTorch's trigamma is exact to 5e-10 only
zeta.samples(lambda t: [(2.0, t(3, low=0.5, high=3.0)), (3.5, t(low=0.5, high=3.0))])
_polygamma.samples(
    lambda t: [
        (t(2, 3, low=0.5, high=4.0), 1),
        (t(low=0.5, high=4.0), 3),
        (t(3, low=0.5, high=4.0), 0),
    ]
)
polygamma.samples(
    lambda t: [(1, t(2, 3, low=8.0, high=12.0)), (2, t(low=0.5, high=4.0)), (3, t(0))]
)
mvlgamma.samples(lambda t: [(t(2, 3, low=1.6, high=4.0), 3), (t(low=1.6, high=4.0), 1)])
