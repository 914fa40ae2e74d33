"""Writes the type stubs from the table: `python -m tests.house.stubs`. A test fails when they are stale.

`_core/tensor.pyi` has Tensor with every verb that is bound to it from above, `__init__.pyi` the package's names.
"""

import inspect
import keyword
import re
from pathlib import Path

import autograd_gpu as ag
from autograd_gpu._core import dtype as dtypes
from autograd_gpu._ops.table import PUBLIC, REGISTRY

ROOT = Path(ag.__file__).parent
MARK = '# Generated from the table of ops by "python -m tests.house.stubs". Do not edit.\n'
RETURNS = {"__bool__": "_b.bool", "__int__": "_b.int", "__float__": "_b.float", "__len__": "_b.int", "__index__": "_b.int", "__repr__": "_b.str",
           "__format__": "_b.str", "__complex__": "_b.complex", "__hash__": "_b.int", "__contains__": "_b.bool", "dim": "_b.int",
           "numel": "_b.int", "nelement": "_b.int", "element_size": "_b.int", "ndimension": "_b.int", "is_floating_point": "_b.bool",
           "is_complex": "_b.bool", "is_signed": "_b.bool", "data_ptr": "_b.int", "is_contiguous": "_b.bool"}  # fmt: skip
PROPERTIES = {"shape": "Size", "dtype": "_dtype", "device": "_device", "ndim": "_b.int", "itemsize": "_b.int", "nbytes": "_b.int",
              "is_cuda": "_b.bool", "is_cpu": "_b.bool", "requires_grad": "_b.bool", "is_leaf": "_b.bool", "output_nr": "_b.int",
              "_version": "_b.int", "retains_grad": "_b.bool", "grad": "Tensor | None", "data": "Tensor", "T": "Tensor",
              "mT": "Tensor", "H": "Tensor", "mH": "Tensor", "real": "Tensor", "imag": "Tensor"}  # fmt: skip
IN_CORE = ("__new__", "__slots__", "__module__", "__doc__", "__weakref__", "__dict__", "__init_subclass__")


def annotation(op, name):
    """The type of one parameter, from its kind in the table."""
    kind = getattr(op, "kinds", {}).get(name, "") if op is not None else ""
    if not kind:
        return "Any"
    base = "Sequence[Tensor]" if "list" in kind else "Tensor"
    return base + (" | Number" if "float" in kind else "") + (" | None" if "None" in kind else "")


def parameters(function, op, method):
    """`input: Tensor, dim: Any = ...` of a function, as a stub says it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "*args: Any, **kwargs: Any"
    out, star = [], False
    for i, p in enumerate(signature.parameters.values()):
        name = "self" if method and i == 0 and p.kind is not p.VAR_POSITIONAL else p.name
        if p.kind is p.KEYWORD_ONLY and not star:
            out.append("*")
            star = True
        if p.kind is p.VAR_POSITIONAL:
            star = True
            out.append(f"*{name}: Any")
        elif p.kind is p.VAR_KEYWORD:
            out.append(f"**{name}: Any")
        elif name == "self":
            out.append("self")
        else:
            default = " = ..." if p.default is not p.empty else ""
            out.append(f"{name}: {annotation(op, p.name)}{default}")
        if p.kind is p.POSITIONAL_ONLY and i == 0:
            out.append("/")
    return ", ".join(out)


def result(function, op):
    if op is None or not hasattr(op, "outputs"):
        return "Any"
    return "Any" if op.outputs or getattr(op, "many", False) else "Tensor"


BINARY = re.compile(r"__[ri]?(add|sub|mul|truediv|floordiv|mod|pow|matmul|and|or|xor|lshift|rshift)__")
UNARY = {"__neg__", "__pos__", "__abs__", "__invert__", "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__getitem__"}  # fmt: skip


def definition(name, function, method=False, indent=""):
    op = getattr(function, "op", None)
    kind = RETURNS.get(name) if method else None
    if kind is None:
        verb = method and (BINARY.fullmatch(name) or name in UNARY)
        kind = "Tensor" if verb or name.endswith("_") and not name.startswith("__") and method else result(function, op)
    if method and (BINARY.fullmatch(name) or name in UNARY):
        other = "" if name in ("__neg__", "__pos__", "__abs__", "__invert__") else ", other: Any"
        return f"{indent}def {name}(self{other}) -> Tensor: ..."
    head = f"{indent}def {name}({parameters(function, op, method)}) -> {kind}: ..."
    return head.replace("(self, /)", "(self)")


def tensor_stub():
    lines = [MARK, "import builtins as _b", "from collections.abc import Sequence", "from typing import Any", "",
             "from .device import device as _device", "from .dtype import dtype as _dtype", "from .size import Size", "",
             "Number = _b.int | _b.float | _b.complex | _b.bool", "", "class Tensor:", "    _array: Any", "    _edge: Any",
             "    _grad: Any", "    _view: Any", "    _family: Any", "    def __new__(cls, *args: Any) -> Any: ..."]  # fmt: skip
    for name, value in sorted(vars(ag.Tensor).items()):
        if name in IN_CORE or keyword.iskeyword(name) or inspect.ismemberdescriptor(value) or not re.match(r"\w+$", name):
            continue
        if isinstance(value, property):
            kind = PROPERTIES.get(name, "Any")
            lines += ["    @property", f"    def {name}(self) -> {kind}: ..."]
            if value.fset is not None:
                lines += [f"    @{name}.setter", f"    def {name}(self, value: Any) -> None: ..."]
            if value.fdel is not None:
                lines += [f"    @{name}.deleter", f"    def {name}(self) -> None: ..."]
        elif callable(value):
            lines.append(definition(name, value, True, "    ") + ("  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""))
    lines += ["", "def make(array: Any, edge: Any = None) -> Tensor: ...", "def new(cls: Any) -> Any: ...",
              "def as_array(value: Any, kind: Any = None) -> Any: ...", ""]  # fmt: skip
    return "\n".join(lines)


def package_stub():
    lines = [MARK, "import builtins as _b", "from collections.abc import Sequence", "from typing import Any", ""]
    source = (ROOT / "__init__.py").read_text()
    for module, names in re.findall(r"^from (\.[\w.]*) import (\([^)]*\)|[^\n(]+)$", source, re.MULTILINE):
        for name in re.findall(r"\w+(?: as \w+)?", names):
            if " as " not in name and not name.startswith("_"):
                lines.append(f"from {module} import {name} as {name}")
    lazy = ag._LAZY
    modules = sorted(n for n, home in lazy.items() if home is None and (ROOT / n).with_suffix(".py").exists() or (ROOT / n / "__init__.py").exists())
    lines += [f"from . import {name} as {name}" for name in modules]
    lines += [f"from .{home} import {name} as {name}" for name, home in sorted(lazy.items()) if home]
    lines += ["", "Number = _b.int | _b.float | _b.complex | _b.bool", "", "inf: _b.float", "nan: _b.float", "pi: _b.float", "e: _b.float"]
    lines += [f"{name}: dtype" for name in sorted({*dtypes.BY_NAME, *dtypes.ALIASES, "bfloat16"})]
    lines += [definition(name, function) for name, function in sorted(PUBLIC[""].items())]
    return "\n".join([*lines, ""])


def nn_stub():
    """The layers by name: type checkers lose them in the star import."""
    lines = [MARK]
    for name in ag.nn.__all__:
        thing = getattr(ag.nn, name)
        home = "." if not isinstance(thing, type) else ".parameter" if name in ("Buffer", "Parameter") else ".modules"
        lines.append(f"from {home} import {name} as {name}")
    return "\n".join([*lines, ""])


def stubs():
    """{path: text} of what the files should be."""
    for entry in REGISTRY.values():
        assert entry.function.__name__
    return {ROOT / "__init__.pyi": package_stub(), ROOT / "_core" / "tensor.pyi": tensor_stub(),
            ROOT / "nn" / "__init__.pyi": nn_stub()}


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
        print(path.name, len(text.splitlines()), "lines")
