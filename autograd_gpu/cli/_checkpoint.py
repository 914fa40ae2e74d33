"""Checkpoints of a run: all that it needs to go on as if it had not stopped."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import autograd_gpu as ag

from ._errors import Problem, one_line

__all__ = ["read", "restore", "write"]

FORMAT = "autograd_gpu train 1"
KEYS = ("options", "epoch", "history", "digest", "model", "optimizer", "scheduler", "rng")


def write(path: Path, run: Any) -> None:
    """Write the state of a run after `run.epoch` epochs. The file is replaced in one go."""
    ag.save(
        {
            "format": FORMAT,
            "options": run.options,
            "epoch": run.epoch,
            "history": run.history,
            "digest": run.data.digest,
            "model": run.model.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "scheduler": run.scheduler.state_dict(),
            "rng": ag.get_rng_state(),
            "cuda_rng": ag.cuda.get_rng_state_all(),
        },
        path,
    )


def read(path: Path) -> dict[str, Any]:
    """A checkpoint that `write` wrote. Raises Problem for any other file."""
    try:
        state = ag.load(path)
    except FileNotFoundError:
        raise Problem(f"cannot resume: {path}: no such file") from None
    except (
        OSError, EOFError, RuntimeError, ValueError, TypeError, KeyError, AttributeError,
        IndexError, pickle.UnpicklingError, zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise Problem(f"cannot resume from {path}: {one_line(error)}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise Problem(f"cannot resume from {path}: not a checkpoint of autograd-gpu train")
    missing = [key for key in KEYS if key not in state]
    if missing:
        raise Problem(f"cannot resume from {path}: it lacks {', '.join(missing)}")
    return state


def restore(run: Any, state: dict[str, Any], path: Path) -> None:
    """Put the run where the checkpoint left it. Raises Problem where the two do not fit."""
    if state["digest"] != run.data.digest:
        raise Problem(f"cannot resume from {path}: it was trained on other data than these")
    try:
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.scheduler.load_state_dict(state["scheduler"])
        ag.set_rng_state(state["rng"])
        if len(state.get("cuda_rng", ())) == ag.cuda.device_count():
            ag.cuda.set_rng_state_all(state["cuda_rng"])
        run.epoch, run.history = int(state["epoch"]), list(state["history"])
    except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Problem(f"cannot resume from {path}: {one_line(error)}") from None
