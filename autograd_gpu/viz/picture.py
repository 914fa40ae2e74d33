"""What a picture consists of, whoever draws it: boxes with lines of text, and arrows."""

from dataclasses import dataclass, field

__all__ = ["FILL", "Arrow", "Box", "Picture", "printable"]

FILL = {
    "node": "#e4e4e4",
    "leaf": "#add8e6",
    "saved": "#ffb347",
    "output": "#caff70",
    "base": "#a2cd5a",
}
"""The colour of each kind of box."""


@dataclass
class Box:
    """A kind (of FILL), centred lines of text, and below them lines that start at the left."""

    kind: str
    lines: list[str]
    rows: list[str] = field(default_factory=list)
    freed: bool = False


@dataclass(frozen=True)
class Arrow:
    """From one box to another, by number. `style`: "solid", "dotted" (base to view), or "plain",
    a line without a head (to what is saved).
    """

    tail: int
    head: int
    style: str = "solid"


@dataclass
class Picture:
    """Boxes, numbered in the order in which they were found, and arrows."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


def printable(text: str) -> str:
    """One line that any format can hold: what cannot be printed is spelled as Python would."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in text
    )
