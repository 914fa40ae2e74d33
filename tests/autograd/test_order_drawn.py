"""The order of what a pass does, in graphs drawn at random: nodes, hooks, leaves, as in PyTorch."""

from hypothesis import HealthCheck, given, settings

import autograd_gpu as ag

from .apart import slots_taken
from .drawn import instructions, log_of, passes

RELAXED = settings(
    max_examples=120, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@RELAXED
@given(lines=instructions, passes=passes)
def test_what_happens_happens_in_order(torch, lines, passes):
    expected = log_of(torch, lines, passes)
    assert log_of(ag, lines, passes) == expected
    with slots_taken():
        assert log_of(ag, lines, passes) == expected
