"""Pictures of recorded graphs: `make_dot`, with torchviz's interface."""

from collections.abc import Iterable, Mapping
from typing import Any

from .._core.tensor import Tensor
from .dot import Dot
from .walk import Walk

__all__ = ["Dot", "make_dot"]


def make_dot(
    var: Tensor | tuple[Tensor, ...] | list[Tensor],
    params: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
) -> Dot:
    """A picture of the graph that led to `var`: data flow from the leaves at the top to `var`.

        make_dot(loss, params=model.named_parameters()).save("loss.svg")

    Grey boxes are the nodes (`grad_fn` and what its `next_functions` reach), light blue ones the
    leaves that get gradients, green ones `var`, dark green ones the bases of views, with a dotted
    arrow to the view, and orange ones saved tensors. Only texts are kept, not the graph itself.

    Args:
        var: a tensor of any shape and dtype, or several.
        params: names of tensors, such as `model.named_parameters()`, written into their boxes.
        show_attrs: write into each node what it saved that is no tensor: options, shapes.
        show_saved: draw what nodes saved for backward, by the names of their formulas, with
            shapes. What a `Function` saved is always drawn.
        max_attr_chars: longer attributes are cut to this length (at least 3).

    Raises:
        TypeError: `var` is no tensor, or `params` has a value that is none.
    """
    outputs = tuple(var) if isinstance(var, (tuple, list)) else (var,)
    for t in outputs:
        if not isinstance(t, Tensor):
            raise TypeError(
                "make_dot(): argument 'var' must be a Tensor or a tuple of Tensors, not "
                f"{type(t).__name__}"
            )
    named = dict(params) if params is not None else {}
    for name, value in named.items():
        if not isinstance(value, Tensor):
            raise TypeError(
                f"make_dot(): argument 'params' must hold Tensors, but {name!r} is "
                f"{type(value).__name__}"
            )
    walk: Any = Walk(named, show_attrs, show_saved, max(max_attr_chars, 3))
    return Dot(walk.draw(outputs))
