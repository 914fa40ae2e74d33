"""Tensors as Python numbers and lists, and what they say about their memory."""

import pytest

import autograd_gpu as ag

from .._ops.expressions import cases, check

EXPRESSIONS = """
t.item(); z.item(); T([5.0]).item(); e.item(); T([[5]]).item(); bf[0].item(); c[0].item();
T(True).item(); x.tolist(); bf.tolist(); z.tolist(); e.tolist(); c.tolist(); m.empty(2, 0).tolist();
r.tolist(); bool(t); bool(e); bool(z); bool(T([[5]])); bool(c[0]); int(t); int(T(2.7));
int(T([5.0])); int(c[0]); int(e); int(T(inf)); int(T(nan)); float(z); float(t); float(c[0]);
float(r[0]); complex(z); complex(c[0]); complex(t); [1, 2, 3, 4][zi]; [1, 2, 3][z];
[1, 2][T([[5]])]; [1, 2][T(True)]; [1, 2][i]; range(zi); f"{z:.2f}"; f"{t:.2f}"; f"{r}"; f"{z}";
str(r); len(z); float(T(2 + 0j)); x.stride(); x.stride(0); x.stride(-1); x.stride(5);
x.t().stride(); e.stride(); m.empty(0, 3).stride(); m.empty(2, 0, 3).stride();
m.ones(1, 1).stride(); m.ones(2, 1, 3)[:, :, ::2].stride(); x.storage_offset();
x[1].storage_offset(); x[1, 1:].storage_offset(); x.is_contiguous(); x.t().is_contiguous();
x.is_contiguous(memory_format=m.channels_last); x.data_ptr() == x[0].data_ptr();
x[1].data_ptr() - x.data_ptr(); e.data_ptr(); x.untyped_storage().nbytes();
x[1].untyped_storage().nbytes(); len(x.untyped_storage()); x.get_device(); x.is_pinned();
x.element_size(); x.layout; x.is_sparse; x.is_quantized; x.is_meta; x.is_shared(); x.is_set_to(x);
x.is_set_to(x[0]); x.is_set_to(x.view(2, 3)); x.t().dim_order(); m.strided; x[:, None].stride();
m.ones(2, 3, 4, 5).to(m.float64).is_contiguous(memory_format=m.channels_last);
x.expand(4, 2, 3).stride();
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


@pytest.mark.parametrize("call, error, words", [
    (lambda t: t.item(), RuntimeError, "a Tensor with 2 elements cannot be converted to Scalar"),
    (bool, RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    (lambda t: bool(t[:0]), RuntimeError, "Boolean value of Tensor with no values is ambiguous"),
    (float, ValueError, "only one element tensors can be converted to Python scalars"),
    (lambda t: t.requires_grad_().numpy(), RuntimeError, r"Can't call numpy\(\) on Tensor"),
    (lambda t: [0, 1][t], TypeError, "only integer tensors of a single element can be converted"),
])  # fmt: skip
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(ag.ones(2))


def test_numpy_of_a_tensor_with_gradient_while_nothing_is_recorded():
    x = ag.ones(2, requires_grad=True)
    with ag.no_grad():
        assert x.numpy().tolist() == [1.0, 1.0]


def test_storages_are_those_of_the_memory():
    x = ag.arange(6.0)
    assert (
        x[2:].untyped_storage() == x.untyped_storage()
        and x.untyped_storage().data_ptr() == x.data_ptr()
    )
    assert x.untyped_storage() != ag.arange(6.0).untyped_storage()
