"""The source of a node's `run`: read what was saved, call the formulas, deliver the gradients."""

from typing import Any

__all__ = ["indent", "partial_source", "run_source"]


def indent(lines: list[str], by: int) -> list[str]:
    """Lines moved right."""
    return [" " * by + line for line in lines]


def run_source(op: Any, repaired: bool, test: str = "is not None") -> list[str]:
    """def run(self, grad, heap, leaves, keep), for the edges that pass a test."""
    single = len(op.differentiable) == 1
    lines = ["", "    def run(self, grad, heap, leaves, keep):"]
    if op.relays:
        lines.append(f"        {', '.join(op.grad_names)}, = fill(grad, self.shapes_out)")
    if op.many:
        lines.append("        grads = fill(grad, self.shapes_out)")
    lines += [] if single else ["        following = None"]
    if op.joint is not None:
        wanted = "".join(f"self.e{k} {test}, " for k in op.differentiable)
        names = op.joint[1]
        op.namespace["formula"] = op.joint[0]
        lines += indent(_reads(op, names), 8)
        lines.append(f"        results = formula({', '.join([*names, f'({wanted})'])})")
    for i, k in enumerate(op.differentiable):
        body = [f"g = results[{i}]"] if op.joint is not None else _formula(op, k)
        if repaired:
            form = f"self.forms[{i}]"
            body += [
                f"if g.shape != {form}[0] or g.dtype is not {form}[1]:",
                f"    g = repair(g, {form})",
            ]
        lines.append(f"        edge = self.e{k}")
        if single:
            lines += indent(body + _deliver_one(), 8)
        else:
            lines += [f"        if edge {test}:", *indent(body + _deliver(), 12)]
    if op.saved_arrays:
        lines += [
            "        if not keep:",
            f"            {' = '.join(f'self.{n}' for n in op.saved_arrays)} = None",
        ]
    return [*lines, f"        return {'edge' if single else 'following'}", ""]


def _reads(op: Any, names: list[str]) -> list[str]:
    """Read what a formula names, and refuse a second pass."""
    lines = [f"{name} = self.{name}" for name in names if name in op.users]
    sure = (n for n in names if n in op.saved_arrays and n not in op.optional)
    # What a joint formula saves is there whatever edges there are; a single one runs only for an
    # edge that is there.
    guard = next(sure, None)
    return [*lines, f"if {guard} is None:", "    raise freed()"] if guard else lines


def _formula(op: Any, k: int) -> list[str]:
    formula, names = op.formulas[k]
    op.namespace[f"formula{k}"] = formula
    return [*_reads(op, names), f"g = formula{k}({', '.join(names)})"]


def _deliver() -> list[str]:
    """`node.deliver`, inline: the first older node found is returned, others wait in the heap."""
    return """\
if edge.g is not None:
    edge.g = edge.g + g if g.__class__ is ndarray else plus(edge.g, g)
else:
    edge.g = g
    if not edge.seq:
        leaves.append(edge)
    elif following is None:
        following = edge
    else:
        heappush(heap, (-edge.seq, edge))""".splitlines()


def _deliver_one() -> list[str]:
    """The same where there is one edge: it is returned, or None."""
    return """\
if edge.g is not None:
    edge.g = edge.g + g if g.__class__ is ndarray else plus(edge.g, g)
    edge = None
else:
    edge.g = g
    if not edge.seq:
        leaves.append(edge)
        edge = None""".splitlines()


def partial_source(op: Any, repaired: bool) -> list[str]:
    """def run_some(self, grad, heap, leaves, keep, wanted): `run` for the edges in a set."""
    lines = run_source(op, repaired, "in wanted")
    lines[1] = "    def run_some(self, grad, heap, leaves, keep, wanted):"
    return [line[4:] for line in lines]
