"""A line search for the strong Wolfe conditions, by bracketing and cubic interpolation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Point", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9  # c1 and c2 of the conditions
SMALLEST, TRIES = 1e-9, 25


@dataclass
class Point:
    """What is known at length `t` along the direction; `slope`: the derivative there."""

    t: float
    loss: float
    gradient: Any
    slope: float


def strong_wolfe(at: Callable[[float], Point], here: Point, t: float, size: float) -> Point:
    """A point that lies low enough and flat enough, or the best one that was found.

    `size`: the largest component of the direction; shorter steps than 1e-9 are not tried.
    """
    low, high, tries = _bracket(at, here, t)
    if high is None:
        return low
    hesitated = False
    ends = [low, high]
    while tries < TRIES and abs(high.t - low.t) * size >= SMALLEST:
        t, hesitated = _inside(ends, hesitated)
        new = at(t)
        tries += 1
        which = 0 if ends[0] is low else 1
        if _too_high(new, here) or new.loss >= low.loss:
            ends[1 - which] = new
            low, high = sorted(ends, key=lambda point: point.loss)
        else:
            if abs(new.slope) <= -CURVATURE * here.slope:
                return new
            if new.slope * (high.t - low.t) >= 0:
                ends[1 - which] = high = low
            ends[which] = low = new
    return low


def _too_high(point: Point, here: Point) -> bool:
    return point.loss > here.loss + DECREASE * point.t * here.slope


def _bracket(at: Callable[[float], Point], here: Point, t: float) -> tuple[Point, Any, int]:
    """Two points around a good one, the lower first, and how many were tried; or the good one."""
    before, point, tries = here, at(t), 0
    while tries < TRIES:
        if _too_high(point, here) or (tries > 1 and point.loss >= before.loss):
            break
        if abs(point.slope) <= -CURVATURE * here.slope:
            return point, None, tries
        if point.slope >= 0:
            break
        bounds = point.t + 0.01 * (point.t - before.t), point.t * 10
        before, point = point, at(_cubic(before, point, bounds))
        tries += 1
    else:
        before = here
    low, high = sorted((before, point), key=lambda p: p.loss)
    return low, high, tries


def _inside(ends: list[Point], hesitated: bool) -> tuple[float, bool]:
    """The next length to try: not twice in a row close to an end of the bracket."""
    a, b = sorted(point.t for point in ends)
    t, margin = _cubic(ends[0], ends[1], (a, b)), 0.1 * (b - a)
    if min(b - t, t - a) >= margin:
        return t, False
    if not hesitated and a < t < b:
        return t, True
    return (b - margin if abs(t - b) < abs(t - a) else a + margin), False


def _cubic(p: Point, q: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through both points and slopes is least, within the bounds."""
    if p.t > q.t:
        p, q = q, p
    low, high = bounds
    first = p.slope + q.slope - 3 * (p.loss - q.loss) / (p.t - q.t) if p.t != q.t else 0.0
    square = first**2 - p.slope * q.slope
    if not square >= 0:
        return (low + high) / 2
    root = square**0.5
    below = q.slope - p.slope + 2 * root
    if below == 0:
        return (low + high) / 2
    best = q.t - (q.t - p.t) * ((q.slope + root - first) / below)
    return min(max(best, low), high)
