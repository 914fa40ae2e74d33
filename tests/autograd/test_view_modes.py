"""Replay of views by their own names, and version counters that are put back."""

import threading

import autograd_gpu as ag

from .agree import agree, fails, leaf
from .stories import story


@agree
def test_replay_names_the_operations(t):
    x = leaf(t, [[1.0, 2.0], [3.0, 4.0]])
    found = []
    for on in (True, False):
        with t.autograd._force_original_view_tracking(on):
            found.append(t.autograd.is_view_replay_enabled())
            b = x * 1
            views = [b.t(), b.t()[0], b.unsqueeze(0)[0, 0], b.view(4)[1:], b.diagonal()]
            b.mul_(2)
            found += [story(v) for v in views]
            views[1].mul_(3)
            found += [story(v) for v in (*views, b)]
            sum(v.sum() for v in views).backward()
    return found, x.grad, t.autograd.is_view_replay_enabled()


@agree
def test_replay_as_function_and_decorator(t):
    replay, on = t.autograd._force_original_view_tracking, t.autograd.is_view_replay_enabled
    found = []
    replay(True)
    found.append(on())
    replay(False)
    found.append(on())
    decorated = replay(True)(lambda: on())
    return [*found, decorated(), on()]


def test_replay_is_of_one_thread():
    seen = []
    with ag.autograd.set_view_replay_enabled(True):
        thread = threading.Thread(target=lambda: seen.append(ag.autograd.is_view_replay_enabled()))
        thread.start()
        thread.join()
        assert ag.autograd.is_view_replay_enabled()
    assert seen == [False]


@agree
def test_versions_are_put_back(t):
    x, w = leaf(t, [1.0, 2.0]), t.ones(2, dtype=t.float64)
    w.add_(1)
    y = (x * w).sum()
    preserved = t.autograd._unsafe_preserve_version_counter
    with preserved(w):
        w.zero_()
        w.fill_(2)
    found = [w._version]
    y.backward()
    y = (x * w).sum()
    with preserved((w, x)):
        w.add_(1)
    w.sub_(1)
    found += [w._version, fails(RuntimeError, "is at version 2; expected version 1", y.backward)]
    return found, x.grad, fails(AssertionError, "Expected tensors to be a tuple", preserved, [w])


def test_writes_before_those_that_do_not_count_still_do():
    x, w = leaf(ag, [1.0]), ag.ones(1, dtype=ag.float64)
    w.add_(1)
    y = x * w
    w.add_(1)
    z = x * w
    with ag.autograd._unsafe_preserve_version_counter(w):
        w.mul_(3)
    z.backward()
    fails(RuntimeError, "is at version 2; expected version 1", y.backward)


@agree
def test_expected_versions_after_many_writes(t):
    x, w, other = leaf(t, [1.0]), t.ones(1, dtype=t.float64), t.ones(1)
    for _ in range(7):
        w.add_(1)
    y = x * w
    for _ in range(100):
        w.add_(1)
        other.add_(1)
    z = x * w
    for _ in range(1000):
        w.add_(1)
    words = "is at version 1107; expected version "
    return fails(RuntimeError, words + "7 instead", y.backward), fails(RuntimeError, words + "107", z.backward)


@agree
def test_expected_versions_after_many_recorded_writes(t):
    x = leaf(t, [1.0])
    y = x * 2
    y.add_(1)
    z = y * y
    for _ in range(200):
        y.add_(x)
    return fails(RuntimeError, "is at version 201; expected version 1 instead", z.backward)


def test_what_was_forgotten_is_said_to_be():
    x = leaf(ag, [1.0])
    y = x * 2
    y.add_(1)
    z = y * y
    for _ in range(400):
        y.add_(x)
    fails(RuntimeError, "is at version 401; expected version 145 or less instead", z.backward)
