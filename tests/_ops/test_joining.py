"""cat, stack, split, unbind, meshgrid against PyTorch: values, nodes, two derivatives, errors."""

import warnings

import pytest

import autograd_gpu as ag

from .calls import cases, check

CALLS = """
m.cat([x, m.zeros(0)]); m.cat([x, m.zeros(0, 3)]); m.cat([x, m.zeros(0, 2)]); m.cat([]);
m.cat([x, v]); m.cat([x, m.ones(2, 4)]); m.cat([x, s.float()]); m.cat([x, s, x], 1);
m.cat((x, s), dim=-1); m.cat(x); m.cat([x, s], 3); m.cat([x]); m.cat([w]); m.cat([i, x]);
m.cat([e, x]); m.cat([m.zeros(0), x], 1); m.cat([v, v[:0], v]); m.cat([x, x.T[:, :2].T], 0);
m.stack([]); m.stack([x, v]); m.stack([x, s]); m.stack([x, s], 1); m.stack([v, v * 2], -1);
m.stack([x, s], 3); m.stack([w, w * 2]); m.stack([x, s.float()]); m.stack([e, e]); m.concat([v, v]);
m.concatenate([v, v]); m.hstack([v, v[:1]]); m.hstack([x, s]); m.hstack([]); m.vstack([v, x]);
m.row_stack([v, v]); m.dstack([v, v]); m.dstack([x, s]); m.column_stack([v, sq]);
m.column_stack([v, v]); m.atleast_1d(w); m.atleast_2d(v); m.atleast_3d(v); m.atleast_3d(x);
m.atleast_1d(w, v); m.atleast_2d([v, w]); m.block_diag(x, w, v); m.block_diag(); m.block_diag(c);
m.meshgrid(v, w, v[:2], indexing='xy'); m.meshgrid(v, v[:2], indexing='ij');
m.meshgrid([v, v[:2]], indexing='xy'); m.meshgrid(v, indexing='zz'); m.cartesian_prod(v, v[:2]);
m.cartesian_prod(v); m.combinations(v); m.combinations(v, 3, with_replacement=True);
m.combinations(v, 1); m.combinations(x); m.broadcast_tensors(x, v, w);
m.broadcast_tensors(x, m.ones(2)); m.broadcast_shapes((2, 3), (3,));
m.broadcast_shapes((2, 3), (2,)); m.broadcast_shapes(); v.broadcast_to(2, 3);
m.broadcast_to(r, (2, 3)); c.unbind(1); c.unbind(-1); x.unbind(5); w.unbind(); e.unbind(0);
e.unbind(1); c.split(2, 2); x.split(2); x.split([1, 0, 2], 1); x.split([1, 1], 1); x.split(0);
x.split(-1); w.split(1); e.split(2); c.chunk(3, -1); x.chunk(5, 1); x.chunk(0); e.chunk(2);
m.split(c, 2, dim=1); c.tensor_split((1, 3), 2); c.tensor_split(3, -1); v.tensor_split(0);
v.tensor_split(T([1])); c.hsplit(3); v.hsplit(2); v.vsplit(1); c.dsplit(2); c.dsplit([1, 2]);
c.vsplit(2); c.split([1, 2], 1)[0]; c.unbind(-1)[1] * c.unbind(-1)[2]; x.split_with_sizes([1, 1]);
m.cat(c.chunk(2, 1)[::-1], 1); m.cat([x, s], out=m.empty(0));
m.stack(x.detach().unbind(), out=m.empty(3, 2)); c.split(1, 1)[2].unbind(0)[1];
"""


@pytest.mark.parametrize("expression", cases(CALLS))
def test_as_pytorch(expression, torch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(torch, expression)


def test_meshgrid_without_indexing_warns():
    with pytest.warns(UserWarning, match="indexing"):
        ag.meshgrid(ag.arange(2), ag.arange(3))


def test_an_element_that_is_no_tensor_is_a_type_error():
    with pytest.raises(TypeError, match="Tensor"):
        ag.cat([ag.ones(2), 1])


def test_output_numbers():
    parts = ag.ones(3, requires_grad=True).unbind()
    assert [p.output_nr for p in parts] == [0, 1, 2]
    assert len({id(p.grad_fn) for p in parts}) == 1
    assert (parts[0] + parts[2]).grad_fn.next_functions == (
        (parts[0].grad_fn, 0),
        (parts[0].grad_fn, 2),
    )


@pytest.mark.parametrize(
    "cut",
    [lambda b: b.unbind(), lambda b: b.split(1), lambda b: b.chunk(2), lambda b: b.split([1, 1])],
)
def test_pieces_may_not_be_written_in_place_while_recording(cut):
    base = ag.ones(2, requires_grad=True) * 1
    piece = cut(base)[0]
    with pytest.raises(
        RuntimeError, match="Output 0 of .* is a view and is being modified inplace"
    ):
        piece.mul_(2)
    assert base.tolist() == [1.0, 1.0]
    with ag.no_grad():
        cut(base.detach())[0].mul_(2)
    assert base.tolist() == [2.0, 1.0]


def test_a_wide_fan_in_is_fast_and_not_recursive():
    leaves = [ag.ones(1, requires_grad=True) for _ in range(20000)]
    ag.cat(leaves).sum().backward()
    assert leaves[-1].grad.item() == 1
