"""clamp, fmax, fmin, nan_to_num: bounds of every kind, and kinks."""

import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
t.clamp(); t.clamp(0); t.clamp(0.0, i); t.clamp(i, i); t.clamp(min=i); i.clamp(0.5);
i.clamp(0.5, 1.7); i.clamp(min=t); b.clamp(0, 1); c.clamp(0, 1); c.clamp(c, c); t.clamp(2, 1);
t.clamp(nan, 1); t.clamp(0, nan); T([nan, 1.0]).clamp(0, 1); t.clamp(T([2.0, 2.0]), T([1.0, 1.0]));
t.clamp(T([nan, 2.0]), T([1.0, nan])); m.clamp(i, min=1.5); i.clone().clamp_(0.5);
i.clone().clamp_(0); t.clone().clamp_(m.ones(3, 2)); t.clone().clamp_(0, 1); t.clamp(m.ones(3, 2));
t.clamp(0, m.ones(2)); t.clamp("a"); m.clamp(t, None, None);
m.clamp(t, min=0, max=1, out=m.empty(2)); t.clip(0, 1); t.clip(min=0); bf.clamp(0, 1.5);
m.clamp(t, d); m.clamp(t, z); m.clamp(t, 0, z); u.clamp(-5, 300); h.clamp(0.1, 1.7); e.clamp(0, 1);
t.clone().clip_(0, 1); g(lambda x: x.clamp(0.0, 1.0), [-1.0, 0.0, 0.5, 1.0, 2.0, nan]);
g(lambda x: x.clamp(2.0, 1.0), [0.0, 1.0, 1.5, 2.0, 3.0]);
g(lambda x: x.clamp(nan, 1.0), [0.0, 1.0, 2.0]);
g(lambda x: x.clamp(min=1.0), [0.0, 1.0, 2.0, nan]);
g(lambda x, a, b: x.clamp(a, b), [0.0, 1.0, 1.5, 3.0, 4.0, nan], [1.0] * 6, [3.0] * 6);
g(lambda x, a, b: x.clamp(a, b), [0.0, 1.0, 2.0, 3.0, 4.0], [3.0] * 5, [1.0] * 5);
g(lambda x, a, b: x.clamp(a, b), [0.0, 1.0, 2.0], [1.0] * 3, [1.0] * 3);
g(lambda x, a: x.clamp(min=a), [0.0, 1.0, 2.0, nan], [1.0] * 4);
g(lambda x, a: x.clamp(max=a), [0.0, 1.0, 2.0, nan], [1.0] * 4);
g(lambda x, a: m.clamp_min(x, a), [0.0, 1.0, 2.0, nan], [1.0] * 4);
g(lambda x, a: m.clamp_max(x, a), [0.0, 1.0, 2.0, nan], [1.0] * 4);
g(lambda x: m.clamp_min(x, 1.0), [0.0, 1.0, 2.0, nan]);
g(lambda x: m.clamp_max(x, 1.0), [0.0, 1.0, 2.0, nan]); m.fmax(t, z); m.fmax(t, 1.0); m.fmax(b, b);
m.fmax(c, c); m.fmin(bf, h); g(m.fmax, [1.0, 2.0, nan, 1.0, nan], [1.0, 1.0, 1.0, nan, nan]);
g(m.fmin, [1.0, 2.0, nan, 1.0, nan], [1.0, 1.0, 1.0, nan, nan]);
g(m.fmin, [1.0, 2.0, 3.0], [1.0, 3.0, 1.0]);
g(lambda x: m.fmax(x, T([1.0], dtype=m.float64)), [nan]); m.nan_to_num(T([nan, inf, -inf, 1.0]));
m.nan_to_num(T([nan, inf, -inf, 1.0]), 1.0, 2.0, -3.0); m.nan_to_num(i);
m.nan_to_num(T([nan, inf, -inf]), posinf=2.0); m.nan_to_num(T([nan, inf, -inf], dtype=m.float16));
m.nan_to_num(b); m.nan_to_num(T([nan, inf, -inf], dtype=m.bfloat16));
m.nan_to_num(T([complex(nan, inf)])); t.clone().nan_to_num_();
g(lambda x: m.nan_to_num(x), [nan, inf, -inf, 1.0]);
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


@pytest.mark.parametrize("call, name", [
    (lambda x, y: x.clamp(0, 1), "ClampBackward1"),
    (lambda x, y: x.clamp(y, y), "ClampBackward0"),
    (lambda x, y: x.clamp_min(0), "ClampMinBackward0"),
    (lambda x, y: x.clamp_min(y), "ClampMinBackward1"),
    (lambda x, y: x.clamp_max(0), "ClampMaxBackward0"),
    (lambda x, y: x.clamp_max(y), "ClampMaxBackward1"),
    (lambda x, y: x.nan_to_num(), "NanToNumBackward0"),
])  # fmt: skip
def test_node_names(call, name):
    x = ag.ones(2, requires_grad=True)
    assert call(x, ag.zeros(2)).grad_fn.name() == name


def test_clamp_in_place_takes_part_in_the_graph():
    x = ag.tensor([-1.0, 0.5, 2.0], requires_grad=True)
    y = x * 1
    assert y.clamp_(0, 1) is y
    (y * 3).sum().backward()
    assert x.grad.tolist() == [0.0, 3.0, 0.0]
