"""Writes kernels/README.md: `python -m tests.kernels.readme`."""

from autograd_gpu._core.manifest import KERNELS, SCALARS, Elementwise
from autograd_gpu._core.sources import formulas, kernel_folder

HEAD = """\
# Kernels

CUDA C++ for NVRTC, and for g++ in tests. A kernel is a faster evaluation of a body in plain Python:
the function marked `@composite(kernel="name")` in `autograd_gpu/_ops`. A kernel is added with a
functor below a comment `// name: formula`, a row in `autograd_gpu/_core/manifest.py`, and arguments
in `tests/kernels/cases.py` where it takes more than two arrays. Then `python -m
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
        count = sum(len(kernel.instances(dtype)) for dtype in SCALARS)
        test = "test_every_kernel.py" if isinstance(kernel, Elementwise) else "test_softmax.py"
        cells = [f"`{name}`", formula, f"`{kernel.file}`", ", ".join(SCALARS), str(count)]
        lines.append("| " + " | ".join([*cells, f"`tests/kernels/{test}`"]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (kernel_folder() / "README.md").write_text(render(), encoding="utf-8")
