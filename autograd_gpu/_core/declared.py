"""A check that a compiler makes: the parameters of a kernel are those declared for it.

A driver cannot see that a kernel takes another type than the one it is given; so to a kernel's text
is added an assertion about the type of each instance."""

from collections.abc import Sequence

from .manifest.base import SCALARS, STRUCTS, Parameter

__all__ = ["WORDS", "assertion", "prelude"]

WORDS = {name: scalar.c for name, scalar in SCALARS.items()} | {
    "uint16": "unsigned short", "uint32": "unsigned", "uint64": "unsigned long long",
}  # fmt: skip
"""How C++ calls a type of NumPy's name."""

prelude = """
namespace ag_declared {
template <class T> struct Plain { typedef T type; };
template <> struct Plain<long> { typedef long long type; };
template <> struct Plain<unsigned long> { typedef unsigned long long type; };
template <class T> struct Plain<const T> { typedef const typename Plain<T>::type type; };
template <class T> struct Plain<T*> { typedef typename Plain<T>::type* type; };
template <class... P> struct List {};
template <class F> struct Of;
template <class... P> struct Of<void (*)(P...)> { typedef List<typename Plain<P>::type...> type; };
template <class A, class B> constexpr bool same = false;
template <class A> constexpr bool same<A, A> = true;
}  // namespace ag_declared
"""
"""To be put once before `assertion`s. `long` and `size_t` pass for the types of 64 bits that C++
tells apart from them."""


def _spelled(parameter: Parameter) -> str:
    name = parameter.dtype
    word = f"ag::{name}" if name in STRUCTS else WORDS[name]
    return f"{'const ' if parameter.const else ''}{word}{'*' if parameter.pointer else ''}"


def assertion(expression: str, parameters: Sequence[Parameter]) -> str:
    """C++ that compiles where the kernel of this name expression takes these parameters."""
    types = ", ".join(map(_spelled, parameters))
    structures = {p.dtype for p in parameters if p.dtype in STRUCTS}
    sizes = "".join(
        f'static_assert(sizeof(ag::{n}) == {STRUCTS[n].itemsize}, "{n} has another size");\n'
        for n in sorted(structures)
    )
    message = f"{expression} does not take the parameters declared for it: ({types})"
    return sizes + (
        f"static_assert(ag_declared::same<ag_declared::Of<decltype(&{expression})>::type, "
        f'ag_declared::List<{types}>>, "{message}");\n'
    )
