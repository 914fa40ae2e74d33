"""Logic and bits, with their operators."""

import pytest

import autograd_gpu as ag

from .expressions import cases, check

EXPRESSIONS = """
m.logical_and(t, i); m.logical_and(t, 1); m.logical_not(t); m.logical_not(c); m.logical_xor(c, c);
m.logical_or(b, T([nan])); t.clone().logical_and_(t); m.logical_and(t, i, out=m.empty(2));
m.logical_not(T([0.0, nan])); m.logical_or(t, m.ones(3)); m.bitwise_and(t, t); m.bitwise_and(i, b);
m.bitwise_and(i, 1); m.bitwise_and(1, i); m.bitwise_and(1, 2); m.bitwise_and(b, 1);
m.bitwise_and(i, 1.0); m.bitwise_not(t); m.bitwise_not(b); ~i; ~b; ~t; ~u; b & b; b & True;
True & b; b | i; b ^ True; 1 ^ i; 1 | i; t & t; t & 1; b & 1.0; b & "a"; s | u; u & 300;
i.clone().bitwise_xor_(1); i << 2; 2 << i; i >> 1; 8 >> i; t << 2; 2.0 << i; i << i; i << 100;
i << -1; i >> 100; i >> -1; s >> 100; s >> 9; s << 9; u << 9; b << 1; b << b; i << 1.5;
m.bitwise_left_shift(i, 1); m.bitwise_left_shift(t, 1); "a" << i; m.bitwise_right_shift(i, i);
m.bitwise_left_shift(1, i); i.clone().__iand__(1); i.clone().__ilshift__(1);
i.clone().__irshift__(1); b.clone().bitwise_and_(1); b.clone().__ior__(b); i & c;
"""


@pytest.mark.parametrize("expression", cases(EXPRESSIONS))
def test_as_pytorch(expression, torch):
    check(torch, expression)


def test_augmented_operators_write_in_place():
    x = ag.tensor([1, 2, 3])
    y, before = x, x._version
    y |= 4
    y &= 6
    y ^= 1
    y <<= 1
    y >>= 1
    assert y is x and x.tolist() == [5, 7, 7] and x._version == before + 5
