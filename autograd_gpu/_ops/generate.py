"""From one op's declaration, the Python source of its call function and of its node. Looked at as
`op.source`.

What is specialised: the signature; which arguments are unwrapped; what is saved, and for which
edge; how gradients are delivered. The forward and the formulas stay ordinary functions. The source
is written when the op is first used, so that an import compiles nothing, and is registered with
linecache, so that tracebacks, pdb and profilers show its lines. What is not the usual is not
generated: `general.py` (promotion, numbers first, stale views, errors), `Node.gradients`.
"""

import linecache
from itertools import count
from typing import Any

from .run_source import indent, run_source

__all__ = ["call_source", "compile_source", "node_source", "passed_on", "saved_source"]

_number = count()


def call_source(op: Any, name: str, operator: bool) -> list[str]:
    """def mul(input, other): ..."""
    values = {p: p for p in op.params}
    unwrap: list[str] = []
    reference = next(
        (k for k, (_, _, kind) in enumerate(op.arrays) if not kind.startswith("index")), 0
    )
    for k, (_, param, kind) in enumerate(op.arrays):
        values[param] = f"a{k}"
        unwrap += _unwrap(k, param, kind, reference)
    path, rest = ("operator", "") if operator else ("general", ", out")
    retry = f"return {path}(OP, ({', '.join(op.params)},){rest})"
    signature = op.operator_signature if operator else op.signature
    first = op.arrays[0][1]
    if op.lists and len(op.arrays) == 1 and not op.extras:
        return _list_call(op, name, retry)
    if op.lists:
        return [f"def {name}({signature}):", f"    {retry}"]
    main = "[0]" if op.extras else ""
    passed = passed_on(op, values)
    lines = [
        f"def {name}({signature}):",
        f"    if {first}.__class__ is ndarray:  # a formula, on raw arrays",
        f"        return forward(numpy, {passed_on(op, {p: p for p in op.params})}){main}",
        f"    if {first}.__class__ is not Tensor and {first}.__class__ in RAW:  # of a device",
        *indent(_on_device(op, f"{first}.__class__", {p: p for p in op.params}), 8),
        f"        return array{main}",
        *([] if operator else ["    if out is not None:", f"        {retry}"]),
        *([] if op.view else ["    token = hush(quiet)"]),
        "    try:",
        *indent(unwrap, 8),
        "        kind = a0.__class__",
        "        if kind is ndarray:",
        f"            array = forward(numpy, {passed})",
        "        else:",
        *indent(_on_device(op, "kind", values), 12),
        "    except Exception:  # no Tensor, a stale view, a rare type, an error: the long way",
        f"        {retry}",
        *([] if op.view else ["    finally:", "        unhush(token)"]),
        *indent(_wrap_outputs(op), 4),
    ]
    return lines + indent(_record(op, values, retry, reference), 4)


def _on_device(op: Any, kind: str, values: dict[str, str]) -> list[str]:
    """array = the result on a CUDA device: a kernel that looks at its arguments itself is called
    here, all others by `Op.elsewhere`."""
    passed = passed_on(op, values)
    if op.kernel is None:
        return [f"array = elsewhere({passed})"]
    return [
        f"run = quick.get({kind})",
        "if run is None:",
        f"    array = elsewhere({passed})",
        "else:",
        f"    array = run({', '.join(values[p] for p in op.params)})",
        "    if array is NotImplemented:",
        f"        array = elsewhere({passed})",
    ]


def _list_call(op: Any, name: str, retry: str) -> list[str]:
    """def cat(tensors, dim): ..., the same with a list for one array."""
    first = op.arrays[0][1]
    values = {p: p for p in op.params} | {first: "arrays"}
    given, passed = passed_on(op, {p: p for p in op.params}), passed_on(op, values)
    dtypes = [
        "for a in arrays:",
        "    if a.dtype is not arrays[0].dtype:",
        "        raise AttributeError",
    ]
    return [
        f"def {name}({op.signature}):",
        "    if out is not None:",
        f"        {retry}",
        "    token = hush(quiet)",
        "    try:",
        f"        if {first}.__class__ is not list and {first}.__class__ is not tuple:",
        "            raise AttributeError",
        f"        if {first}[0].__class__ is ndarray:  # a formula, on raw arrays",
        f"            return forward(numpy, {given})",
        f"        arrays = [t._array for t in {first}]",
        f"        edges = [t._edge for t in {first}]",
        *(indent(dtypes, 8) if op.promote else []),
        "        kind = arrays[0].__class__",
        f"        array = forward(numpy, {passed}) if kind is ndarray else elsewhere({passed})",
        "    except Exception:  # the long way",
        f"        {retry}",
        "    finally:",
        "        unhush(token)",
        *indent(_wrap_outputs(op), 4),
        *indent(_list_record(op, values), 4),
    ]


def _list_record(op: Any, values: dict[str, str]) -> list[str]:
    shapes = {f"{op.arrays[0][1]}_shape": "tuple([a.shape for a in arrays])"}
    known = values | {"out": "array"} | shapes
    return [
        *_finish(op),
        "if edges.count(None) == len(edges) or (off and not recording()):",
        "    result._edge = None",
        "    return result",
        "node = new(Node)",
        "node.edge_list = edges",
        "node.forms = tuple([(a.shape, a.dtype) for a in arrays])",
        *[f"node.{n} = {known[n]}" for n in op.users],
        "node.g = None",
        "node.seq = tick()",
        "result._edge = node",
        "return result",
    ]


def passed_on(op: Any, values: dict[str, str]) -> str:
    """The arguments of a forward, as a call spells them."""
    return ", ".join(f"{p}={values[p]}" if p in op.keywords else values[p] for p in op.params)


def _unwrap(k: int, name: str, kind: str, reference: int) -> list[str]:
    lines = [f"a{k} = {name}._array"]
    if not kind.startswith("index"):
        lines.append(f"e{k} = {name}._edge")
        if k != reference:
            lines += [f"if a{k}.dtype is not a{reference}.dtype:", "    raise AttributeError"]
    if "float" in kind:
        test = f"{name}.__class__ is float or {name}.__class__ is int"
        # bfloat16 ("V") turns into float32 beside a Python number: the long way keeps it
        rare = [f"    if a{reference}.dtype.kind == 'V':", "        raise AttributeError"]
        lines = [
            f"if {test}:",
            *rare,
            f"    a{k} = {name}",
            f"    e{k} = None",
            "else:",
            *indent(lines, 4),
        ]
    if "None" in kind:
        none = [f"if {name} is None:", f"    a{k} = e{k} = None"]
        if "float" in kind:
            return [*none, "el" + lines[0], *lines[1:]]
        return [*none, "else:", *indent(lines, 4)]
    return lines


def _wrap_outputs(op: Any) -> list[str]:
    rest = "".join(p + ", " for p in op.params[1:])
    if op.many:
        return [f"result = view_list(array, {op.params[0]}, OP.function, ({rest}))"]
    lines = [f"array, {', '.join(op.extras)} = array"] if op.extras else []
    if op.outputs:
        lines += [f"{', '.join(op.outputs)}, = array"]
        lines += [f"out_{name} = make(as_array({name}))" for name in op.outputs]
        lines += [f"result = make_result(({', '.join('out_' + n for n in op.outputs)},))"]
        op.namespace["make_result"] = op.result
        return lines
    lines += [
        "if array.__class__ is not kind:  # a 0-d result came as a scalar",
        "    array = as_array(array)",
        "result = new(Tensor)",
        "result._array = array",
    ]
    if op.view:
        lines += [
            "if array.base is not None or array is a0:",
            f"    link_view(result, {op.params[0]}, OP.function, ({rest}))",
        ]
    return lines


def _finish(op: Any) -> list[str]:
    """Where a rare mode is in force, ordinary code may end the call."""
    extras = "".join(e + ", " for e in op.extras)
    return [
        "if modes:",
        f"    done = finish(OP, result, ({', '.join(op.params)},), ({extras}))",
        "    if done is not None:",
        "        return done",
    ]


def _record(op: Any, values: dict[str, str], retry: str, reference: int) -> list[str]:
    """The end of the call: nothing to record, or a node with its edges and what it saves."""
    edges = [f"e{k}" for k in op.differentiable]
    nothing = " and ".join(f"{e} is None" for e in edges)
    # A recorded input is floating, and so is its result; only unrecorded may NumPy have chosen a
    # type PyTorch would not.
    check = (
        [f"    if array.dtype is not a{reference}.dtype:", f"        {retry}"]
        if op.same_dtype
        else []
    )
    none = [] if op.outputs or op.many else ["    result._edge = None"]
    if not edges:
        return [*[c[4:] for c in check], *_finish(op), *[n[4:] for n in none], "return result"]
    lines = [
        "if off:",
        *check,
        *indent(_finish(op), 4),
        "    if not recording():",
        *indent(_unrecorded(op, edges, none), 4),
        "        return result",
        f"if {nothing}:",
        *check,
        *none,
        "    return result",
    ]
    if op.broadcasts and len(op.arrays) > 1:  # one input alone cannot have been stretched
        tests = _shape_tests(op, edges)
        forms = ", ".join(f"form(a{k})" for k in op.differentiable)
        lines += [
            f"if {tests}:",
            "    node = new(RepairNode)",
            f"    node.forms = ({forms},)",
            "else:",
            "    node = new(Node)",
        ]
    else:
        lines += ["node = new(Node)"]
    lines += [f"node.{e} = {e}" for e in edges]
    lines += [f"node.{name} = {saved_source(op, name, values, edges)}" for name in op.users]
    lines += ["node.g = None", "node.seq = tick()"]
    return [*lines, *_result_edges(op), "return result"]


def _unrecorded(op: Any, edges: list[str], none: list[str]) -> list[str]:
    """Where nothing is recorded: a view of what requires grad requires grad nonetheless."""
    if op.view and not op.many:
        return [f"    result._edge = None if {edges[0]} is None else unfollowed(result)"]
    return none


def _result_edges(op: Any) -> list[str]:
    """Which output of the node each result is."""
    lines: list[str] = []
    if op.many:
        lines.append("share_node(node, result)")
    elif op.relays:
        lines.append(
            f"node.shapes_out = ({', '.join(f'form_out(out_{n}._array)' for n in op.relays)},)"
        )
        lines += [f"out_{n}._edge = Output(node, {i})" for i, n in enumerate(op.relays)]
    elif op.outputs:
        lines.append(f"out_{op.outputs[0]}._edge = node")
    else:
        lines.append("result._edge = node")
    return lines


def _shape_tests(op: Any, edges: list[str]) -> str:
    """Did anything broadcast? Two inputs of one shape cannot have: one comparison."""
    if len(op.arrays) == 2 and len(edges) == 2:
        return "a1.__class__ is kind and a0.shape != a1.shape"
    return " or ".join(
        f"(e{k} is not None and a{k}.shape != array.shape)" for k in op.differentiable
    )


def saved_source(op: Any, name: str, values: dict[str, str], edges: list[str]) -> str:
    """What a node keeps under a name, as an expression."""
    if name == "out":
        value = "array"
    elif name in op.outputs:
        value = f"out_{name}._array"
    elif name in op.extras:
        value = name
    elif name in values:
        value = values[name]
    else:
        base, _, what = name.rpartition("_")  # input_shape, input_dtype
        value = f"{values[base]}.{what}"
    users = sorted(set(op.users[name]))
    held = name in op.saved_arrays
    if held and 0 < len(users) < len(edges):
        test = " or ".join(f"{edges[i]} is not None" for i in users)
        value = f"{value} if {test} else None"
    return value


def node_source(op: Any) -> list[str]:
    """class Node(Base): ..., and a subclass that also repairs the gradients' shapes, dtypes."""
    if op.lists:
        slots = tuple(op.users) + ("forms",)
        head = [
            "class Node(ListBase):",
            f"    __slots__ = {slots!r}",
            f"    op, saved_names = OP, {op.saved_arrays!r}",
        ]
        return [*head, "class RepairNode(Node):", "    __slots__ = ()"]
    edges = tuple(f"e{k}" for k in op.differentiable)
    slots = edges + tuple(op.users) + (("shapes_out",) if op.relays or op.many else ())
    lines = [
        "class Node(Base):",
        f"    __slots__ = {slots!r}",
        f"    op, edge_names, saved_names = OP, {edges!r}, {op.saved_arrays!r}",
        *run_source(op, False),
    ]
    return [*lines, "class RepairNode(Node):", '    __slots__ = ("forms",)', *run_source(op, True)]


def compile_source(lines: list[str], title: str, namespace: dict[str, Any]) -> str:
    """exec, with the source where tracebacks, inspect and pdb look for it."""
    source = "\n".join(lines) + "\n"
    filename = f"<autograd_gpu {title} #{next(_number)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), namespace)
    return source
