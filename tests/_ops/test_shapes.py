"""Views, copies in other places, diagonals, padding: PyTorch's, to the second derivative."""

import pytest

import autograd_gpu as ag

from .calls import cases, check, check_statements

CALLS = """
c.flatten(); x.T.flatten(); c.permute(2, 0, 1).reshape(-1, 2); x.T.reshape(3, 1, 2);
c.flatten(1); c.flatten(0, 1); x.flatten(0, 5); c.flatten(1, 0); w.flatten();
v.flatten() is v; e.flatten(); x.unflatten(1, (3, 1)); x.unflatten(1, (-1, 1));
x.unflatten(1, (2, 2)); x.unflatten(1, ()); c.unflatten(-1, (2, 2)); c.ravel(); c.movedim(0, 2);
c.movedim((0, 1), (1, 0)); c.movedim((0, 2), (2, 0)); c.movedim((0, 0), (1, 0));
c.movedim((0,), (1, 0)); x.moveaxis(0, 1); c.swapaxes(0, 1); c.swapdims(0, 2); c.diagonal();
c.diagonal(5); c.diagonal(-1, 1, 2); c.diagonal(0, 1, 1); v.diagonal(); v.diag(); v.diag(1);
x.diag(1); sq.diag(-1); c.diag(); v.diag_embed(); v.diag_embed(-2); x.diag_embed(1, 0, 2);
x.diagflat(); v.tril(); x.tril(); sq.tril(-1); c.triu(); sq.triu(1); (sq * 1).tril_();
(sq * 1).triu_(1); x.trace(); c.trace(); i.trace(); e.tril(); e.diagonal(); x.flip(0); c.flip(0, 2);
c.flip((0, 2)); x.flip((0, 0)); x.flip(5); x.fliplr(); v.fliplr(); v.flipud(); w.flip(());
e.flip(0); x.roll(1); x.roll(1, 0); c.roll((1, 2), (0, 2)); x.roll((1, 2), 0); x.roll(());
x.rot90(); c.rot90(1, (1, 2)); x.rot90(1, (0, 0)); x.rot90(2); x.rot90(-1); v.rot90(); x.repeat(2);
x.repeat(2, 2); x.repeat(2, 3, 2); x.repeat(2, 0).detach(); x.repeat(2, -1); w.repeat(2); x.tile(2);
x.tile((2, 2, 2)); w.tile(3); x.repeat_interleave(2); x.repeat_interleave(2, 0) * 1;
x.repeat_interleave(T([1, 2]), 0); x.repeat_interleave(T([0, 2, 1]), 1);
x.repeat_interleave(T(2), 0); x.repeat_interleave(T([1, 2, 3]), 0);
x.repeat_interleave(T([1.0, 2]), 0); x.repeat_interleave(-1); w.repeat_interleave(2);
m.repeat_interleave(T([1, 2])); v.unfold(0, 2, 1); v.unfold(0, 5, 1); v.unfold(0, 2, 0);
c.unfold(2, 3, 1); w.unfold(0, 1, 1); c.unfold(1, 2, 1).unfold(2, 2, 2);
x.as_strided((2, 2), (1, 1)); v.as_strided((2, 2), (1, 1)); x.as_strided((3, 3), (3, 1));
x.as_strided((2,), (1,), 5); x.T.as_strided((2, 2), (1, 2), 1); x[:, 1:].as_strided((2, 2), (3, 1));
r.expand(3, 3).as_strided((2, 2), (1, 1)); m.tril_indices(3, 3); m.triu_indices(2, 3, 1);
m.tril_indices(2, 3, -1); m.triu_indices(3, 2, 0, dtype=m.int32); r.expand(2, 3);
r.expand(4, -1, 3); r.expand(3); r.expand(-1, 2, 3); r.expand(2, 4); r.expand(0, 3);
r.expand(2, -2); r.expand((2, 3));
"""

PADS = """
F.pad(x, (1, 1)); F.pad(x, (1, -1)); F.pad(x, (1,)); F.pad(x, (1, 1, 1, 1, 1, 1));
F.pad(x, (-4, 0)); F.pad(x, (1, 1), value=2); F.pad(x, (1, 1), 'constant', 2.5);
F.pad(x, (1, 1), 'reflect'); F.pad(x, (3, 0), 'reflect'); F.pad(x, (1, 1, 1, 1), 'reflect');
F.pad(x, (2, 2), 'replicate'); F.pad(x, (4, 2), 'circular'); F.pad(x, (-1, 2), 'replicate');
F.pad(x, (-1, 2), 'reflect'); F.pad(x, (1, 1), 'foo'); F.pad(c, (1, 1, 0, 1), 'reflect');
F.pad(c, (1, 1, 0, 1), 'replicate'); F.pad(c[None], (1, 1), 'reflect');
F.pad(x, (1, 1), 'reflect', 1.0); F.pad(v, (1, 1), 'reflect'); F.pad(i, (1, 1), value=1.7);
F.pad(x, ()); F.pad(x, [1, 1, 0, 0]); F.pad(x, (1.5, 1)); F.pad(mask, (1, 1), value=True);
m.constant_pad_nd(x, (1, 1), 3); F.pad(e, (1, 1));
F.pad(c[None, None], (1, 1, 1, 0, 1, 1), 'reflect');
F.pad(c[None], (1, 1, 2, 0, 1, 0), 'replicate');
"""


@pytest.mark.parametrize("expression", cases(CALLS + PADS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


@pytest.mark.parametrize("pad", [(1, 2), (-1, 2), (1, 1, 0, 1), (1, 1, -1, 1)])
def test_circular_padding(pad, torch):
    """The values and gradients; PyTorch's node is a CopySlices."""
    expression = f"(F.pad(c, {pad}, 'circular') * 1).sin()"
    check(torch, expression)


INPLACE = """
y.t_() | y=y * 2; y.transpose_(0, 1) | y=y * v[:, None]; y.unsqueeze_(0) | y=y * v;
y.squeeze_() | y=y * v; u=y[0] | y.t_() | u.mul_(w) | y=y * 2;
u=y.t() | u.unsqueeze_(0) | u.mul_(w) | y=y * 2; x.t_(); x.unsqueeze_(0);
u=y[0] | y.unsqueeze_(0) | y.mul_(w) | y=y * u;
u=y.view(-1) | u.unsqueeze_(0) | y.transpose_(0, 1) | u.mul_(w) | y=y * 2;
y.t_() | y.t().view(-1).mul_(w) | y=y * 2; y=(x.t() * 2) | y.t().view(-1)[1:4].mul_(w) | y=y * 2;
"""


@pytest.mark.parametrize("statements", cases(INPLACE))
def test_a_tensors_own_shape_changes(statements, torch):
    check_statements(torch, statements)


def test_expanded_memory_is_shared_and_read_only_where_the_source_is():
    import numpy as np

    array = np.ones((1, 3), np.float32)
    array.flags.writeable = False
    assert not ag.ones(1, 3).expand(2, 3)._array.strides[0]
    with pytest.warns(UserWarning):
        frozen = ag.from_numpy(array)
    assert not frozen.expand(2, 3)._array.flags.writeable


def test_causal_masks_are_not_shared_with_callers():
    ones = ag.ones(4, 4)
    first = ones.tril()
    first.fill_(7)
    assert ones.tril().sum() == 10
