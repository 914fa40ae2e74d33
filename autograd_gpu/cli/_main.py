"""The entry point: arguments, exit statuses, and errors in one line."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from ._errors import Problem, one_line

__all__ = ["main"]

INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _positive(kind: type) -> Any:
    def convert(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not a positive {kind.__name__}")
        return value

    return convert


def _seed(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer from 0 to 2^63 - 1")
    return value


def parser() -> argparse.ArgumentParser:
    """All commands and options; those not given stay None, for `_train.settle` to fill in."""
    top = _Parser(prog="autograd-gpu", description="Automatic differentiation with PyTorch's API.")
    names = "train | info | parity | bench"
    commands = top.add_subparsers(dest="command", required=True, metavar=names)
    train = commands.add_parser(
        "train",
        help="train a net on handwritten digits, or on arrays of your own",
        description="Train a net; writes checkpoint.pt, metrics.jsonl and curves.png.",
    )
    add = train.add_argument
    add("--model", choices=("mlp", "cnn", "linear"), help="the net (mlp)")
    add("--epochs", type=_positive(int), metavar="N", help="passes over the data (30)")
    add(
        "--lr",
        type=_positive(float),
        metavar="X",
        help="learning rate at the start (0.003; sgd 0.05, rmsprop 0.001)",
    )
    add("--optimizer", choices=("sgd", "adam", "adamw", "rmsprop"), help="(adam)")
    add("--batch-size", type=_positive(int), metavar="N", help="samples a step (32)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(auto)")
    add("--seed", type=_seed, metavar="N", help="for weights and order of samples (0)")
    add(
        "--data",
        type=Path,
        metavar="FILE.npz",
        help="arrays x and y (or images and labels), or x_train, y_train, x_test, y_test",
    )
    add("--resume", type=Path, metavar="FILE", help="go on from a checkpoint, with its options")
    add("--out", type=Path, metavar="DIR", help="where files go (autograd-gpu-run)")
    _add_parity(commands)
    _add_bench(commands)
    commands.add_parser(
        "info",
        help="versions, BLAS, CUDA",
        description="Print versions, the BLAS, and whether CUDA is available (and why not).",
    )
    return top


def _add_parity(commands: Any) -> None:
    add = commands.add_parser(
        "parity",
        help="compare the GPU with the CPU, op by op",
        description="Run every op and its gradients on the CPU and on the GPU and print the largest"
        " differences; exit status 1 beyond tolerance, or without the device.",
    ).add_argument
    add("--ops", nargs="+", metavar="NAME", help="only these ops (all that have samples)")
    dtypes = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")
    add("--dtype", nargs="+", choices=dtypes, metavar="D", help="(float32 float64)")
    add(
        "--device",
        choices=("cuda", "standin"),
        default="cuda",
        help="standin: an emulated GPU, for tests (cuda)",
    )
    add("--json", type=Path, metavar="FILE", help="write the rows there as well")


def _add_bench(commands: Any) -> None:
    add = commands.add_parser(
        "bench",
        help="measure the CPU against the GPU",
        description="Time training steps and single ops over sizes, on the CPU and on the GPU, and"
        " in PyTorch where it is installed.",
    ).add_argument
    add("--only", nargs="+", metavar="NAME", help="only these workloads and ops (all)")
    add("--device", choices=("auto", "cpu", "cuda", "standin"), default="auto", help="(auto)")
    add("--quick", action="store_true", help="few rounds and small sizes: a trial")
    add("--json", type=Path, metavar="FILE", help="write the times there as well")
    add("--plot", type=Path, metavar="FILE.png", help="draw time over size")


def _command(name: str) -> Any:
    """The function of a command; only its module is imported."""
    if name == "info":
        from ._info import info

        return info
    if name == "parity":
        from ._parity import parity

        return parity
    if name == "bench":
        from ._bench import bench

        return bench
    from ._train import train

    return train


def main(argv: list[str] | None = None) -> int:
    """Run a command. Returns the exit status: 0, 1 for devices that differ, 2 for a bad argument or
    file, 130 for Ctrl-C."""
    options = parser().parse_args(argv)
    try:
        status = _command(options.command)(options)
        sys.stdout.flush()
        return status
    except Problem as problem:
        print(f"autograd-gpu {options.command}: error: {problem}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `autograd-gpu info | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        print(f"autograd-gpu {options.command}: error: {name}{one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
