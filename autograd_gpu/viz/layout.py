"""Where boxes and arrows go: rows by the longest path, their order by igraph's Sugiyama layout."""

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

from .picture import Picture

__all__ = ["HGAP", "Layout", "arrange", "push_apart", "rows_of"]

HGAP, VGAP, LANE = 16.0, 30.0, 6.0
SWEEPS = 8


@dataclass
class Layout:
    """Middles of the boxes and their rows, each row's top and bottom; for each arrow where it
    passes the rows between its ends, as (x, row); and the size of the whole.
    """

    x: list[float]
    y: list[float]
    rows: list[int]
    bands: list[tuple[float, float]]
    bends: list[list[tuple[float, int]]]
    width: float
    height: float


def arrange(picture: Picture, sizes: list[tuple[float, float]]) -> Layout:
    """Place boxes of these (width, height), so that none meets another."""
    rows = rows_of(picture)
    tracks = tracks_of(picture, rows)
    # a long arrow passes each row between its ends as a narrow box of its own
    widths = [w for w, _ in sizes] + [LANE] * sum(map(len, tracks))
    links, all_rows, bends = [], list(rows), []
    for arrow, track in zip(picture.arrows, tracks, strict=True):
        first = len(all_rows)
        all_rows += track
        bends.append(list(range(first, len(all_rows))))
        stops = [arrow.tail, *bends[-1], arrow.head]
        if track or rows[arrow.head] - rows[arrow.tail] == 1:
            links += list(zip(stops, stops[1:], strict=False))
    x = straighten(sugiyama(all_rows, links, widths), all_rows, links, widths)
    left = min((a - w / 2 for a, w in zip(x, widths, strict=True)), default=0.0)
    x = [a - left for a in x]
    width = max((a + w / 2 for a, w in zip(x, widths, strict=True)), default=0.0)
    bands = bands_of(rows, sizes)
    y = [sum(bands[row]) / 2 for row in rows]
    points = [[(x[k], all_rows[k]) for k in bend] for bend in bends]
    return Layout(x[: len(sizes)], y, rows, bands, points, width, bands[-1][1] if bands else 0.0)


def rows_of(picture: Picture) -> list[int]:
    """The row of each box, 0 at the top: as low as what it leads to allows; what leads nowhere is
    just below what leads to it.
    """
    count = len(picture.boxes)
    heads: list[list[int]] = [[] for _ in range(count)]
    tails: list[list[int]] = [[] for _ in range(count)]
    for a in picture.arrows:
        heads[a.tail].append(a.head)
        tails[a.head].append(a.tail)
    left = [len(h) for h in heads]
    depth, done = [0] * count, [False] * count
    ready = deque(i for i in range(count) if not left[i])
    cursor = 0
    for _ in range(count):
        if not ready:  # a cycle, of a base written by its own view: begin anywhere
            while done[cursor]:
                cursor += 1
            ready.append(cursor)
        i = ready.popleft()
        done[i] = True
        for tail in tails[i]:
            left[tail] -= 1
            if not done[tail]:
                depth[tail] = max(depth[tail], depth[i] + 1)
                if left[tail] == 0:
                    ready.append(tail)
    for i in range(count):
        if not heads[i] and tails[i]:
            depth[i] = min(depth[t] for t in tails[i]) - 1
    top = max(depth, default=0)
    return [top - d for d in depth]


def tracks_of(picture: Picture, rows: list[int]) -> list[list[int]]:
    """The rows between the ends of each arrow. Of very many long arrows (a weight used 10,000
    times) the longest are drawn straight, as otherwise they would be tens of
    millions of places.
    """
    spans = [(rows[a.head] - rows[a.tail] - 1, i) for i, a in enumerate(picture.arrows)]
    budget = 4 * len(rows) + 1000
    tracks: list[list[int]] = [[] for _ in spans]
    for span, i in sorted(spans):
        budget -= max(span, 0)
        if span > 0 and budget >= 0:
            first = rows[picture.arrows[i].tail] + 1
            tracks[i] = list(range(first, first + span))
    return tracks


def sugiyama(rows: list[int], links: list[tuple[int, int]], widths: list[float]) -> list[float]:
    """Across: igraph orders each row so that few arrows cross."""
    try:
        import igraph
    except ImportError:
        raise ImportError(
            "drawing an SVG needs the package igraph: pip install 'autograd_gpu[viz]' (the DOT "
            "text does not: `.source`, or `.save` to a file .gv)"
        ) from None
    if not rows:
        return []
    boxes = sorted(w for w in widths if w > LANE)
    graph = igraph.Graph(len(rows), links, directed=True)
    gap = boxes[len(boxes) // 2] + HGAP
    placed: Any = graph.layout_sugiyama(layers=rows, hgap=gap, vgap=1)
    return [point[0] for point in placed.coords[: len(rows)]]


def straighten(
    x: list[float], rows: list[int], links: list[tuple[int, int]], widths: list[float]
) -> list[float]:
    """igraph's order, with room for each box's own width, and each box near those it is linked to.

    Rows are gone through down and up in turn; a box wants to be at the mean of its links in the
    row before, or, at the last, of all its links.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for k in sorted(range(len(rows)), key=lambda k: (x[k], k)):
        members[rows[k]].append(k)
    above: list[list[int]] = [[] for _ in rows]
    below: list[list[int]] = [[] for _ in rows]
    for tail, head in links:
        above[head].append(tail)
        below[tail].append(head)
    x = list(x)
    for turn in range(SWEEPS + 1):
        down = turn % 2 == 0
        for row in sorted(members, reverse=not down):
            ordered, wish = members[row], []
            for k in ordered:
                near = above[k] + below[k] if turn == SWEEPS else above[k] if down else below[k]
                wish.append(sum(x[j] for j in near) / len(near) if near and turn else x[k])
            gaps = [
                (widths[i] + widths[j]) / 2 + HGAP
                for i, j in zip(ordered, ordered[1:], strict=False)
            ]
            for k, at in zip(ordered, push_apart(wish, gaps), strict=True):
                x[k] = at
    return x


def push_apart(wish: list[float], gaps: list[float]) -> list[float]:
    """The places in this order, at least `gaps` apart, whose squared distance from the wishes is
    the least: minus the summed gaps it is a regression to a rising sequence (pool adjacent
    violators; Ayer and others, 1955).
    """
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, int]] = []  # mean, count
    for value, offset in zip(wish, offsets, strict=False):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, n = blocks.pop()
            mean, count = (mean * count + other * n) / (count + n), count + n
        blocks.append((mean, count))
    flat = [mean for mean, count in blocks for _ in range(count)]
    return [a + b for a, b in zip(flat, offsets, strict=False)]


def bands_of(rows: list[int], sizes: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Top and bottom of each row, as tall as its tallest box."""
    tall = [0.0] * (max(rows, default=-1) + 1)
    for row, (_, h) in zip(rows, sizes, strict=True):
        tall[row] = max(tall[row], h)
    bands, y = [], 0.0
    for h in tall:
        bands.append((y, y + h))
        y += h + VGAP
    return bands
