"""Writes the code of the usual in-place call, as generate.py does for ops: float arrays of
NumPy, written by nothing, a number or a Tensor of the same form.

All else goes the way of inplace.py, which also says in ordinary code what is done here.
"""

from typing import Any

from .generate import compile_source, indent, passed_on, saved_source

__all__ = ["graft", "inplace_source", "is_plain"]


def graft(op: Any) -> Any:
    """Write and compile the source of an op's `f_`, and give it to the method."""
    from . import inplace

    space, method = op.namespace, op.write_method
    op.node_classes()
    space.update(inplace.NAMES, writer=op.writer, slow=inplace.write_inplace)
    name = method.__name__
    op.source += compile_source(inplace_source(op, name), name, space)
    made = space.pop(name)
    method.__defaults__, method.__kwdefaults__ = made.__defaults__, made.__kwdefaults__
    method.__code__ = made.__code__
    return method


def is_plain(op: Any) -> bool:
    """Is a call of this op in place ever of the usual kind?"""
    count = len(op.arrays)
    if op.extras or op.outputs or op.lists or op.view or op.promote not in ("same", "float", None):
        return False
    if count > 2 or count == 2 and (op.writer is None or op.arrays[1][0] != 1):
        return False
    return not any(kind.startswith("index") for _, _, kind in op.arrays)


def inplace_source(op: Any, name: str) -> list[str]:
    """def add_(input, other, *, alpha=1): ..."""
    first, rest = op.params[0], [p for p in op.params[1:] if p not in op.keywords]
    args = "".join(p + ", " for p in rest)
    kwargs = ", ".join(f"'{p}': {p}" for p in op.params if p in op.keywords)
    slow = f"return slow(OP, {first}, ({args}), {{{kwargs}}})"
    if not is_plain(op):
        return [f"def {name}({op.operator_signature}):", f"    {slow}"]
    edges = [f"e{k}" for k in op.differentiable]
    return [
        f"def {name}({op.operator_signature}):",
        f"    array = {first}._array",
        "    type0 = array.dtype",
        "    try:",
        f"        e0 = {first}._edge",
        *indent(_other(op, slow), 8),
        "    except AttributeError:  # a stale view, or no Tensor",
        f"        {slow}",
        "    if type0 is not float32 and type0 is not float64:",
        f"        {slow}",
        "    if not array.flags.c_contiguous and overlaps(array):",
        f"        {slow}",
        *indent(_refusals(op, slow, first, edges), 4),
        "    token = hush(quiet)",
        "    try:",
        *indent(_write(op, slow), 8),
        "    finally:",
        "        unhush(token)",
        *indent(_history(op, edges), 4),
        f"    mark_written({first})",
        f"    return {first}",
    ]


def _other(op: Any, slow: str) -> list[str]:
    """The second array, where there is one: a number, or of the same form in other memory."""
    if len(op.arrays) == 1:
        return ["if array.__class__ is not ndarray:", f"    {slow}"]
    other = op.arrays[1][1]
    return [
        f"kind1 = {other}.__class__",
        "if kind1 is float or kind1 is int:",
        f"    a1 = {other}",
        "    e1 = None",
        "    if array.__class__ is not ndarray:",
        f"        {slow}",
        "else:",
        f"    a1 = {other}._array",
        f"    e1 = {other}._edge",
        "    if not a1.__class__ is array.__class__ is ndarray:",
        f"        {slow}",
        "    if a1.dtype is not type0 or a1.shape != array.shape:",
        f"        {slow}",
        "    if array.base is not None or a1.base is not None or a1 is array:",
        "        if meet(array, a1):",
        f"            {slow}",
    ]


def _refusals(op: Any, slow: str, first: str, edges: list[str]) -> list[str]:
    """What may not be written, or reaches the history of more than this tensor; and a copy of what
    stands there now, where a formula names it."""
    args = "".join(p + ", " for p in op.params[1:])
    rare = [f"if modes and not writes_as_usual({first}, ({args})):", f"    {slow}"]
    if 0 not in op.differentiable:
        return ["if e0 is not None:", f"    {slow}", *rare]
    lines = [
        f"recorded = {' or '.join(f'{e} is not None' for e in edges)}",
        "if off:",
        *indent(rare, 4),
        "    recorded = recorded and recording()",
        "if recorded:",
        "    if e0 is not None and not e0.seq:",
        f"        {slow}",
        f"    origin = origin_of({first}) if hasattr({first}, '_view') else None",
        "    if origin is False:",
        f"        {slow}",
    ]
    if first in op.users:
        wanted = " or ".join(f"e{op.differentiable[i]} is not None" for i in set(op.users[first]))
        lines.append(f"    before = array.copy() if {wanted} else None")
    return lines


def _write(op: Any, slow: str) -> list[str]:
    names = dict(zip([p for _, p, _ in op.arrays], ["array", "a1"], strict=False))
    passed = passed_on(op, {p: p for p in op.params} | names)
    if op.writer is not None:
        return [f"writer(numpy, {passed})"]
    return [
        f"result = forward(numpy, {passed})",
        "if result.dtype is not type0 or result.shape != array.shape:",
        f"    {slow}",
        "array[...] = result",
    ]


def _history(op: Any, edges: list[str]) -> list[str]:
    """The write becomes the target's history."""
    if 0 not in op.differentiable:
        return []
    first = op.params[0]
    values = {p: p for p in op.params} | {first: "array"}
    if len(op.arrays) == 2:
        values[op.arrays[1][1]] = "a1"
    saved = {n: "before" if n == first else saved_source(op, n, values, edges) for n in op.users}
    return [
        "if recorded:",
        "    record_write(array)",
        "    node = new(Node)",
        *[f"    node.{e} = {e}" for e in edges],
        *[f"    node.{name} = {value}" for name, value in saved.items()],
        "    node.g = None",
        "    node.seq = tick()",
        "    if origin is None:",
        f"        succeed({first}, e0, node)",
        "    else:",
        f"        rebase(*origin, node, [{', '.join(edges)}])",
        f"    return {first}",
    ]
