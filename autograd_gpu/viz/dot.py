"""The DOT text of a picture, and the object that `make_dot` returns."""

from pathlib import Path
from typing import Any

from .picture import FILL, Box, Picture

__all__ = ["Dot", "dot_text"]

_STYLES = {"solid": "", "dotted": " [style=dotted]", "plain": " [dir=none]"}


class Dot:
    """A picture of a graph. Looked at in a notebook it shows itself.

    `source` is its DOT text; `svg()` draws it without any program, by igraph's layout; `save`
    writes one of these; `render` asks Graphviz's program for any format that it knows.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.source = dot_text(picture)

    def svg(self) -> str:
        """The picture as an SVG. ImportError where `igraph` is absent: the extra `viz` has it."""
        from .svg import draw

        return draw(self.picture)

    def save(self, path: str | Path) -> str:
        """Write the SVG where `path` ends with `.svg`, else the DOT text. Returns the path."""
        path = Path(path)
        text = self.svg() if path.suffix.lower() == ".svg" else self.source
        path.write_text(text, encoding="utf-8")
        return str(path)

    def render(self, path: str | Path, format: str | None = None) -> str:
        """Write the picture in `format` ("png", "pdf", "svg", ...) by Graphviz's program `dot`;
        without that program an SVG is drawn as `svg` does.

        Args:
            path: the file; ".<format>" is added where it does not end so.
            format: where it is None, the end of `path` says it, else it is "svg".

        Returns:
            The path of what was written.

        Raises:
            ImportError: the package `graphviz` is absent (for an SVG: `igraph`).
            RuntimeError: the program `dot` is absent, and the format is not SVG.
            ValueError: Graphviz does not know the format.
        """
        path = Path(path)
        wanted = (format or path.suffix[1:] or "svg").lower()
        if path.suffix.lower() != "." + wanted:
            path = path.with_name(f"{path.name}.{wanted}")
        path.write_bytes(self._drawn(wanted))
        return str(path)

    def _drawn(self, wanted: str) -> bytes:
        try:
            import graphviz

            return graphviz.Source(self.source).pipe(format=wanted)
        except ImportError:
            if wanted != "svg":
                raise ImportError(
                    f"render(): format '{wanted}' needs the package graphviz (and Graphviz's "
                    "program dot): pip install 'autograd_gpu[viz]'. SVG does not need them"
                ) from None
        except graphviz.ExecutableNotFound as error:
            if wanted != "svg":
                raise RuntimeError(
                    f"render(): format '{wanted}' needs Graphviz's program dot, which is not "
                    "installed (https://graphviz.org/download); SVG does not need it"
                ) from error
        return self.svg().encode()

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        except ImportError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        boxes, arrows = len(self.picture.boxes), len(self.picture.arrows)
        return f"<Dot of {boxes} boxes and {arrows} arrows>"


def dot_text(picture: Picture) -> str:
    """The picture in Graphviz's language: boxes b0, b1, ... and the arrows between them."""
    lines = [
        "digraph {",
        "\tgraph [ranksep=0.3 nodesep=0.2]",
        "\tnode [shape=box style=filled fontname=Courier fontsize=10 height=0.2 margin=0.1]",
        "\tedge [arrowsize=0.6]",
    ]
    for i, box in enumerate(picture.boxes):
        style = ' style="filled,dashed"' if box.freed else ""
        lines.append(f'\tb{i} [label="{label(box)}" fillcolor="{FILL[box.kind]}"{style}]')
    lines += [f"\tb{a.tail} -> b{a.head}{_STYLES[a.style]}" for a in picture.arrows]
    return "\n".join([*lines, "}", ""])


def label(box: Box) -> str:
    r"""The text of a box: `\n` ends a centred line, `\l` one that starts at the left."""
    text = r"\n".join(map(escape, box.lines))
    return text + (r"\n" + "".join(escape(row) + r"\l" for row in box.rows) if box.rows else "")


def escape(text: str) -> str:
    """What a quoted text of DOT shows as this; Graphviz also reads `&lt;` and the like."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("&", "&amp;")
