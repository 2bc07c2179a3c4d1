/* A product is cut into slices of kRows of m and kInner of k: a slice of a (64 KiB) stays in the second cache while all
 * columns of b meet it. */
#include "cpu/product.h"

#include <cblas.h>
#ifdef CUONN_LIBXSMM
#include <libxsmm.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

enum { kRows = 64, kInner = 256 };

#ifdef CUONN_LIBXSMM
static bool can_execute;

/* libxsmm 1.17 returns code even where its memory could not be made executable. */
static void try_to_execute(void) {
  const size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *const page = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  can_execute = page != MAP_FAILED && mprotect(page, size, PROT_READ | PROT_EXEC) == 0;
  if (page != MAP_FAILED) munmap(page, size);
}

static product_code *code_of(const product_size *s, size_t m, size_t k, bool add) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const int a_step = (int)s->lda, b_step = (int)s->ldb, c_step = (int)s->ldc;
  const int flags = s->turned ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE, fetch = LIBXSMM_PREFETCH_NONE;
  const float one = 1, keep = add ? 1 : 0;
  pthread_once(&once, try_to_execute);
  if (!can_execute) return NULL;
  return libxsmm_smmdispatch((int)m, (int)s->n, (int)k, &a_step, &b_step, &c_step, &one, &keep, &flags, &fetch);
}
#else
static product_code *code_of(const product_size *s, size_t m, size_t k, bool add) {
  (void)s, (void)m, (void)k, (void)add;
  return NULL;
}
#endif

/* Length of the last slice: 1 .. most. */
static size_t last(size_t length, size_t most) { return (length - 1) % most + 1; }

cpu_product cpu_product_of(product_size size) {
  cpu_product p = {.size = size};
  bool complete = true;
  for (size_t i = 0; i < 8; i++) {
    const bool last_m = i & 1, last_k = i & 2, add = i & 4;
    if ((!last_m && size.m <= kRows) || (!last_k && size.k <= kInner)) continue;
    product_code *const code =
        code_of(&size, last_m ? last(size.m, kRows) : kRows, last_k ? last(size.k, kInner) : kInner, add);
    p.code[last_m][last_k][add] = code;
    complete = complete && code;
  }
  return complete ? p : (cpu_product){.size = size};
}

void cpu_product_run(const cpu_product *p, float *c, const float *a, const float *b) {
  const product_size *const s = &p->size;
  if (!p->code[1][1][1]) {
    cblas_sgemm(CblasColMajor, CblasNoTrans, s->turned ? CblasTrans : CblasNoTrans, (int)s->m, (int)s->n, (int)s->k, 1,
                a, (int)s->lda, b, (int)s->ldb, s->add ? 1 : 0, c, (int)s->ldc);
    return;
  }
  for (size_t i = 0; i < s->m; i += kRows) {
    for (size_t j = 0; j < s->k; j += kInner) {
      product_code *const code = p->code[i + kRows >= s->m][j + kInner >= s->k][s->add || j > 0];
      code(a + j * s->lda + i, b + j * (s->turned ? s->ldb : 1), c + i);
    }
  }
}
