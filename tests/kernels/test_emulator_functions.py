"""CUDA's mathematical functions on the emulator: SciPy's and Python's values."""

import math

import numpy as np
import pytest

from autograd_gpu.testing.emulator import Module

from .conftest import require_emulator
from .functions import INTEGER, NAMES, expressions, text

KINDS = {"float": np.float32, "double": np.float64}


@pytest.fixture(scope="module")
def module():
    require_emulator()
    return Module(text(), NAMES)


def run(module, kind, x, y):
    pairs = np.stack([x, y], 1).astype(KINDS[kind])
    out = np.full((len(expressions(kind)), len(x)), np.nan, KINDS[kind])
    blocks = (len(x) + 63) // 64
    kernel = module.get_function(f"functions_{kind}")
    kernel((blocks,), (64,), (pairs, out, np.int32(len(x))))
    return dict(zip(expressions(kind), out, strict=True))


def special():
    s = pytest.importorskip("scipy.special", reason="scipy, which scikit-learn brings, is absent")
    return {
        "erfinv": s.erfinv, "erfcx": s.erfcx, "normcdf": s.ndtr, "normcdfinv": s.ndtri,
        "cyl_bessel_i0": s.i0, "cyl_bessel_i1": s.i1, "j0": s.j0, "j1": s.j1, "y0": s.y0,
        "y1": s.y1, "lgamma": s.gammaln, "rsqrt": lambda x: x**-0.5, "exp10": s.exp10,
        "rcbrt": lambda x: 1 / np.cbrt(x), "erfcinv": s.erfcinv, "erf": s.erf, "erfc": s.erfc,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_special_functions(module, kind):
    inside = np.linspace(-0.9999, 0.9999, 401)
    domains = {"erfinv": inside, "normcdfinv": inside / 2 + 0.5, "erfcinv": inside + 1}
    domains |= {n: np.linspace(0.01, 60, 401) for n in ("j0", "j1", "y0", "y1")}
    domains |= {"rsqrt": np.linspace(0.01, 60, 401), "erfcx": np.linspace(-5, 50, 401)}
    rtol, atol = (1e-6, 1e-7) if kind == "float" else (1e-12, 2e-13)
    for name, oracle in special().items():
        x = domains.get(name, np.linspace(-25, 37, 403)).astype(KINDS[kind])
        wanted = oracle(x.astype(np.float64))
        found = run(module, kind, x, x)[f"{name}(x)"]
        with np.errstate(over="ignore"):
            wanted = wanted.astype(found.dtype)
        np.testing.assert_allclose(found, wanted, rtol=rtol, atol=atol, err_msg=name)


def test_tails(module):
    """Where the argument is tiny, huge, or beyond the domain."""
    x = np.array([1e-300, 1e-12, 1 - 1e-15, 1.0, -1.0, 2.0, 0.0, np.nan, np.inf, -np.inf, 700.0])
    found = run(module, "double", x, x)
    inverse = found["erfcinv(x)"]
    for k in (0, 1, 2):
        assert math.isclose(math.erfc(inverse[k]), x[k], rel_tol=1e-12)
        assert math.isclose(math.erf(found["erfinv(x)"][k]), x[k], rel_tol=1e-15)
    assert found["erfinv(x)"][3:6].tolist()[:2] == [math.inf, -math.inf]
    assert np.isnan(found["erfinv(x)"][[5, 7, 8, 9]]).all()
    assert inverse[[5, 6]].tolist() == [-math.inf, math.inf] and np.isnan(inverse[[7, 8, 9]]).all()
    assert found["cyl_bessel_i0(x)"][[6, 8, 9]].tolist() == [1, math.inf, math.inf]
    assert found["cyl_bessel_i1(x)"][9] == -math.inf and np.isnan(found["cyl_bessel_i1(x)"][7])
    assert math.isclose(found["cyl_bessel_i0(x)"][10], 1.5295933476718737e302, rel_tol=1e-11)
    assert found["erfcx(x)"][[8, 9]].tolist() == [0, math.inf]


def test_multiples_of_pi_are_exact(module):
    x = np.array([0.0, 0.25, 0.5, 1.0, 1.5, -2.5, 1e10 + 0.5, np.inf])
    found = run(module, "double", x, x)
    quarter = pytest.approx(math.sqrt(0.5), rel=1e-15)
    assert found["sinpi(x)"][:7].tolist() == [0, quarter, 1, 0, -1, -1, 1]
    assert found["cospi(x)"][:7].tolist() == [1, quarter, 0, -1, 0, 0, 0]
    assert np.isnan([found["sinpi(x)"][7], found["cospi(x)"][7]]).all()


def test_float_and_double_have_the_same_functions(module):
    """f(float), ff(float) and f(double) agree within float's rounding."""
    x, y = np.linspace(0.1, 0.9, 64).astype(np.float32), np.full(64, 0.75, np.float32)
    single, double = run(module, "float", x, y), run(module, "double", x, y)
    shared = [e for e in double if e in single and "nextafter" not in e]
    for e in shared:
        np.testing.assert_allclose(single[e], double[e], rtol=2e-5, atol=1e-6, err_msg=e)
    for e in (e for e in single if e.replace("f(", "(", 1) in double):
        np.testing.assert_array_equal(single[e], single[e.replace("f(", "(", 1)], err_msg=e)


@pytest.mark.parametrize("kind", KINDS)
def test_conversions_saturate(module, kind):
    x = np.array([2.5, -1.5, 3e9, -3e9, 1e30, -1e30, np.nan])
    found = run(module, kind, x, x)
    if kind == "float":
        rn, down = found["__float2int_rn(x)"], found["__float2ll_rd(x)"]
        assert rn.tolist() == [2, -2, 2.0**31, -(2.0**31), 2.0**31, -(2.0**31), 0]
        assert down.tolist() == [2, -2, 3e9, -3e9, 2.0**63, -(2.0**63), -(2.0**63)]
        assert found["__float2uint_rn(x)"].tolist() == [2, 0, 3e9, 0, 2.0**32, 0, 0]
    else:
        rn = found["__double2int_rn(x)"]
        assert rn.tolist() == [2, -2, 2**31 - 1, -(2**31), 2**31 - 1, -(2**31), -(2**31)]


def test_integer_functions(module):
    rng = np.random.default_rng(0)
    pairs = rng.integers(1, 2**64, (32, 2), dtype=np.uint64)
    pairs[0] = (1 << 63, 1)
    out = np.zeros((len(INTEGER), 32), np.int64)
    module.get_function("integers")((1,), (32,), (pairs, out, np.int32(32)))
    for (c, d), row in zip(pairs.tolist(), out.T.tolist(), strict=True):
        a, b = c % 2**32, d % 2**32
        words = b << 32 | a
        signed = lambda v, bits: v - 2**bits if v >> (bits - 1) else v
        low = lambda v: (v & -v).bit_length()
        wanted = [
            a * b >> 32, signed(a, 32) * signed(b, 32) >> 32, signed(c * d >> 64, 64),
            signed(c, 64) * 3 >> 64, a.bit_count(), c.bit_count(), 32 - a.bit_length(),
            64 - c.bit_length(), low(a), low(c), int(f"{a:032b}"[::-1], 2),
            signed(int(f"{c:064b}"[::-1], 2), 64), words << 7 >> 32 & 0xFFFFFFFF,
            words >> 7 & 0xFFFFFFFF,
        ]  # fmt: skip
        byte = [words >> 8 * k & 255 for k in range(8)]
        sign = 255 if byte[2] & 128 else 0  # 0x3a71 picks bytes 1, 7, the sign of 2, 3
        wanted.append(byte[1] | byte[7] << 8 | sign << 16 | byte[3] << 24)
        wanted += [min(a, b), signed(max(c, d), 64)]
        assert row == wanted
