"""What each kernel may use on a GPU, and which of a file's kernels one program compiles.

`python -m tests.kernels.limits [file ...]` prints what the kernels use on each architecture."""

import sys
from collections import defaultdict

from autograd_gpu._core.declared import assertion, prelude
from autograd_gpu._core.manifest import FLOATS, KERNELS
from autograd_gpu._core.sources import source
from autograd_gpu._cuda.launch import OPTIONS
from autograd_gpu.testing.nvrtc import compile_for

ARCHS = (75, 80, 90, 100, 120)

# A thread's registers. Of 65536 that a multiprocessor has, 64 let 1024 threads be resident, half of
# what it holds at most; 128 let 512. Those of float64 may be more, for its numbers take two.
USUAL, USUAL_FLOAT64 = 64, 96
MORE = {"batch_norm.cu": 80, "im2col.cu": 80, "loss.cu": 80, "norm.cu": 96, "optim.cu": 80}
MORE_FLOAT64 = {"norm.cu": 128}

# Kernels that may use local memory: what they call does, for large arguments.
STACK = dict.fromkeys(
    ("cos", "cos_backward", "sin", "sin_backward", "sinc", "sinc_backward", "tan"),
    "sin and cos of large angles, in float64"
)


def registers(file, dtype):
    """How many registers a thread may have."""
    if dtype.startswith("float64"):
        return MORE_FLOAT64.get(file, USUAL_FLOAT64)
    return MORE.get(file, USUAL)


def unit(dtype):
    """One program holds a file's kernels for a type of floats, or for all other types."""
    first = dtype.partition(":")[0]
    return first if first in FLOATS else "integers"


def units():
    """{(file, unit): {name expression: (kernel, form, dtype)}}"""
    found = defaultdict(dict)
    for kernel in KERNELS.values():
        for dtype in kernel.dtypes:
            place = found[kernel.file, unit(dtype)]
            place |= {kernel.spell(form, dtype): (kernel, form, dtype) for form in kernel.forms}
    return dict(sorted(found.items()))


def report(file, names, arch):
    """What the compiler says of a program, compiled as it is on a GPU of this kind, with an
    assertion for each kernel that its parameters are those of the manifest."""
    claims = [assertion(e, row.parameters(form, dtype)) for e, (row, form, dtype) in names.items()]
    text = source(file) + prelude + "".join(claims)
    return compile_for(arch, text, list(names), [*OPTIONS, "-Xptxas=-v"])


def excess(kernel, form, dtype, usage):
    """What a kernel uses that it may not: texts, none where all is well."""
    out = []
    if usage.spills:
        out.append(f"spills {usage.spills} bytes")
    if usage.stack and not usage.spills and kernel.name not in STACK:
        out.append(f"uses {usage.stack} bytes of local memory")
    most = registers(kernel.file, dtype)
    if usage.registers > most:
        out.append(f"uses {usage.registers} registers of {most}")
    return [f"{kernel.name} ({form}, {dtype}) {text}" for text in out]


def main(files):
    """Print a line for each program, and one for each kernel beyond its limits."""
    for (file, dtypes), names in units().items():
        if files and file not in files:
            continue
        for arch in ARCHS:
            found = report(file, names, arch)
            most = [max(column) for column in zip(*found.kernels.values(), strict=True)]
            print(f"{file} {dtypes} sm_{arch}: {len(names)} kernels; at most {most[0]} registers,")
            print(f"    {most[1]} bytes of stack, {most[2]} spilled, {most[3]} shared")
            lines = [e for n, u in found.kernels.items() for e in excess(*names[n], u)]
            print(*(f"    ! {line}" for line in [*lines, *found.warnings]), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
