"""Writes kernels/README.md: `python -m tests.kernels.readme`."""

from pathlib import Path

from autograd_gpu._core.manifest import KERNELS, Elementwise, Kernel
from autograd_gpu._core.sources import formulas, kernel_folder

HERE = Path(__file__).parent
ELSEWHERE = dict.fromkeys(("adam", "rmsprop", "sgd"), "tests/optim/test_on_device.py")
"""Kernels that are tested as what they are part of."""

HEAD = """\
# Kernels

CUDA C++, no Python. A kernel is a faster evaluation of a body in plain Python: of the function in
`autograd_gpu/_ops` that is marked `@op(kernel="name")` or `@composite(kernel="name")`, of the step
of an optimizer, of a draw of random numbers. The files compile unchanged with NVRTC, when a kernel
is first used on a GPU, and with g++ in tests. [CONTRIBUTING.md](../CONTRIBUTING.md#adding-a-kernel)
adds one; after a change `python -m tests.kernels.readme` writes this file anew.

No kernel needs a GPU to be tested. `autograd_gpu.testing.emulator` runs every one in order, in
random order, and with every access to memory watched, against its body; `tests/kernels/test_nvrtc.py`
compiles every instance for five generations of GPUs within limits of registers and without spills.
"""
MIDDLE = """
## The kernels

g is the gradient, x an input, y the output; other letters stand for the body's further arguments,
in their order. float16 and bfloat16 are read and written, and computed with in float. An instance
is one template with all its types filled in.
"""


def render() -> str:
    """The text that the file should have."""
    lines = [HEAD, "| file | what it holds |", "|---|---|", *map(described, sorted(files()))]
    lines += [MIDDLE, "| kernel | formula | file | types | instances | tested in |"]
    lines.append("|---" * 6 + "|")
    for kernel in sorted(KERNELS.values(), key=lambda row: (row.file, row.name)):
        formula = formulas(kernel.file)[kernel.name].replace("|", "\\|")
        count = sum(len(kernel.instances(dtype)) for dtype in kernel.dtypes)
        cells = [f"`{kernel.name}`", formula, f"`{kernel.file}`", types(kernel), str(count)]
        lines.append("| " + " | ".join([*cells, f"`{proof_of(kernel)}`"]) + " |")
    return "\n".join(lines) + "\n"


def files() -> list[Path]:
    """The sources and their headers."""
    return list(kernel_folder().glob("*.cu*"))


def described(path: Path) -> str:
    """A row: the name of a file, and the first sentence of its first comment."""
    comment = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("// "):
            break
        comment.append(line.removeprefix("// "))
    sentence = " ".join(comment).split(". ")[0].rstrip(".")
    return f"| `{path.name}` | {sentence} |"


def types(kernel: Kernel) -> str:
    """The types that a kernel is compiled for; of pairs, the first ones."""
    return ", ".join(dict.fromkeys(dtype.partition(":")[0] for dtype in kernel.dtypes))


def proof_of(kernel: Kernel) -> str:
    """The tests of a kernel: those of its file, else one that names it; "" for none."""
    if isinstance(kernel, Elementwise):
        return "tests/kernels/test_every_kernel.py"
    if kernel.name in ELSEWHERE:
        return ELSEWHERE[kernel.name]
    pattern = f"test_{kernel.file.removesuffix('.cu')}*.py"
    own = sorted(HERE.glob(pattern))
    named = [f for f in HERE.glob("test_*.py") if f'"{kernel.name}"' in _text(f)]
    if named and not any(kernel.name in _text(f) for f in own):
        return f"tests/kernels/{min(named).name}"
    found = pattern if len(own) > 1 else own[0].name if own else ""
    return found and f"tests/kernels/{found}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    (kernel_folder() / "README.md").write_text(render(), encoding="utf-8")
