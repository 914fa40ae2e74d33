"""Rows of indexing: reading, adding, reducing and writing lines that integers name."""

from .base import FLOATS, Form, Kernel

__all__ = ["ROWS"]

WORDS = ("int8", "int16", "int32", "int64")  # what is only moved has a type of its width
NUMBERS = (*FLOATS, "int64", "int32")

_SIZES = "blocks: i64, length: i64, row: i64, count: i64"
_RUNS = "v: const T*, sorted: const i64*, order: const i64*, out: A*, " + _SIZES


def _kernel(name: str, forms: dict[str, Form], dtypes: tuple[str, ...]) -> Kernel:
    return Kernel(name, "index.cu", forms, dtypes)


def _by_warps(functor: str) -> Form:
    return Form(f"ag::reduce_runs_by_warps<ag::{functor}, {{T}}>", _RUNS)


ROWS = (
    _kernel("index_check", {
        "find": Form(
            "ag::index_check<{T}>",
            "index: const T*, first: i64*, n: i64, low: i64, high: i64",
        ),
    }, ("int64", "int32")),
    _kernel("index_select", {
        "lines": Form(
            "ag::index_select<{T}>", "x: const T*, index: const i64*, out: T*, " + _SIZES
        ),
    }, WORDS),
    _kernel("gather", {
        size: Form(
            f"ag::gather<{{T}}, {word}>",
            "x: const T*, index: const i64*, out: T*, n: i64, layout: Layout, length: i64, "
            "step: i64",
        )
        for size, word in (("int", "int"), ("long", "long long"))
    }, WORDS),
    _kernel("flat_places", {
        size: Form(
            f"ag::flat_places<{word}>",
            "index: const i64*, out: i64*, n: i64, layout: Layout, step: i64",
        )
        for size, word in (("int", "int"), ("long", "long long"))
    }, ("int64",)),
    _kernel("index_add", {
        "atomic": Form(
            "ag::index_add<{T}>", "v: const T*, index: const i64*, out: A*, " + _SIZES
        ),
        "sorted_columns": Form("ag::reduce_runs<ag::Sum, {T}>", _RUNS),
        "sorted_warps": _by_warps("Sum"),
    }, NUMBERS),
    _kernel("index_reduce", {
        "prod_warps": _by_warps("Product"),
        "amax_warps": _by_warps("Larger"),
        "amin_warps": _by_warps("Smaller"),
    }, NUMBERS),
    _kernel("index_last", {
        "find": Form(
            "ag::index_last<{T}>", "index: const T*, last: i32*, length: i64, count: i64"
        ),
    }, ("int64",)),
    _kernel("index_put", {
        "lines": Form(
            "ag::index_put<{T}>",
            "v: const T*, index: const i64*, last: const i32*, out: T*, " + _SIZES,
        ),
    }, WORDS),
)  # fmt: skip
