"""How a run shows where it is: a bar on a terminal, a line an epoch elsewhere."""

import shutil
import sys
import time
from typing import Any

__all__ = ["Progress"]


class Progress:
    """Shows batches and epochs on stderr.

    On a terminal: tqdm's bar where it is installed, else one line that is written over. Where
    stderr is a file or a pipe: one line an epoch, without control characters.
    """

    def __init__(self, epoch: int, epochs: int, batches: int) -> None:
        self.epochs, self.batches = epochs, batches
        self.bar: Any = None
        self.tty = sys.stderr.isatty()
        self._shown = 0.0
        self._width = 0
        self._columns = min(shutil.get_terminal_size().columns, 110)
        if self.tty:
            try:
                from tqdm import tqdm
            except ImportError:
                return
            self.bar = tqdm(
                total=epochs * batches,
                initial=epoch * batches,
                unit="batch",
                bar_format="{desc} |{bar}| {percentage:3.0f}%{postfix} [{elapsed}<{remaining}]",
                ncols=self._columns,
            )

    def batch(self, epoch: int, number: int, numbers: dict[str, float]) -> None:
        """A batch is done; `numbers`: loss, accuracy and samples per second so far."""
        if not self.tty:
            return
        now = time.monotonic()
        late = number == self.batches or now - self._shown > 0.1
        if self.bar is not None:
            if late:
                self.bar.set_description_str(f"epoch {epoch}/{self.epochs}", refresh=False)
                self.bar.set_postfix_str(_text(numbers), refresh=False)
            self.bar.update(1)
        elif late:
            self._write_over(
                f"epoch {epoch}/{self.epochs} {number}/{self.batches} {_text(numbers)}"
            )
        if late:
            self._shown = now

    def epoch(self, record: dict[str, Any]) -> None:
        """An epoch is done."""
        if not self.tty:
            print(
                f"epoch {record['epoch']:{len(str(self.epochs))}}/{self.epochs}  "
                f"loss {record['train_loss']:.4f}  accuracy {record['train_accuracy']:.4f}  "
                f"test loss {record['test_loss']:.4f}  test accuracy "
                f"{record['test_accuracy']:.4f}  {record['samples_per_second']:,.0f} samples/s",
                file=sys.stderr,
                flush=True,
            )

    def close(self) -> None:
        """Leave the terminal at the start of a new line."""
        if self.bar is not None:
            self.bar.close()
        elif self.tty and self._width:
            print(file=sys.stderr)

    def _write_over(self, line: str) -> None:
        line = line[: self._columns - 1]
        print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
        self._width = len(line)


def _text(numbers: dict[str, float]) -> str:
    return (
        f"loss {numbers['loss']:.4f}  accuracy {numbers['accuracy']:.3f}  "
        f"{numbers['samples_per_second']:,.0f} samples/s"
    )
