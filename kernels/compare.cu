// Comparisons, tests of numbers, logic on truth values and on bits, element by element. The name
// before a formula is that of the kernel in @op(kernel=...); a, b are the operands.
#include "elementwise.cuh"

namespace ag {

// ---- comparisons

// eq: a = b
struct Eq : Rounded { TEST(A a, A b) { return a == b; } };

// ne: a != b
struct Ne : Rounded { TEST(A a, A b) { return a != b; } };

// lt: a < b
struct Lt : Rounded { TEST(A a, A b) { return a < b; } };

// le: a <= b
struct Le : Rounded { TEST(A a, A b) { return a <= b; } };

// gt: a > b
struct Gt : Rounded { TEST(A a, A b) { return a > b; } };

// ge: a >= b
struct Ge : Rounded { TEST(A a, A b) { return a >= b; } };

// ---- what kind of number is it?

// isnan: a is NaN
struct Isnan { TEST(A a) { return a != a; } };

// isinf: a is infinite
struct Isinf { TEST(A a) { return fabs(a) == infinity<A>(); } };

// isfinite: a is neither infinite nor NaN
struct Isfinite { TEST(A a) { return a - a == A(0); } };

// ---- logic

// logical_and: a and b
struct LogicalAnd { TEST(A a, A b) { return a && b; } };

// logical_or: a or b
struct LogicalOr { TEST(A a, A b) { return a || b; } };

// logical_xor: a or b, not both
struct LogicalXor { TEST(A a, A b) { return !a != !b; } };

// logical_not: not a
struct LogicalNot { TEST(A a) { return !a; } };

// ---- bits

// bitwise_and: the bits that both have
struct BitwiseAnd { FORMULA(A a, A b) { return a & b; } };

// bitwise_or: the bits that either has
struct BitwiseOr { FORMULA(A a, A b) { return a | b; } };

// bitwise_xor: the bits that only one has
struct BitwiseXor { FORMULA(A a, A b) { return a ^ b; } };

__device__ __forceinline__ bool turned(bool a) { return !a; }
template <class A> __device__ __forceinline__ A turned(A a) { return ~a; }

// bitwise_not: every bit turned
struct BitwiseNot { FORMULA(A a) { return turned(a); } };

}  // namespace ag
