"""The SVG of a picture."""

import unicodedata
from html import escape

from .layout import HGAP, Layout, arrange
from .picture import FILL, Box, Picture

__all__ = ["box_size", "draw"]

FONT, CELL, LINE = 11, 7.0, 14
PAD, MARGIN = 6.0, 10.0
TIP, FLATTEST = 5.0, 0.3
_DASHES = {"solid": "", "dotted": ' stroke-dasharray="2 3"', "plain": ""}


def draw(picture: Picture) -> str:
    """Boxes with text and curved arrows, on white, in coordinates of CSS pixels."""
    sizes = [box_size(box) for box in picture.boxes]
    layout = arrange(picture, sizes)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        "<title>graph of recorded operations</title>",
        f'<defs><marker id="tip" viewBox="0 0 6 6" refX="0.5" refY="3" markerWidth="{TIP:g}" '
        f'markerHeight="{TIP:g}" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0L6 3L0 6z" fill="#444"/></marker></defs>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<g transform="translate({MARGIN:g} {MARGIN:g})" font-family="monospace" '
        f'font-size="{FONT}">',
        *arrows(picture, layout, sizes),
        *boxes(picture, layout, sizes),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def box_size(box: Box) -> tuple[float, float]:
    """Width and height, by the number of cells of its longest line."""
    lines = box.lines + box.rows
    rule = LINE / 2 if box.rows else 0
    return max(map(cells, lines)) * CELL + 2 * PAD, len(lines) * LINE + PAD + rule


def cells(text: str) -> int:
    """Columns that a text takes in a fixed pitch: letters of East Asia take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def boxes(picture: Picture, layout: Layout, sizes: list[tuple[float, float]]) -> list[str]:
    """Each box: a group of a rectangle and its lines of text."""
    out = []
    for i, (box, (w, h)) in enumerate(zip(picture.boxes, sizes, strict=True)):
        x, y = layout.x[i] - w / 2, layout.y[i] - h / 2
        dashes = ' stroke-dasharray="4 3"' if box.freed else ""
        out.append(
            f'<g class="{box.kind}" id="b{i}"><rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
            f'height="{h:.1f}" rx="3" fill="{FILL[box.kind]}" stroke="#444"{dashes}/>'
        )
        base = y + PAD / 2 + FONT
        for line in box.lines:
            out.append(text(layout.x[i], base, line, "middle"))
            base += LINE
        if box.rows:
            rule = base - FONT + LINE / 4
            out.append(f'<path d="M{x:.1f} {rule:.1f}H{x + w:.1f}" stroke="#888"/>')
        for row in box.rows:
            out.append(text(x + PAD, base + LINE / 2, row, "start"))
            base += LINE
        out.append("</g>")
    return out


def text(x: float, y: float, line: str, anchor: str) -> str:
    """One line of text; its spaces are kept."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" xml:space="preserve">'
        f"{escape(line)}</text>"
    )


def arrows(picture: Picture, layout: Layout, sizes: list[tuple[float, float]]) -> list[str]:
    """Each arrow: from the lower edge of a box through the rows between to the upper edge of the
    other.
    """
    out = []
    starts, ends = ports(picture, layout, sizes)
    for k, arrow in enumerate(picture.arrows):
        tip = 0.0 if arrow.style == "plain" else TIP
        tail, head = layout.bands[layout.rows[arrow.tail]], layout.bands[layout.rows[arrow.head]]
        first = layout.y[arrow.tail] + sizes[arrow.tail][1] / 2
        last = layout.y[arrow.head] - sizes[arrow.head][1] / 2 - tip
        stops = [(starts[k], first, tail[1])]
        stops += [(x, *layout.bands[row]) for x, row in layout.bends[k]]
        stops.append((ends[k], head[0] - tip, last))
        marker = "" if arrow.style == "plain" else ' marker-end="url(#tip)"'
        out.append(
            f'<path class="{arrow.style}" d="{curve(stops)}" fill="none" stroke="#444"'
            f"{_DASHES[arrow.style]}{marker}/>"
        )
    return out


def curve(stops: list[tuple[float, float, float]]) -> str:
    """A path through rows, each (x, where it begins, where it ends): straight within a row, so that
    it meets no box there, and bent between two rows.

    Its slope in a row is about that from the row before to the row after, but so small that it
    keeps to its gap between boxes.
    """
    slopes = [0.0] * len(stops)
    for i, (before, after) in enumerate(zip(stops, stops[2:], strict=False), 1):
        slope = (after[0] - before[0]) / (after[1] - before[2])
        most = min(FLATTEST, 2 * (HGAP - 2) / max(stops[i][2] - stops[i][1], 1.0))
        slopes[i] = min(max(slope, -most), most)
    path = f"M{stops[0][0]:.1f} {stops[0][1]:.1f}"
    from_x = from_y = 0.0
    for i, ((x, top, bottom), slope) in enumerate(zip(stops, slopes, strict=True)):
        lean = slope * (bottom - top) / 2
        if i:
            half = (top - from_y) / 2
            a, b = from_x + slopes[i - 1] * half, x - lean - slope * half
            path += (
                f"C{a:.1f} {from_y + half:.1f} {b:.1f} {top - half:.1f} {x - lean:.1f} {top:.1f}"
            )
        if bottom - top > 0.1:  # a last step of no length would have no direction for the head
            path += f"L{x + lean:.1f} {bottom:.1f}"
        from_x, from_y = x + lean, bottom
    return path


def ports(
    picture: Picture, layout: Layout, sizes: list[tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """Where arrows leave and reach their boxes: side by side, in the order of where they go."""
    leaving: dict[int, list[tuple[float, int]]] = {}
    reaching: dict[int, list[tuple[float, int]]] = {}
    for k, arrow in enumerate(picture.arrows):
        bends = layout.bends[k]
        to = bends[0][0] if bends else layout.x[arrow.head]
        come = bends[-1][0] if bends else layout.x[arrow.tail]
        leaving.setdefault(arrow.tail, []).append((to, k))
        reaching.setdefault(arrow.head, []).append((come, k))
    sides = []
    for groups in (leaving, reaching):
        at = [0.0] * len(picture.arrows)
        for i, group in groups.items():
            step = min(12.0, 0.8 * sizes[i][0] / len(group))
            for n, (_, k) in enumerate(sorted(group)):
                at[k] = layout.x[i] + (n - (len(group) - 1) / 2) * step
        sides.append(at)
    return sides[0], sides[1]
