"""Writes kernels/README.md: `python -m tests.kernels.readme`."""

from pathlib import Path

from autograd_gpu._core.manifest import KERNELS, Elementwise, Kernel
from autograd_gpu._core.sources import formulas, kernel_folder

HEAD = """\
# Kernels

CUDA C++ for NVRTC, and for g++ in tests. A kernel is a faster evaluation of a body in plain Python:
the function marked `@composite(kernel="name")` or `@op(kernel=...)` in `autograd_gpu/_ops`. An
elementwise one is added with a functor below a comment `// name: formula`, a row in
`autograd_gpu/_core/manifest`, and numbers in `tests/kernels/cases.py` where it takes some; others
also need a launching function in `autograd_gpu/_cuda` and a test. Then `python -m
tests.kernels.readme` writes this table anew.

Every instance is tested without a GPU: `autograd_gpu.testing.emulator` compiles these files
unchanged with g++ and runs them, plainly and with every access to memory watched.

g is the gradient, x an input, y the output; other letters stand for the body's further arguments,
in their order. float16 and bfloat16 are read and written, and computed with in float.
"""


def render() -> str:
    """The text that the file should have."""
    lines = [HEAD, "| kernel | formula | file | types | instances | tested in |", "|---" * 6 + "|"]
    for name, kernel in sorted(KERNELS.items()):
        formula = formulas(kernel.file)[name].replace("|", "\\|")
        count = sum(len(kernel.instances(dtype)) for dtype in kernel.dtypes)
        cells = [f"`{name}`", formula, f"`{kernel.file}`", types(kernel), str(count)]
        lines.append("| " + " | ".join([*cells, f"`tests/kernels/{tested_in(kernel)}`"]) + " |")
    return "\n".join(lines) + "\n"


def types(kernel: Kernel) -> str:
    """The types that a kernel is compiled for; of pairs, the first ones."""
    return ", ".join(dict.fromkeys(dtype.partition(":")[0] for dtype in kernel.dtypes))


def tested_in(kernel: Kernel) -> str:
    """The file of tests that names a kernel."""
    if isinstance(kernel, Elementwise):
        return "test_every_kernel.py"
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    named = [f.name for f in files if f'"{kernel.name}"' in f.read_text(encoding="utf-8")]
    stem = f"test_{kernel.file.removesuffix('.cu')}.py"
    return stem if stem in named or not named else named[0]


if __name__ == "__main__":
    (kernel_folder() / "README.md").write_text(render(), encoding="utf-8")
