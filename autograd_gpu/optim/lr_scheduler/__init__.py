"""Schedules of learning rates: call `scheduler.step()` after the optimizer's steps of an epoch."""

from ._base import LRScheduler
from ._combine import ChainedScheduler, SequentialLR
from ._curves import ConstantLR, CosineAnnealingLR, LinearLR, PolynomialLR
from ._one_cycle import OneCycleLR
from ._plateau import ReduceLROnPlateau
from ._steps import ExponentialLR, LambdaLR, MultiplicativeLR, MultiStepLR, StepLR

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
