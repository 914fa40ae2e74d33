"""`autograd-gpu train`: a training run from the arguments to the files it leaves."""

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import autograd_gpu as ag
from autograd_gpu import nn
from autograd_gpu.optim.lr_scheduler import CosineAnnealingLR
from autograd_gpu.utils.data import DataLoader, TensorDataset

from .._core.device import cuda_status
from .._core.threads import set_num_threads
from . import _checkpoint, _curves, _data, _models
from ._errors import Problem
from ._progress import Progress

__all__ = ["train"]

DEFAULTS = {"model": "mlp", "epochs": 30, "optimizer": "adam", "batch_size": 32, "seed": 0}
RATES = {"sgd": 0.05, "adam": 0.003, "adamw": 0.003, "rmsprop": 0.001}
OUT = Path("autograd-gpu-run")
ONE_THREAD = 20_000_000  # multiplications a step, of dense layers
THREADS = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}


def train(options: Any) -> int:
    """Train as the options say. Returns the exit status: 0, or 130 after Ctrl-C."""
    device = choose_device(options.device)
    state = None if options.resume is None else _checkpoint.read(options.resume)
    settings = settle(options, state)
    data = _data.load(None if settings["data"] is None else Path(settings["data"]))
    settings["data"] = None if data.name == "digits" else data.name
    run = Run(settings, data, device)
    if state is not None:
        _checkpoint.restore(run, state, options.resume)
        run.stretch(state["options"]["epochs"])
    out = options.out or (OUT if options.resume is None else options.resume.parent)
    out.mkdir(parents=True, exist_ok=True)
    run.spare_threads()
    print(run.describe())
    path = out / "checkpoint.pt"
    _checkpoint.write(path, run)
    try:
        run.go(out)
    except KeyboardInterrupt:
        print(
            f"interrupted; saved after {run.saved} of {settings['epochs']} epochs: {path}\n"
            f"go on with: autograd-gpu train --resume {path}",
            file=sys.stderr,
        )
        return 130
    finish(run, out)
    return 0


def choose_device(name: str) -> str:
    """Where to train: the CPU unless CUDA is asked for; Problem where there is none."""
    if name == "cuda":
        available, why = cuda_status()
        if not available:
            raise Problem(f"--device cuda: CUDA is not available: {why}")
    return "cuda" if name == "cuda" else "cpu"


def settle(options: Any, state: dict[str, Any] | None) -> dict[str, Any]:
    """The options of the run: those given, then the checkpoint's, then the defaults."""
    given = {
        name: value
        for name in ("model", "epochs", "optimizer", "batch_size", "seed", "lr")
        if (value := getattr(options, name)) is not None
    }
    path = None if options.data is None else str(options.data)
    if state is None:
        settings = {**DEFAULTS, **given}
        return {"lr": RATES[settings["optimizer"]], "data": path, **settings}
    saved = state["options"]
    for name, value in given.items():
        if name != "epochs" and value != saved[name]:
            raise Problem(
                f"--{name.replace('_', '-')} {value} differs from the checkpoint's {saved[name]}; "
                "a resumed run may change only --epochs, --data, --out and --device"
            )
    settings = {**saved, **given, "data": path or saved["data"]}
    if settings["epochs"] < state["epoch"]:
        raise Problem(
            f"--epochs {settings['epochs']}: the run has {state['epoch']} epochs behind it"
        )
    return settings


class Run:
    """A model, its data and its optimizer; `epoch` epochs are done, `saved` of them on disk."""

    def __init__(self, options: dict[str, Any], data: Any, device: str) -> None:
        self.options, self.data, self.device = options, data, device
        ag.manual_seed(options["seed"])
        self.model = _models.build(options["model"], data.shape, data.classes)
        if device != "cpu":
            self.model.to(device)
        self.optimizer = _models.optimizer(
            options["optimizer"], self.model.parameters(), options["lr"]
        )
        self.scheduler = CosineAnnealingLR(self.optimizer, options["epochs"])
        self.loader: DataLoader[Any] = DataLoader(
            TensorDataset(*data.train), batch_size=options["batch_size"], shuffle=True
        )
        self.loss = nn.CrossEntropyLoss()
        self.epoch = self.saved = 0
        self.history: list[dict[str, Any]] = []

    def spare_threads(self) -> None:
        """Small products are faster on one thread, and far faster where cores are shared."""
        count = sum(p.numel() for p in self.model.parameters())
        if count * self.options["batch_size"] < ONE_THREAD and not THREADS & os.environ.keys():
            set_num_threads(1)

    def describe(self) -> str:
        """One line on what is trained on what."""
        count = sum(p.numel() for p in self.model.parameters())
        train, test = (len(part[1]) for part in (self.data.train, self.data.test))
        return (
            f"{self.options['model']} ({count:,} parameters) on {self.data.name}: {train:,} "
            f"samples to train on, {test:,} held out; device {self.device}"
        )

    def stretch(self, before: int) -> None:
        """Where a resumed run is to have another number of epochs, bend the schedule to it."""
        epochs = self.options["epochs"]
        if epochs != before:
            self.scheduler.T_max = epochs
            rates = self.scheduler._get_closed_form_lr()
            for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate

    def go(self, out: Path) -> None:
        """Train to the last epoch, with a checkpoint and a line of metrics after each."""
        self.saved = self.epoch
        progress = Progress(self.epoch, self.options["epochs"], len(self.loader))
        try:
            with open(out / "metrics.jsonl", "w", encoding="utf-8") as metrics:
                metrics.writelines(json.dumps(record) + "\n" for record in self.history)
                while self.epoch < self.options["epochs"]:
                    record = self.one_epoch(progress)
                    _checkpoint.write(out / "checkpoint.pt", self)
                    self.saved = self.epoch
                    metrics.write(json.dumps(record) + "\n")
                    metrics.flush()
                    progress.epoch(record)
        finally:
            progress.close()

    def one_epoch(self, progress: Progress) -> dict[str, Any]:
        """One pass over the training data and a test; returns and remembers its numbers."""
        start, samples, total, right = time.perf_counter(), 0, 0.0, 0
        rate = self.optimizer.param_groups[0]["lr"]
        self.model.train()
        for number, batch in enumerate(self.loader, 1):
            x, y = self.moved(batch)
            scores = self.model(x)
            loss = self.loss(scores, y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            samples += len(y)
            total += loss.item() * len(y)
            right += int((scores.detach().argmax(1) == y).sum().item())
            speed = samples / (time.perf_counter() - start)
            shown = {
                "loss": total / samples,
                "accuracy": right / samples,
                "samples_per_second": speed,
            }
            progress.batch(self.epoch + 1, number, shown)
        if not math.isfinite(total):
            raise Problem(f"the loss became {total} in epoch {self.epoch + 1}; try a smaller --lr")
        test_loss, test_accuracy = self.test()
        self.scheduler.step()
        self.epoch += 1
        record = {
            "epoch": self.epoch, "lr": rate, "train_loss": total / samples,
            "train_accuracy": right / samples, "test_loss": test_loss,
            "test_accuracy": test_accuracy, "samples_per_second": round(speed, 1),
            "seconds": round(time.perf_counter() - start, 4),
        }  # fmt: skip
        self.history.append(record)
        return record

    def test(self) -> tuple[float, float]:
        """Mean loss and accuracy on what is held out."""
        total, right, count = 0.0, 0, len(self.data.test[1])
        self.model.eval()
        with ag.no_grad():
            for start in range(0, count, 1024):
                x, y = self.moved([t[start : start + 1024] for t in self.data.test])
                scores = self.model(x)
                total += self.loss(scores, y).item() * len(y)
                right += int((scores.argmax(1) == y).sum().item())
        return total / count, right / count

    def moved(self, tensors: Any) -> Any:
        """The tensors on the run's device."""
        return tensors if self.device == "cpu" else [t.to(self.device) for t in tensors]


def finish(run: Run, out: Path) -> None:
    """Say how the run went, and where its files are."""
    last = run.history[-1]
    right = round(last["test_accuracy"] * len(run.data.test[1]))
    print(f"test accuracy {last['test_accuracy']:.2%} ({right} of {len(run.data.test[1])})")
    print(f"checkpoint  {out / 'checkpoint.pt'}")
    print(f"metrics     {out / 'metrics.jsonl'}")
    title = f"{run.options['model']} on {Path(run.data.name).name}"
    if _curves.draw(run.history, title, out / "curves.png"):
        print(f"curves      {out / 'curves.png'}")
    else:
        print('curves      not drawn: they need matplotlib (pip install "autograd_gpu[app]")')
