"""Floor 3: the table of ops, one file a chapter. Importing it fills the registry."""

from . import (  # noqa: F401
    arithmetic,
    complex,
    convert,
    create,
    dropout,
    elementwise,
    index,
    linear,
    matmul,
    products,
    random_fill,
    reduce,
    sample,
    sample_from,
    select,
    shape,
)
