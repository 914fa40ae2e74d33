"""`autograd-gpu parity`: every op and its gradients on the CPU and on the GPU."""

import json
import sys
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from ._errors import Problem

__all__ = ["parity"]

MOST = 40  # rows of the table, unless more are beyond tolerance


def parity(options: Any) -> int:
    """Print a table of the largest differences; the file of `--json` holds all rows. 0 where all
    are within tolerance, 1 where not or where the device cannot be used."""
    from ..testing import parity as compare
    from ..testing.emulator import unavailable

    if options.device == "standin" and unavailable():
        raise Problem(f"the stand-in runs kernels in the emulator, and {unavailable()}")
    dtypes = options.dtype or compare.DTYPES
    try:
        rows = compare.parity(options.ops, dtypes, options.device, _progress())
    except KeyError as error:
        raise Problem(f"{error.args[0]}{_meant(options.ops)}") from None
    except compare.NoDeviceError as error:
        print(
            f"autograd-gpu parity: no GPU to compare with: {error}\n"
            "`--device standin` compares with an emulated one.",
            file=sys.stderr,
        )
        return 1
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if not rows:
        raise Problem("none of these ops has samples in these dtypes")
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    bad = sum(not row.ok for row in rows)
    print(compare.table(rows, max(MOST, bad)))
    return int(bad > 0)


def _meant(names: list[str]) -> str:
    """Ops whose names are like those that are not there."""
    from .._ops.table import REGISTRY

    near = [n for name in names if name not in REGISTRY for n in get_close_matches(name, REGISTRY)]
    return f" (there is {', '.join(near)})" if near else ""


def _progress() -> Any:
    """A counter on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        return None

    def show(row: Any) -> None:
        print(f"\r\x1b[K{row.dtype} {row.name}", end="", file=sys.stderr, flush=True)

    return show
