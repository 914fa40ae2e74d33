"""autograd.functional: Jacobians, Hessians and their products with vectors, and derivatives of these."""

import pytest

import autograd_gpu as ag
from autograd_gpu.autograd import functional
from autograd_gpu.testing import standin

from .agree import agree, leaf, plain, same

X, Y, S = [[0.5, 1.5], [2.0, -1.0], [0.25, 3.0]], [1.0, -2.0], 0.75

# name: (function, inputs); a single input is not in a tuple
MAPS = {
    "elementwise": (lambda t, x: x.exp() * x, Y),
    "rectangle": (lambda t, x: x.sin().sum(1) * x[:, 0], X),
    "scalar": (lambda t, x: (x * x).prod(), X),
    "0-d to 0-d": (lambda t, s: s**3, S),
    "0-d to vector": (lambda t, s: t.stack([s, s * s, s.cos()]), S),
    "linear": (lambda t, x: x @ t.tensor(X, dtype=t.float64).T, Y),
    "identity": (lambda t, x: x, Y),
    "a view": (lambda t, x: x.T[0], X),
    "in place": (lambda t, x: x.clone().mul_(x).add_(1), Y),
    "constant": (lambda t, x: t.ones(3, dtype=t.float64), Y),
    "partly detached": (lambda t, x: x.detach() * x, Y),
    "tuple of one": (lambda t, x: (x * 2,), Y),
    "two outputs": (lambda t, x: (x * x, x.sum().exp()), Y),
    "an output apart": (lambda t, x: (x * x, t.zeros(2)), Y),
    "two inputs": (lambda t, x, y: x * y.exp(), (X, Y)),
    "an input apart": (lambda t, x, y: x.cos(), (Y, X)),
    "input of one": (lambda t, x: x.tanh(), (Y,)),
    "many to many": (lambda t, x, y, s: (x @ y, s * y.sum(), y / s, s.detach()), (X, Y, S)),
    "an empty input": (lambda t, x, e: x * e.sum(), (Y, [])),
}  # fmt: skip
SCALARS = {
    "cubes": (lambda t, x: (x**3).sum(), X),
    "0-d": (lambda t, s: s.exp() * s, S),
    "one element": (lambda t, x: (x.sin() * x[0]).sum().reshape(1, 1), Y),
    "linear": (lambda t, x: (x * 3).sum(), Y),
    "constant": (lambda t, x: t.ones((), dtype=t.float64), Y),
    "two": (lambda t, x, y: (x * y.exp()).sum() * x.prod(), (X, Y)),
    "one apart": (lambda t, x, y: (x * x).sum(), (Y, X)),
    "sum of both": (lambda t, x, y: (x * x).sum() + y.sum(), (Y, X)),
    "three": (lambda t, x, y, s: ((x @ y) * s).cos().sum(), (X, Y, S)),
    "a tuple of one": (lambda t, x: x.prod(), (Y,)),
    "softmax": (lambda t, x: (x.softmax(1)[:, 0]).log().sum(), X),
}
maps, scalars = pytest.mark.parametrize("name", MAPS), pytest.mark.parametrize("name", SCALARS)
recorded = pytest.mark.parametrize("create_graph", [False, True])


def case(t, cases, name, requires_grad=False):
    function, values = cases[name]
    make = lambda v: t.tensor(v, dtype=t.float64, requires_grad=requires_grad)  # noqa: E731
    return lambda *x: function(t, *x), tuple(map(make, values)) if isinstance(values, tuple) else make(values)


def like(t, values, requires_grad=False):
    """Numbers in the form of `values`."""
    if isinstance(values, tuple):
        return tuple(like(t, v, requires_grad) for v in values)
    numbers = t.arange(1, values.numel() + 1, dtype=t.float64).reshape(values.shape) / 4
    return numbers.requires_grad_(requires_grad)


def weighted(values):
    """A number that depends on all the tensors in a nest of tuples."""
    return sum(map(weighted, values)) if isinstance(values, (tuple, list)) else (values * values.detach()).sum().real


def untouched(values):
    return [(v, v.grad, v.is_leaf) for v in (values if isinstance(values, tuple) else (values,))]


@maps
@pytest.mark.parametrize("vectorize", [False, True])
@agree
def test_jacobian(t, name, vectorize):
    f, x = case(t, MAPS, name)
    return t.autograd.functional.jacobian(f, x, vectorize=vectorize), untouched(x)


@maps
@agree
def test_jacobian_recorded(t, name):
    """Of inputs that require grad, and of inputs that do not."""
    f, x = case(t, MAPS, name)
    f2, x2 = case(t, MAPS, name, requires_grad=True)
    jac = t.autograd.functional.jacobian
    return jac(f, x, create_graph=True), jac(f2, x2, create_graph=True), jac(f2, x2), untouched(x2)


@maps
@recorded
@agree
def test_vjp(t, name, create_graph):
    f, x = case(t, MAPS, name)
    return t.autograd.functional.vjp(f, x, like(t, f(*x) if isinstance(x, tuple) else f(x)), create_graph)


@maps
@recorded
@agree
def test_jvp(t, name, create_graph):
    f, x = case(t, MAPS, name)
    return t.autograd.functional.jvp(f, x, like(t, x), create_graph), untouched(x)


@scalars
@pytest.mark.parametrize("vectorize", [False, True])
@agree
def test_hessian(t, name, vectorize):
    f, x = case(t, SCALARS, name)
    return t.autograd.functional.hessian(f, x, vectorize=vectorize), untouched(x)


@scalars
@recorded
@agree
def test_hessian_products(t, name, create_graph):
    f, x = case(t, SCALARS, name)
    return [getattr(t.autograd.functional, verb)(f, x, like(t, x), create_graph) for verb in ("vhp", "hvp")]


@pytest.mark.parametrize("name", ["elementwise", "rectangle", "two outputs", "two inputs", "many to many"])
@agree
def test_derivatives_of_first_derivatives(t, name):
    """With create_graph, backward reaches the inputs, and v."""
    found = []
    for verb in ("jacobian", "vjp", "jvp"):
        f, x = case(t, MAPS, name, requires_grad=True)
        xs = x if isinstance(x, tuple) else (x,)
        v = () if verb == "jacobian" else (like(t, f(*xs) if verb == "vjp" else x, True),)
        result = getattr(t.autograd.functional, verb)(f, x, *v, create_graph=True)
        leaves = [*xs, *(v[0] if v and isinstance(v[0], tuple) else v)]
        found.append(t.autograd.grad(weighted(result), leaves, allow_unused=True))
    return found


@pytest.mark.parametrize("name", ["cubes", "0-d", "two", "three", "softmax"])
@agree
def test_third_derivatives(t, name):
    found = []
    for verb in ("hessian", "vhp", "hvp"):
        f, x = case(t, SCALARS, name, requires_grad=True)
        xs = x if isinstance(x, tuple) else (x,)
        v = () if verb == "hessian" else (like(t, x, True),)
        result = getattr(t.autograd.functional, verb)(f, x, *v, create_graph=True)
        result = result if verb == "hessian" else result[1]
        leaves = [*xs, *(v[0] if v and isinstance(v[0], tuple) else v)]
        found.append(t.autograd.grad(weighted(result), leaves, allow_unused=True))
    return found


@agree
def test_jacobians_of_jacobians(t):
    """d3 (x^4) = 24 x, by three of them; and of a Hessian."""
    F, x = t.autograd.functional, leaf(t, [1.0, 2.0])

    def first(x):
        return F.jacobian(lambda x: x**4, x, create_graph=True)

    def second(x):
        return F.jacobian(first, x, create_graph=True)

    of_hessian = F.jacobian(lambda x: F.hessian(lambda x: (x**4).sum(), x, create_graph=True), x)
    return F.jacobian(second, x), of_hessian


@agree
def test_products_agree_with_matrices(t):
    """v J, J v, v H and H v are what the whole matrices give."""
    F, x, v, u = t.autograd.functional, leaf(t, Y), leaf(t, [3.0, 4.0]), leaf(t, [1.0, 2.0, -1.0])
    f = lambda x: t.tensor(X, dtype=t.float64) @ x.exp() * x[0]  # noqa: E731
    g = lambda x: f(x).prod()  # noqa: E731
    J, H = F.jacobian(f, x), F.hessian(g, x)
    gaps = [u @ J - F.vjp(f, x, u)[1], J @ v - F.jvp(f, x, v)[1], v @ H - F.vhp(g, x, v)[1], H @ v - F.hvp(g, x, v)[1]]
    return [bool(gap.abs().max() < 1e-10) for gap in gaps] + [J, H]


@agree
def test_no_vector_stands_for_one(t):
    F, s, x = t.autograd.functional, t.tensor(2.0), t.tensor([[3.0]])
    return [
        F.vjp(lambda x: (x * x).sum(), t.tensor([1.0, 2.0])), F.vjp(lambda s: (s * s,), s), F.jvp(lambda s: s.expand(3) * s, s),
        F.jvp(lambda x: (x * x, x), (x,)), F.vhp(lambda x: x.sum() ** 3, x), F.hvp(lambda s: s**3, s), F.hvp(lambda s: s**3, (s,)),
    ]  # fmt: skip


@agree
def test_a_vector_alone_or_in_a_tuple(t):
    F, x, v = t.autograd.functional, t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0])
    return [F.vjp(lambda x: x * x, x, (v,)), F.jvp(lambda x: (x * x,), (x,), v), F.vhp(lambda x: x.prod(), (x,), v),
            F.hvp(lambda x: x.prod(), x, (v,)), F.jvp(lambda x: x * x, x, t.tensor([1, 2])), F.vjp(lambda x: x * x, x, v.double())]  # fmt: skip


@pytest.mark.parametrize("mode", ["no_grad", "enable_grad"])
@agree
def test_grad_modes(t, mode):
    """Derivatives are found in every mode, which is as it was afterwards; so are the inputs."""
    F, x = t.autograd.functional, leaf(t, [1.0, 2.0])
    f = lambda x: (x**3).sum()  # noqa: E731
    with getattr(t, mode)():
        found = [F.jacobian(f, x), F.hessian(f, x, create_graph=True), F.vjp(f, x, create_graph=True), F.vjp(f, x), F.jvp(f, x, x),
                 F.vhp(f, x, x), F.hvp(f, x, x, create_graph=True), F.jvp(f, x, x, create_graph=True)]  # fmt: skip
        found.append(t.is_grad_enabled())
    return found, untouched(x)


@agree
def test_what_a_closure_knows_is_constant(t):
    """The function's own tensors get no part, though the input is one of them; nor do their `.grad`."""
    x, w = leaf(t, [1.0, 2.0]), leaf(t, [3.0, 4.0])
    jac = t.autograd.functional.jacobian(lambda p: x * p * w, x, create_graph=True)
    (by_w,) = t.autograd.grad(jac.sum(), w)
    return jac, by_w, t.autograd.functional.jacobian(lambda p: x * w, x), x.grad, w.grad


@agree
def test_inputs_on_the_same_memory(t):
    """The same tensor twice is two inputs; the function sees the caller's memory."""
    F, x = t.autograd.functional, t.tensor([1.0, 2.0])
    return F.jacobian(lambda a, b: a * a * b, (x, x)), F.hessian(lambda a, b: (a * a * b).sum(), (x, x)), [
        F.jacobian(lambda a: x * a, x), F.vjp(lambda a: a, x, x), F.jacobian(lambda a: (a, a), x)]  # fmt: skip


@agree
def test_dtypes(t):
    """The Jacobian has the input's dtype."""
    F, a, b = t.autograd.functional, t.tensor([1.0, 2.0]), t.tensor([3.0, 4.0], dtype=t.float64)
    f = lambda a, b: (a * b, a.half(), b.float())  # noqa: E731
    return F.jacobian(f, (a, b)), F.vjp(f, (a, b), (b, a.half(), a)), F.jvp(f, (a, b), (a, b))


@agree
def test_complex(t):
    """Jacobians of complex outputs only as products, and with vectorize."""
    F, z = t.autograd.functional, t.tensor([1 + 2j, 3 - 1j], dtype=t.complex128)
    x, v = t.tensor([0.5, 2.0], dtype=t.float64), t.tensor([1j, 2.0], dtype=t.complex128)
    return [
        F.jacobian(lambda z: (z * z).abs(), z), F.jacobian(lambda z: z * z, z, vectorize=True), F.jacobian(lambda x: z * x, x, vectorize=True),
        F.jacobian(lambda x: z, x), F.vjp(lambda z: z * z, z, v), F.jvp(lambda z: z * z, z, v), F.jvp(lambda z: z.conj() * z, z, v),
        F.vhp(lambda z: (z.conj() * z * z).real.sum(), z, v), F.hvp(lambda z: (z.conj() * z * z).real.sum(), z, v),
        F.hessian(lambda z: (z * z.conj()).real.sum(), z, vectorize=True),
    ]  # fmt: skip


@agree
def test_empty_outputs(t):
    F, x, e = t.autograd.functional, t.tensor([1.0, 2.0]), t.zeros(0)
    return [F.jacobian(lambda x: (x[:0] * 2, x * x), x, vectorize=True), F.jacobian(lambda e: e.sum(), e), F.vjp(lambda x: x[:0], x, e),
            F.jvp(lambda x: x[:0], x, x), F.vhp(lambda e: e.sum(), e, e), F.hvp(lambda e: e.sum(), e, e)]  # fmt: skip


def test_nothing_but_empty_outputs():
    """A Jacobian without rows, which PyTorch does not give."""
    x = ag.ones(2)
    assert functional.jacobian(lambda x: x[:0], x, vectorize=True).shape == (0, 2)
    assert functional.hessian(lambda e: e.sum(), ag.zeros(0), vectorize=True).shape == (0, 0)


@pytest.mark.parametrize("name", ["rectangle", "two inputs", "many to many", "an output apart"])
def test_maps_on_cuda(name):
    """The results on a device are those on the CPU, and stay there."""
    on_both(MAPS, name, lambda f, x, v: [functional.jacobian(f, x), functional.jacobian(f, x, vectorize=True),
                                         functional.jvp(f, x, v), functional.vjp(lambda *x: weighted(f(*x)), x)])  # fmt: skip


@pytest.mark.parametrize("name", ["cubes", "two", "one apart"])
def test_scalars_on_cuda(name):
    on_both(SCALARS, name, lambda f, x, v: [functional.hessian(f, x, create_graph=True), functional.vhp(f, x, v),
                                            functional.hvp(f, x, v, create_graph=True)])  # fmt: skip


def on_both(cases, name, program):
    f, x = case(ag, cases, name, requires_grad=True)
    here = program(f, x, like(ag, x))
    with standin.activate():
        default = ag.get_default_device()
        ag.set_default_device("cuda")
        try:
            f, x = case(ag, cases, name, requires_grad=True)
            there = program(f, x, like(ag, x))
        finally:
            ag.set_default_device(default)
        assert {t.device.type for t in flat(there)} == {"cuda"}
        same(plain(moved(there)), plain(here))


def flat(values):
    return [t for v in values for t in flat(v)] if isinstance(values, (tuple, list)) else [values]


def moved(values):
    return [moved(v) for v in values] if isinstance(values, (tuple, list)) else values.cpu()
