"""Where the CUDA sources lie, in a checkout or in an installed wheel, and their text."""

import re
from functools import cache
from pathlib import Path

__all__ = ["formulas", "kernel_folder", "source", "with_headers"]

_PACKAGE = Path(__file__).resolve().parent.parent
_INCLUDE = re.compile(r'^[ \t]*#include "(\w+\.cuh)"[ \t]*$', re.M)
_FORMULA = re.compile(r"^// (\w+): (.+)\n(?:struct|template|__global__) ?", re.M)


def kernel_folder(package: Path = _PACKAGE) -> Path:
    """The folder of the `.cu` files. FileNotFoundError where the package came without them."""
    places = [package / "_kernels", package.parent / "kernels"]
    for place in places:
        if (place / "common.cuh").is_file():
            return place
    looked = " and ".join(map(str, places))
    raise FileNotFoundError(
        f"the CUDA sources of autograd_gpu are missing: looked for common.cuh in {looked}. "
        "Install the wheel again, or run from a whole checkout."
    )


@cache
def source(file: str) -> str:
    """The text of a `.cu` file with its own headers put in: a cache of compiled kernels whose key
    is the text then sees a change in a header."""
    return with_headers((kernel_folder() / file).read_text(encoding="utf-8"))


def with_headers(text: str) -> str:
    """CUDA source with this package's headers (`#include "common.cuh"`) put in."""
    folder = kernel_folder()
    seen: set[str] = set()

    def inline(found: re.Match[str]) -> str:
        if found[1] in seen:
            return ""
        seen.add(found[1])
        text = (folder / found[1]).read_text(encoding="utf-8").replace("#pragma once\n", "")
        return _INCLUDE.sub(inline, text)

    return _INCLUDE.sub(inline, text)


@cache
def formulas(file: str) -> dict[str, str]:
    """{kernel's name: formula}, from the comment above each functor or kernel of a file."""
    return dict(_FORMULA.findall((kernel_folder() / file).read_text(encoding="utf-8")))
