"""Which dtype comes out: categories, 0-d tensors and Python numbers, and the dtypes of
gradients.
"""

import itertools

import pytest

from .agree import agree, leaf, works

# float16 with complex numbers is left out: PyTorch has a complex type of two halves for it, NumPy
# has none.
DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
PAIRS = [
    (a, b)
    for a, b in itertools.product(DTYPES, repeat=2)
    if "float16" not in (a, b) or not (a + b).count("complex")
]


@agree
def test_the_table_of_result_types(t):
    """E60: vectors with vectors, with 0-d tensors, and with Python numbers."""
    found = []
    for a, b in PAIRS:
        x, y = t.ones(2, dtype=getattr(t, a)), t.ones(2, dtype=getattr(t, b))
        zero = t.ones((), dtype=getattr(t, b))
        found.append([a, b, str(t.result_type(x, y)), str(t.result_type(x, zero)), str(t.result_type(zero, zero)),
                      str(t.promote_types(x.dtype, y.dtype)), t.can_cast(x.dtype, y.dtype)])  # fmt: skip
    for a in DTYPES:
        x = t.ones(2, dtype=getattr(t, a))
        found.append(
            [
                a,
                *(
                    str(t.result_type(x, n))
                    for n in (True, 2, 2.0, 2j)
                    if a != "float16" or n != 2j
                ),
            ]
        )
    return found


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "<", "=="])
@agree
def test_operators_on_all_pairs(t, op):
    found = []
    for a, b in PAIRS:
        for x, y in ((t.ones(2), t.ones(2)), (t.ones(2), t.ones(())), (t.ones(()), t.ones(()))):
            x, y = x.to(getattr(t, a)), y.to(getattr(t, b))
            try:
                found.append((a, b, str(eval(f"x {op} y", {"x": x, "y": y}).dtype)))
            except Exception as error:
                found.append((a, b, type(error).__name__))
    return found


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "**", "<"])
@agree
def test_operators_with_numbers(t, op):
    found = []
    for a, number in itertools.product(DTYPES, (True, 3, 2.5, 1j, -2)):
        if (a, number) == ("float16", 1j):
            continue
        x = t.ones(2, dtype=getattr(t, a))
        for source in (f"x {op} n", f"n {op} x"):
            try:
                out = eval(source, {"x": x, "n": number})
                found.append(
                    (a, source, number, out if "n **" not in source or number != -2 else out.dtype)
                )
            except Exception as error:
                found.append((a, source, number, type(error).__name__))
    return found


@agree
def test_integers(t):
    """E61."""
    return [
        t.tensor([7]) / 2, t.tensor([-7]) // 2, t.tensor([-7]) % 3, t.tensor([True, True]).sum(), t.tensor([200], dtype=t.uint8) + 100,
        t.tensor([7], dtype=t.int32) / t.tensor([2], dtype=t.int32), t.tensor([1], dtype=t.uint8) + 300, t.tensor([2]) ** 3,
        t.tensor([127], dtype=t.int8) + 1, t.tensor([1, 2]).sum(), t.tensor([1], dtype=t.int8).sum().dtype,
        t.tensor([True]) + t.tensor([True]), t.tensor([True]) * 2, -t.tensor([1], dtype=t.uint8), t.tensor([5]).sqrt(),
        works(lambda: t.tensor([1, 2]).mean()), works(lambda: t.tensor([True]) - t.tensor([True])), works(lambda: -t.tensor([True])),
        works(lambda: t.tensor([1]) // 0),
    ]  # fmt: skip


@agree
def test_zero_dimensional_tensors_are_weak_within_a_category(t):
    """E63, H1."""
    a, s = leaf(t, [1.0, 2.0], "float32"), leaf(t, 3.0)
    y = a * s
    y.sum().backward()
    n = t.tensor(2)
    return [y, a.grad, s.grad, a.detach() * n, n * a.detach(), t.tensor([1]) * t.tensor(2.5), t.tensor([1.0]) + t.tensor(1, dtype=t.int64),
            t.tensor([1.0], dtype=t.float16) * t.tensor([2], dtype=t.int64), t.tensor(1.0) + t.tensor(1.0, dtype=t.float64),
            t.tensor([1.0]) * 1j, t.tensor(2) * 2.5]  # fmt: skip


@agree
def test_gradients_have_their_inputs_dtypes(t):
    found = []
    for a, b in itertools.product(("float32", "float64", "complex64", "complex128"), repeat=2):
        x, y = leaf(t, [1.0, 2.0], a), leaf(t, [3.0, 4.0], b)
        out = x * y + x
        (out.abs() if out.is_complex() else out).sum().backward()
        found += [x.grad, y.grad]
    return found


@agree
def test_mixed_functions(t):
    f, d, i, b = (t.ones(2, dtype=getattr(t, k)) for k in ("float32", "float64", "int64", "bool"))
    return [
        t.maximum(f, d), t.where(b, f, d), t.where(b, f, 2.5), t.where(b, i, 2.5), t.atan2(i, i), t.cat([f, d]), t.cat([i, f]),
        t.stack([f, f]), works(t.mm, f[None], d[:, None]), t.true_divide(i, i), t.add(i, i, alpha=2), works(t.add, i, i, alpha=2.5),
        t.pow(i, 2), t.pow(2, f), f.masked_fill(b, 3), t.clamp(i, 0, 1), t.clamp(f, min=i), t.addcmul(f, f, f), t.lerp(f, f, 0.5),
        t.logical_and(f, i), f.eq(d), t.dot(f, f), t.outer(f, f), i.sum(dtype=t.float32), f.sum(dtype=t.float64), i.prod(), b.sum(0),
        i.cumsum(0), t.exp(i), t.sin(b), t.floor(i), t.abs(i), t.sign(f),
    ]  # fmt: skip


@agree
def test_the_default_dtype(t):
    seen = [t.tensor(1.5).dtype, t.tensor([1]).float().dtype, t.get_default_dtype()]
    t.set_default_dtype(t.float64)
    try:
        seen += [t.tensor(1.5).dtype, t.ones(1).dtype, (t.tensor([1]) / 2).dtype, (t.tensor([1]) * 1.5).dtype, t.tensor(1j).dtype,
                 t.arange(0.5, 2).dtype, t.linspace(0, 1, 2).dtype, t.tensor([1]).exp().dtype]  # fmt: skip
    finally:
        t.set_default_dtype(t.float32)
    return [str(d) for d in seen]
