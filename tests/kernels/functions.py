"""A kernel of every mathematical function that kernels may call: compiled by g++ and by NVRTC alike."""

ONE = """
acos acosh asin asinh atan atanh cbrt ceil cos cosh cospi cyl_bessel_i0 cyl_bessel_i1 erf erfc
erfcinv erfcx erfinv exp exp10 exp2 expm1 fabs floor j0 j1 lgamma log log10 log1p log2 logb
nearbyint normcdf normcdfinv rcbrt rint round rsqrt sin sinh sinpi sqrt tan tanh tgamma trunc y0 y1
""".split()
TWO = "atan2 copysign fdim fmax fmin fmod hypot nextafter pow remainder rhypot".split()
OTHER = [
    "max(x, y)", "min(x, y)", "fma(x, y, x)", "norm3d(x, y, x)", "rnorm3d(x, y, x)",
    "norm4d(x, y, x, y)", "rnorm4d(x, y, x, y)", "jn(2, x)", "yn(2, x)", "ldexp(x, 3)",
    "scalbn(x, 3)", "pow(x, 2)", "isnan(x)", "isinf(x)", "isfinite(x)", "signbit(x)", "ilogb(x)",
    "llrint(x)", "lround(x)", "abs(x)",
]  # fmt: skip
FLOAT_ONLY = [
    "__expf(x)", "__logf(x)", "__powf(x, y)", "__fdividef(x, y)", "__fmul_rn(x, y)",
    "__fadd_rn(x, y)", "__fsub_rn(x, y)", "__fdiv_rn(x, y)", "__frcp_rn(x)", "__fsqrt_rn(x)",
    "__fmaf_rn(x, y, x)", "__saturatef(x)", "__float2int_rn(x)", "__float2int_rz(x)",
    "__float2uint_rn(x)", "__float2ll_rd(x)", "__float_as_int(x)", "__int_as_float(7)",
    "__float2ull_ru(x)", "__frsqrt_rn(x)", "rhypotf(x, y)", "fdividef(x, y)",
]  # fmt: skip
DOUBLE_ONLY = [
    "__dmul_rn(x, y)", "__dadd_rn(x, y)", "__ddiv_rn(x, y)", "__drcp_rn(x)", "__dsqrt_rn(x)",
    "__fma_rn(x, y, x)", "__double2int_rn(x)", "__double2ll_rn(x)", "__double2uint_rz(x)",
    "__double2hiint(x)", "__double2loint(x)", "__hiloint2double(1, 2)", "__double2float_rn(x)",
    "__double_as_longlong(x)",
]  # fmt: skip
INTEGER = [
    "__umulhi(a, b)", "__mulhi((int)a, (int)b)", "__umul64hi(c, d)", "__mul64hi((long long)c, 3)",
    "__popc(a)", "__popcll(c)", "__clz((int)a)", "__clzll((long long)c)", "__ffs((int)a)",
    "__ffsll((long long)c)", "__brev(a)", "__brevll(c)", "__funnelshift_l(a, b, 7)",
    "__funnelshift_r(a, b, 39)", "__byte_perm(a, b, 0x3a71)", "min(a, b)", "max(c, d)",
]  # fmt: skip


def expressions(kind):
    """What is computed for a type of x and y, one a row of the result."""
    if kind == "float":
        suffixed = [f"{f}f(x)" for f in ONE] + [f"{f}f(x, y)" for f in TWO]
        own = suffixed + FLOAT_ONLY
    else:
        own = DOUBLE_ONLY
    return [f"{f}(x)" for f in ONE] + [f"{f}(x, y)" for f in TWO] + OTHER + own


def text():
    """The source of the kernels `functions_float`, `functions_double`, `integers`."""
    out = []
    for kind in ("float", "double"):
        rows = "".join(f"  out[{k} * n + i] = {e};\n" for k, e in enumerate(expressions(kind)))
        out.append(
            f'extern "C" __global__ void functions_{kind}(const {kind}* in, {kind}* out, int n) {{\n'
            f"  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  if (i >= n) return;\n"
            f"  {kind} x = in[2 * i], y = in[2 * i + 1];\n{rows}}}\n"
        )
    rows = "".join(f"  out[{k} * n + i] = {e};\n" for k, e in enumerate(INTEGER))
    out.append(
        'extern "C" __global__ void integers(const unsigned long long* in, long long* out, int n) {\n'
        "  int i = threadIdx.x;\n  unsigned long long c = in[2 * i], d = in[2 * i + 1];\n"
        f"  unsigned a = (unsigned)c, b = (unsigned)d;\n{rows}}}\n"
    )
    return "".join(out)


NAMES = ["functions_float", "functions_double", "integers"]
