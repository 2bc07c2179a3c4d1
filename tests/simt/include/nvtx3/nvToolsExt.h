/* Ranges for a profiler: only their balance is kept (simt_ranges). */
#ifndef SIMT_NVTOOLSEXT_H
#define SIMT_NVTOOLSEXT_H
#ifdef __cplusplus
extern "C" {
#endif
int nvtxRangePushA(const char *name);
int nvtxRangePop(void);
void nvtxMarkA(const char *name);
#ifdef __cplusplus
}
#endif
#endif
