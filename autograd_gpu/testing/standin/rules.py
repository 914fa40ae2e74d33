"""Tables of what CuPy's functions do otherwise than NumPy's: what they refuse, what they return."""

__all__ = [
    "AXIS_NEEDS_DIMENSIONS", "KEEP_ORDER", "NO_ARRAYS", "NUMBERS_TOO", "NUMPY_TOO", "PLAIN",
    "RENAMED",
]  # fmt: skip

PLAIN = frozenset((
    "can_cast", "common_type", "iscomplexobj", "isfortran", "isrealobj", "isscalar", "issubdtype",
    "may_share_memory", "mintypecode", "min_scalar_type", "ndim", "promote_types", "result_type",
    "shape", "shares_memory", "size", "typename", "broadcast_shapes", "isdtype", "base_repr",
    "binary_repr", "array_repr", "array_str", "array2string", "iterable", "format_float_positional",
    "format_float_scientific", "get_printoptions", "set_printoptions", "printoptions",
))  # fmt: skip
"""Their answer is no array."""

NUMPY_TOO = frozenset(("result_type", "iterable", "isscalar"))
"""An array of NumPy's may be an argument."""

NUMBERS_TOO = PLAIN | {
    "allclose", "angle", "append", "apply_along_axis", "apply_over_axes", "arange", "around",
    "array", "array_equiv", "asanyarray", "asarray", "asnumpy", "atleast_1d", "atleast_2d",
    "atleast_3d", "average", "bartlett", "blackman", "broadcast_arrays", "column_stack", "compress",
    "concat", "concatenate", "diag", "diag_indices", "diagflat", "diff", "dstack", "einsum",
    "empty", "extract", "eye", "fromfunction", "full", "get_array_module", "gradient", "hamming",
    "hanning", "hstack", "identity", "imag", "indices", "isclose", "iscomplex", "isneginf",
    "isposinf", "isreal", "ix_", "kaiser", "kron", "linspace", "logspace", "mask_indices",
    "nan_to_num", "ones", "piecewise", "polyadd", "polymul", "polysub", "ravel_multi_index", "real",
    "require", "resize", "round", "select", "stack", "tile", "tri", "tril", "tril_indices", "triu",
    "triu_indices", "unwrap", "vander", "vstack", "zeros", "lexsort",
    "linalg.cond", "linalg.multi_dot", "fft.fftfreq", "fft.fftshift", "fft.ifftshift",
    "fft.rfftfreq",
}  # fmt: skip
"""Their first argument may be a number or a list: all others want an array of the device."""

AXIS_NEEDS_DIMENSIONS = frozenset((
    "sum", "prod", "max", "min", "amax", "amin", "mean", "std", "var", "all", "any", "argmax",
    "argmin", "ptp", "cumsum", "cumprod", "nansum", "nanprod", "nanmax", "nanmin", "nanmean",
    "nanstd", "nanvar", "median",
))  # fmt: skip
"""They refuse any axis of an array without dimensions, where NumPy lets 0 and -1 pass."""

NO_ARRAYS = frozenset((
    "shape", "newshape", "new_shape", "axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc",
    "indices_or_sections", "reps", "k", "N", "M", "n", "pad_width", "kth", "num", "decimals",
    "offset", "ddof", "dtype", "order", "dimensions", "source", "destination", "keepdims", "copy",
    "ndim", "shifts",
))  # fmt: skip
"""Parameters for which an array of the device is no whole number, even one without dimensions."""

KEEP_ORDER = frozenset((
    "copy", "ones_like", "zeros_like", "full_like", "nan_to_num", "asfortranarray", "array",
    "ndarray.copy", "gradient", "unwrap", "broadcast_arrays", "meshgrid", "argsort",
    "argpartition", "ndarray.argsort", "ndarray.argpartition", "linspace",
    "linalg.qr", "linalg.svd", "linalg.eigh", "linalg.solve", "linalg.lstsq",
    "cumsum", "cumprod", "ndarray.cumsum", "ndarray.cumprod",
))  # fmt: skip
"""Their results need not be row-major."""

RENAMED = {"reshape": {"newshape": "shape"}}
"""Where CuPy's name of a parameter is not NumPy's."""
