"""Data sets that come with the package, and how to hold a part of them out."""

from ._digits import digits, train_test_split

__all__ = ["digits", "train_test_split"]
