/* What a test asks of the emulated device. */
#ifndef SIMT_H
#define SIMT_H

#define SIMT_EMULATED /* not defined where tests run on a real device */

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Orders in which warps, and lanes within a warp, run until they wait: 0 ascending, 1 descending, 2 and 3 random (the
 *  same at each run). All but 3 run one block as far as it goes before the next; 3 mixes the blocks that are resident.
 *  The environment variable CUONN_SIMT_SCHEDULE sets the one that a program starts with. */
enum { SIMT_SCHEDULES = 4 };
void simt_schedule(int schedule);

/** Why the last launch failed; "" if none has. */
const char *simt_error(void);

/** A working device again: clears the error that stays, the planned faults and the device's description. Allocations,
 *  streams and graphs stay. */
void simt_reset(void);

/** Devices of the machine: 1 to SIMT_DEVICES (1 at the start, or what the environment variable CUONN_SIMT_DEVICES
 * says). A process sees those that CUDA_VISIBLE_DEVICES lists. */
enum { SIMT_DEVICES = 8 };
void simt_devices(int n);

/* The following two are about the device of the calling thread (cudaSetDevice). */

/** The device: 2 to 4 multiprocessors (2 at the start), and the bytes of shared memory that a block may ask for
 *  (232448, or 101376 as on workstation cards). */
void simt_device(int multiprocessors, size_t shared_bytes);

/** Bytes of device memory (1 GiB at the start). */
void simt_memory(size_t bytes);

/** What is there: a GPU; a driver without a GPU; no driver; a driver older than the runtime; a GPU that no kernel was
 *  built for. */
typedef enum { SIMT_GPU, SIMT_NO_GPU, SIMT_NO_DRIVER, SIMT_OLD_DRIVER, SIMT_OLD_GPU } simt_kind;
void simt_no_device(simt_kind kind);

/** Such a GPU whose driver answers with this error, a cudaError_t, where it is asked for a kernel (209 at the start).
 */
void simt_no_code(int error);

/** The allocation (device or pinned) after the next n fails, as do those that follow. Negative: none. */
void simt_fail_malloc_after(long n);

/** The kernel after the next n is the last of the calling thread's device: it fails, and so does every later call.
 * Negative: none. */
void simt_fail_launch_after(long n);

/** While held, the device of the calling thread starts no kernel: who launches one waits. */
void simt_hold(bool hold);

/** What is alive: allocations (device and pinned), streams, events, graphs, plans and handles. 0 when all was freed. */
size_t simt_alive(void);

/** Since the start: kernels run; what the host has queued (kernels, copies, products, a graph as one); how often it has
 *  waited for a stream or an event. */
size_t simt_launches(void);
size_t simt_queued(void);
size_t simt_waits(void);

/** Ranges that are open for a profiler, or a negative number once more were closed than opened. */
int simt_ranges(void);

#ifdef __cplusplus
}
#endif
#endif
