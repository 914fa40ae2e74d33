// A libcublas whose products are computed by whoever sets its hooks. The other functions that CuPy's bindings link to are
// added when it is built; all of them answer CUBLAS_STATUS_NOT_SUPPORTED.
typedef int (*Batched)(void*, int, int, int, int, int, const void*, const void*, int, int, long long, const void*, int, int,
                       long long, const void*, void*, int, int, long long, int, int, int);
typedef int (*Gemm)(void*, int, int, int, int, int, const void*, const void*, int, int, const void*, int, int, const void*,
                    void*, int, int, int, int);
typedef int (*Dot)(void*, int, const void*, int, const void*, int, void*);
typedef int (*Set)(void*, int);

extern "C" {
Gemm hook_gemm;
Batched hook_batched;
Dot hook_sdot, hook_ddot, hook_cdotu, hook_cdotc, hook_zdotu, hook_zdotc;
Set hook_pointer_mode, hook_math_mode;
int math_mode;
void* last_stream;

int cublasGemmEx(void* handle, int transa, int transb, int m, int n, int k, const void* alpha, const void* A, int Atype,
                 int lda, const void* B, int Btype, int ldb, const void* beta, void* C, int Ctype, int ldc, int compute,
                 int algo) {
    return hook_gemm(handle, transa, transb, m, n, k, alpha, A, Atype, lda, B, Btype, ldb, beta, C, Ctype, ldc, compute,
                     algo);
}
int cublasGemmStridedBatchedEx(void* handle, int transa, int transb, int m, int n, int k, const void* alpha, const void* A,
                               int Atype, int lda, long long strideA, const void* B, int Btype, int ldb, long long strideB,
                               const void* beta, void* C, int Ctype, int ldc, long long strideC, int batches, int compute,
                               int algo) {
    return hook_batched(handle, transa, transb, m, n, k, alpha, A, Atype, lda, strideA, B, Btype, ldb, strideB, beta, C,
                        Ctype, ldc, strideC, batches, compute, algo);
}
#define DOT(NAME, HOOK)                                                                                          \
    int NAME(void* handle, int n, const void* x, int incx, const void* y, int incy, void* result) {              \
        return HOOK(handle, n, x, incx, y, incy, result);                                                        \
    }
DOT(cublasSdot_v2, hook_sdot)
DOT(cublasDdot_v2, hook_ddot)
DOT(cublasCdotu_v2, hook_cdotu)
DOT(cublasCdotc_v2, hook_cdotc)
DOT(cublasZdotu_v2, hook_zdotu)
DOT(cublasZdotc_v2, hook_zdotc)
int cublasSetPointerMode_v2(void* handle, int mode) { return hook_pointer_mode(handle, mode); }
int cublasSetMathMode(void* handle, int mode) { return hook_math_mode(handle, math_mode = mode); }
int cublasGetMathMode(void*, int* mode) { *mode = math_mode; return 0; }
int cublasSetStream_v2(void*, void* stream) { last_stream = stream; return 0; }
}
