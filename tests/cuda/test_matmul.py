"""Products of tensors on CUDA and their derivatives: the CPU's values, and what cuBLAS is asked."""

import numpy as np
import pytest

import autograd_gpu as ag

F = ag.nn.functional
CASES = {
    "mm": (ag.mm, [(3, 4), (4, 5)], 1, 2),
    "mm of a transpose": (lambda a, b: a.t() @ b.t(), [(4, 3), (5, 4)], 1, 2),
    "mm of a part": (lambda a, b: a[1:, 2:] @ b[:, ::2], [(4, 6), (4, 9)], 1, 2),
    "mv": (ag.mv, [(3, 4), (4,)], 1, 1),
    "dot": (ag.dot, [(4,), (4,)], 1, 0),
    "vdot": (ag.vdot, [(4,), (4,)], 1, 0),
    "vector times matrix": (ag.matmul, [(3,), (3, 4)], 1, 1),
    "bmm": (ag.bmm, [(2, 3, 4), (2, 4, 5)], 1, 2),
    "bmm of a transpose": (lambda a, b: ag.bmm(a, b.mT), [(2, 3, 4), (2, 5, 4)], 1, 2),
    "matmul, folded": (ag.matmul, [(2, 3, 4), (4, 5)], 1, 2),
    "matmul, a vector": (ag.matmul, [(2, 3, 4), (4,)], 1, 1),
    "matmul, broadcast": (ag.matmul, [(2, 1, 3, 4), (4, 5)], 1, 2),
    "matmul, one batch": (ag.matmul, [(3, 4), (2, 4, 5)], 1, 2),
    "linear": (F.linear, [(3, 4), (5, 4)], 1, 2),
    "linear and bias": (F.linear, [(3, 4), (5, 4), (5,)], 1, 2),
    "linear of rows": (F.linear, [(2, 3, 4), (5, 4), (5,)], 1, 2),
    "linear of a vector": (F.linear, [(4,), (5, 4), (5,)], 1, None),
    "addmm": (lambda c, a, b: ag.addmm(c, a, b, beta=0.5, alpha=2), [(5,), (3, 4), (4, 5)], 1, 2),
    "addmv": (lambda c, a, b: ag.addmv(c, a, b, alpha=-1), [(3,), (3, 4), (4,)], 1, 1),
    "baddbmm": (lambda c, a, b: ag.baddbmm(c, a, b, beta=2), [(3, 5), (2, 3, 4), (2, 4, 5)], 1, 2),
    "addbmm": (ag.addbmm, [(3, 5), (2, 3, 4), (2, 4, 5)], 1, 2),
    "bilinear": (F.bilinear, [(2, 3), (2, 4), (5, 3, 4), (5,)], 2, None),
    "einsum": (lambda a, b: ag.einsum("bij,bkj->bik", a, b), [(2, 3, 4), (2, 5, 4)], 1, 2),
    "tensordot": (ag.tensordot, [(2, 3, 4), (3, 4, 5)], 1, 2),
    "inner": (ag.inner, [(2, 3, 4), (5, 4)], 1, 2),
}
"""name -> (function, shapes, calls of cuBLAS forward, and backward: None where it is not said)."""

TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "complex64": 1e-5, "complex128": 1e-12,
             "float16": 6e-3, "bfloat16": 5e-2}  # fmt: skip


def products(asked):
    """How many calls of cuBLAS there were."""
    return len([name for name, _ in asked if name != "copy"])


def both(shapes, dtype):
    ag.manual_seed(0)
    host = [ag.randn(s, dtype=ag.complex64 if "complex" in dtype else ag.float32) for s in shapes]
    host = [h.to(getattr(ag, dtype)) for h in host]
    return [h.clone().requires_grad_() for h in host], [h.to("cuda").requires_grad_() for h in host]


def compare(device, host, dtype):
    tolerance = TOLERANCE[dtype]
    for d, h in zip(device, host, strict=True):
        assert d.device.type == "cuda" and d.dtype == h.dtype and d.shape == h.shape
        wide = ag.complex128 if "complex" in dtype else ag.float64
        a, b = (t.detach().cpu().to(wide).numpy() for t in (d, h))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * 4)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(cuda, name, dtype):
    function, shapes, _, _ = CASES[name]
    host, device = both(shapes, dtype)
    wanted = function(*host)
    weight = ag.linspace(0.5, 1.5, wanted.numel()).reshape(wanted.shape).to(wanted.dtype)
    wanted.backward(weight)
    result = function(*device)
    result.backward(weight.to("cuda"))
    compare([result, *(d.grad for d in device)], [wanted, *(h.grad for h in host)], dtype)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_what_cublas_is_asked(cuda, asked, name, dtype):
    function, shapes, forward, backward = CASES[name]
    _, device = both(shapes, dtype)
    asked.clear()
    result = function(*device)
    assert products(asked) == forward
    grad = ag.ones(result.shape, dtype=result.dtype, device="cuda")
    asked.clear()
    result.backward(grad)
    if backward is not None:
        assert products(asked) == backward


@pytest.mark.parametrize("name", ["mm", "bmm", "linear", "linear of rows", "matmul, folded", "linear and bias"])
def test_factors_are_never_copied(cuda, asked, name):
    function, shapes, _, _ = CASES[name]
    _, device = both(shapes, "float32")
    result = function(*device)
    grad = ag.randn(result.shape, device="cuda")
    asked.clear()
    result.backward(grad)
    assert "copy" not in [n for n, _ in asked]


@pytest.mark.parametrize("name", ["mm", "bmm", "linear and bias", "matmul, broadcast", "addmm"])
def test_second_derivatives(cuda, name):
    function, shapes, _, _ = CASES[name]
    host, device = both(shapes, "float64")
    grads = []
    for tensors in (host, device):
        first = ag.autograd.grad((function(*tensors) ** 3).sum(), tensors, create_graph=True)
        grads.append(ag.autograd.grad(sum((g * g).sum() for g in first), tensors))
    compare(grads[1], grads[0], "float64")


def test_integers_go_another_way(cuda, asked):
    a = ag.arange(6).reshape(2, 3)
    x = a.to("cuda")
    asked.clear()
    assert (x @ x.T).tolist() == (a @ a.T).tolist()
    assert not products(asked)


@pytest.mark.parametrize("call", [
    lambda d: ag.mm(ag.ones(2, 3, device=d), ag.ones(2, 3, device=d)),
    lambda d: ag.mm(ag.ones(2, 3, 1, device=d), ag.ones(3, 3, device=d)),
    lambda d: ag.mm(ag.ones(2, 3, device=d), ag.ones(3, 3, dtype=ag.float64, device=d)),
    lambda d: ag.mv(ag.ones(2, 3, device=d), ag.ones(2, device=d)),
    lambda d: ag.dot(ag.ones(2, device=d), ag.ones(3, device=d)),
    lambda d: ag.bmm(ag.ones(2, 3, 4, device=d), ag.ones(1, 4, 5, device=d)),
    lambda d: ag.matmul(ag.ones(2, 3, 4, device=d), ag.ones(3, 4, 5, device=d)),
    lambda d: F.linear(ag.ones(2, 3, device=d), ag.ones(4, 2, device=d)),
    lambda d: F.linear(ag.ones(2, 3, device=d), ag.ones(4, 3, device=d), ag.ones(3, device=d)),
    lambda d: ag.addmm(ag.ones(3, device=d), ag.ones(2, 3, device=d), ag.ones(3, 4, device=d)),
    lambda d: ag.baddbmm(ag.ones(9, device=d), ag.ones(2, 3, 4, device=d), ag.ones(2, 4, 5, device=d)),
])  # fmt: skip
def test_errors_are_those_of_the_cpu(cuda, call):
    with pytest.raises(RuntimeError) as here:
        call("cpu")
    with pytest.raises(RuntimeError) as there:
        call("cuda")
    assert str(there.value) == str(here.value)


def test_bodies_of_other_ops_take_the_same_way(cuda, asked):
    from autograd_gpu._core import library

    xp = library.installed()
    a = cuda.asarray(np.arange(24, dtype="f4").reshape(2, 3, 4))
    b = a.swapaxes(1, 2)
    out = cuda.empty((2, 3, 3), "f4")
    asked.clear()
    assert xp.matmul(a, b, out=out) is out
    np.testing.assert_allclose(out.get(), a.get() @ b.get())
    np.testing.assert_allclose(xp.dot(a[0], b[0]).get(), a[0].get() @ b[0].get())
    np.testing.assert_allclose(xp.matmul(a[0, 0], a[0, 1]).get(), a[0, 0].get() @ a[0, 1].get())
    assert [n for n, _ in asked] == ["gemmStridedBatchedEx", "gemmEx", "sdot"]
    xp.dot(a[0], b[0], out=out[1, :, ::-1])  # no place for cuBLAS to write to
    np.testing.assert_allclose(out[1].get()[:, ::-1], a[0].get() @ b[0].get())
    square = a[0, :, :3].copy()
    wanted = square.get() @ square.get()
    np.testing.assert_allclose(xp.matmul(square, square, out=square).get(), wanted)
    whole = a.astype("i8")
    np.testing.assert_array_equal(xp.matmul(whole, whole.swapaxes(1, 2)).get(), (a.get() @ b.get()).astype("i8"))
    np.testing.assert_array_equal(xp.dot(whole[0], whole[0].T).get(), (a[0].get() @ b[0].get()).astype("i8"))
