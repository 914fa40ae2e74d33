"""The nets that the command line trains."""

import math
from typing import Any

from autograd_gpu import nn, optim

from ._errors import Problem

__all__ = ["build", "optimizer"]


def build(name: str, shape: tuple[int, ...], classes: int) -> Any:
    """The net `name` for samples of `shape`. Raises Problem where it cannot take these."""
    features = math.prod(shape)
    if name == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(features, classes))
    if name == "mlp":
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(features, 256),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(256, classes),
        )
    return _convolutional(shape, classes)


def _convolutional(shape: tuple[int, ...], classes: int) -> Any:
    if len(shape) not in (2, 3) or min(shape[-2:]) < 4:
        raise Problem(
            "the cnn needs images (samples, height, width) or (samples, channels, height, width) "
            f"of at least 4 x 4, but a sample has shape {shape}; --model mlp takes any"
        )
    channels = shape[0] if len(shape) == 3 else 1
    height, width = shape[-2:]
    head = [] if len(shape) == 3 else [nn.Unflatten(1, (1, height))]
    return nn.Sequential(
        *head,
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), classes),
    )


def optimizer(name: str, params: Any, lr: float) -> Any:
    """The optimizer `name`; SGD with Nesterov's momentum, the others as they come."""
    if name == "sgd":
        return optim.SGD(params, lr, momentum=0.9, nesterov=True)
    return {"adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop}[name](params, lr)
