"""Complex gradients by PyTorch's convention: of a real loss, dL/dRe + i dL/dIm; dtypes, numbers, hooks, refusals."""

import numpy as np
import pytest

import autograd_gpu as ag

from .agree import agree, fails, leaf, works


def z_of(t, values, dtype="complex128"):
    return t.tensor(values, dtype=getattr(t, dtype), requires_grad=True)


def test_the_convention():
    """L = x^2 + 3 x y for z = x + i y: dL/dx + i dL/dy."""
    z = z_of(ag, [2 + 5j])
    (z.real**2 + 3 * z.real * z.imag).sum().backward()
    assert z.grad.tolist() == [(2 * 2 + 3 * 5) + 1j * (3 * 2)]


@agree
def test_holomorphic_functions_and_others(t):
    z, results = z_of(t, [1 + 2j, -0.5 + 0.3j]), []
    for f in (lambda z: z * z, lambda z: z * z.conj(), lambda z: z.conj() ** 2, lambda z: z.abs() ** 2, lambda z: z.real + 2 * z.imag,
              lambda z: (z + z.conj()).exp(), lambda z: t.view_as_real(z).prod(-1), lambda z: t.polar(z.abs(), z.angle())):  # fmt: skip
        y = f(z)
        loss = (y * (1 - 2j)).real.sum()
        results += [t.autograd.grad(loss, z)[0]]
    return results


@agree
def test_real_inputs_get_real_gradients(t):
    x, z, n = leaf(t, [1.0, 2.0]), z_of(t, [1 + 2j, 3 - 1j]), leaf(t, 0.5)
    results = []
    for f in (lambda: x * z, lambda: z / x, lambda: x**z, lambda: z - x + n, lambda: t.complex(x, x * 2) * n, lambda: t.stack([z, x * 1j]),
              lambda: t.cat([x, z]), lambda: n * 1j * z):  # fmt: skip
        y = f()
        loss = (y * (2 + 1j)).abs().sum()
        inputs = (x, z, n)
        results.append(t.autograd.grad(loss, inputs, allow_unused=True))
    return results


def test_where_pytorch_fails_a_real_input_gets_a_real_gradient_too():
    """In PyTorch these raise an error of its own making."""
    x, z = leaf(ag, [1.0, 2.0]), z_of(ag, [1 + 2j, 3 - 1j])
    for f in (lambda x, z: ag.where(x > 1.5, x, z), lambda x, z: ag.addr(x, z, z)[0], lambda x, z: ag.ldexp(x, z), lambda x, z: ag.logaddexp(x, z)):
        assert ag.autograd.gradcheck(f, (x, z))
        y = f(x, z)
        assert [g.dtype for g in ag.autograd.grad(y.abs().sum(), (x, z))] == [ag.float64, ag.complex128]


DTYPES = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("a", DTYPES)
@agree
def test_promotion_of_tensors_and_numbers(t, a):
    """A number, and a tensor without dimensions, raise the category (bool, integer, float, complex), not the size."""
    x, results = t.ones(2, dtype=getattr(t, a)), []
    for b in DTYPES:
        if {a, b} & {"float16"} and {a, b} & {"complex64", "complex128"}:
            continue  # complex halves, which are not there
        other, scalar = t.ones(2, dtype=getattr(t, b)), t.ones((), dtype=getattr(t, b))
        results += [str((x * other).dtype), str((x * scalar).dtype), str((scalar * x).dtype), str((x + other).dtype), str((other / x).dtype)]
    if a != "float16":
        results += [str((x * 1j).dtype), str((x + 2.5j).dtype), str((1j / x).dtype), str((x ** (1 + 1j)).dtype)]
    return [*results, str((x * 2.5).dtype), str((x * 2).dtype), str((x * True).dtype), str((x / 2).dtype)]


@pytest.mark.parametrize("a", ["float32", "float64", "complex64", "complex128"])
@agree
def test_gradients_have_the_dtypes_of_their_inputs(t, a):
    x, results = leaf(t, [1.0, 2.0], a), []
    for b in ("float32", "float64", "complex64", "complex128"):
        for shape in ((2,), ()):
            y = t.full(shape, 1.5, dtype=getattr(t, b), requires_grad=True)
            for z in (x * y, x - y, x / y, t.stack([x, y.expand(2)])):
                loss = z.abs().sum()
                results.append([str(g.dtype) for g in t.autograd.grad(loss, (x, y))])
    for number in (2, 2.5, 1j, True):
        (g,) = t.autograd.grad((x * number).abs().sum(), x)
        results.append(str(g.dtype))
    return results


@agree
def test_numbers_without_dimensions_and_none_at_all(t):
    z, empty, results = z_of(t, 1 + 2j), z_of(t, []), []
    for f in (lambda v: v.exp(), lambda v: v * 1j, lambda v: v.abs(), lambda v: v.angle(), lambda v: v.prod(), lambda v: v.cumprod(0), lambda v: v.sum(),
              lambda v: v.conj(), lambda v: t.view_as_real(v), lambda v: v.sgn()):  # fmt: skip
        for v in (z, empty):
            y = f(v)
            results += [y, t.autograd.grad(y.abs().sum(), v)[0]]
    return results


@agree
def test_complex_numbers_as_arguments(t):
    z, x = z_of(t, [[1 + 2j, -1j], [0.5, 3 + 1j]]), leaf(t, [[1.0, 2.0], [0.5, -1.0]])
    v = z[0]
    results = []
    for f in (lambda: t.add(z, z, alpha=2j), lambda: t.sub(z, z * 2, alpha=1 - 1j), lambda: t.addcmul(z, z, z.conj(), value=1j),
              lambda: t.addcdiv(z, z, z + 3, value=2j), lambda: t.addmm(z, z, z, beta=1j, alpha=2 - 1j), lambda: t.addmv(v, z, v, beta=2j, alpha=1j),
              lambda: t.addr(z, v, v, beta=2j, alpha=-1j), lambda: t.baddbmm(z[None], z[None], z[None], beta=1j, alpha=1 + 1j),
              lambda: t.addbmm(z, z[None], z[None], beta=1j, alpha=1 + 1j), lambda: t.lerp(z, z.conj(), 0.3 + 0.1j), lambda: z ** (2 - 1j), lambda: (2 + 1j) ** z,
              lambda: 1j - z, lambda: 1j / z, lambda: x * 1j, lambda: x**1j, lambda: z.masked_fill(z.abs() > 1, 2j), lambda: t.where(z.abs() > 1, z, 2j),
              lambda: z.index_fill(0, t.tensor([0]), 2j)):  # fmt: skip
        y = f()
        results += [y, t.autograd.grad((y * (1 - 2j)).real.sum(), (x, z), allow_unused=True)]
    return results


def test_index_add_with_a_complex_factor():
    """PyTorch leaves out the conjugate of alpha."""
    z, s = z_of(ag, [[1 + 2j, -1j], [0.5, 3 + 1j]]), z_of(ag, [[1 + 1j, -1j], [2.5, 1j]])
    assert ag.autograd.gradcheck(lambda z, s: z.index_add(0, ag.tensor([1, 1]), s, alpha=2j - 1), (z, s))


@pytest.mark.parametrize("values", [[1j, 2, 3 + 1j], [1j, 0, 2, 3 + 1j], [1j, 0, 2, 0, 3 + 1j], [0, 0, 0], [0j]])
@agree
def test_products_with_zeros(t, values):
    z, results = z_of(t, values), []
    for f in (lambda z: z.prod(), lambda z: z.prod(0), lambda z: z.cumprod(0), lambda z: t.stack([z, z * 2]).prod(1)):
        y = f(z)
        (g,) = t.autograd.grad((y * (1 - 2j)).real.sum(), z, create_graph=True)
        results += [y, g.detach()]
        if len(values) > 1:
            results += t.autograd.grad((g * (0.5 + 1j)).real.sum(), z)
    return results


@agree
def test_hooks_and_gradients_kept(t):
    z, seen = z_of(t, [1 + 2j]), []
    y = z * 2j
    y.retain_grad()
    y.register_hook(lambda g: seen.append(g))
    z.register_hook(lambda g: g * 1j)
    y.abs().sum().backward()
    return seen, y.grad, z.grad


@agree
def test_what_is_refused(t):
    z, x = z_of(t, [1 + 2j]), leaf(t, [1.0])
    y = z * 2
    y.register_hook(lambda g: g.real)
    return [
        fails(RuntimeError, "grad can be implicitly created only for real scalar outputs but got torch.complex128", (z * 1).sum().backward),
        fails(RuntimeError, "both grad_output and output are required to have the same dtype", (z * 1).sum().backward, t.tensor(1.0)),
        fails(RuntimeError, "both grad_output and output are required to have the same dtype", t.autograd.grad, x * 2, x, z.detach()),
        fails(RuntimeError, "has changed the type of value", y.abs().sum().backward),
        fails(RuntimeError, "assign a gradient", setattr, z, "grad", t.ones(1, dtype=t.float64)),
        fails(RuntimeError, "In-place abs is not supported for complex tensors", (z * 1).abs_), works(z.detach().real.abs_),
    ]  # fmt: skip


REFUSED = """
z.max(); z.min(0); z.amax(); z.sort(); z.argmax(); z.topk(1); z.median(); z.kthvalue(1); z.cummax(0); z.floor(); z.ceil(); z.trunc();
z.frac(); z.round(); z.sign(); z.clamp(0); z.clamp(min=z); z.relu(); z > 0; z % 2; z // 2; t.maximum(z, z); t.minimum(z, z); t.fmax(z, z);
t.atan2(z, z); t.hypot(z, z); t.copysign(z, z); t.heaviside(z, z); t.xlogy(z, z); z.erf(); z.lgamma(); z.digamma(); z.i0();
z.softmax(0); z.log_softmax(0); F.mse_loss(z, z); F.smooth_l1_loss(z, z); F.huber_loss(z, z); F.gelu(z); F.elu(z); F.softplus(z);
F.mish(z); F.hardshrink(z); F.softshrink(z); F.hardtanh(z); F.relu6(z); F.threshold(z, 0, 1); F.leaky_relu(z); F.logsigmoid(z); F.hardswish(z);
F.hardsigmoid(z); F.glu(z); F.prelu(z, z[:1]); F.cosine_similarity(z, z, 0); F.kl_div(z, z, reduction="sum"); F.binary_cross_entropy_with_logits(z, z);
t.isneginf(z); t.signbit(z); t.histc(z); t.view_as_complex(t.view_as_real(z).to(t.int64)); t.imag(z.real); t.complex(z, z); z.argmin();
"""


@pytest.mark.parametrize("call", [c.strip() for c in REFUSED.split(";") if c.strip()])
def test_what_has_no_order_is_refused(call, torch):
    """An error of PyTorch's class, with most of its words."""
    def said(t):
        z = z_of(t, [1 + 2j, 3.0])
        with pytest.raises(Exception) as caught:
            eval(call, {"t": t, "z": z, "F": t.nn.functional})
        return caught.value

    ours, theirs = said(ag), said(torch)
    assert isinstance(ours, RuntimeError) == isinstance(theirs, RuntimeError), (ours, theirs)
    words = set(str(theirs).split("\n")[0].split()) - {"and", "the", "to"}
    assert len(words & set(str(ours).split())) >= 0.5 * len(words), (ours, theirs)


def test_gradients_may_be_conjugated_views_elsewhere_but_not_here():
    """A conjugate is computed at once: nothing is left to resolve."""
    z = z_of(ag, [1 + 2j])
    (g,) = ag.autograd.grad((z.conj() * 2j).real.sum(), z)
    assert g.resolve_conj() is g and not g.is_conj()
    np.testing.assert_array_equal(g.numpy(), [2j])
