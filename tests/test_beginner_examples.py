"""The programs that beginners learn autograd from: each must print what it prints with PyTorch.

`beginner/NAME.py` is a program, `beginner/NAME.txt` what PyTorch prints. Where PyTorch is installed
the programs are run with it too.
"""

import contextlib
import io
import re
import warnings
from pathlib import Path

import pytest

PROGRAMS = sorted((Path(__file__).parent / "beginner").glob("*.py"))


def printed(program, library):
    """What a program prints; `import torch` means the library."""
    source = program.read_text()
    if library != "torch":
        source = re.sub(r"^import torch$", f"import {library} as torch", source, flags=re.M)
        source = re.sub(r"^(import|from) torch\b", rf"\1 {library}", source, flags=re.M)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, str(program), "exec"), {"__name__": "program"})
    return out.getvalue()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_it_prints_what_pytorch_prints(program):
    assert printed(program, "autograd_gpu") == program.with_suffix(".txt").read_text()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_the_expected_text_is_pytorchs(torch, program):
    assert printed(program, "torch") == program.with_suffix(".txt").read_text()
