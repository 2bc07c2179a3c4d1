/** @file benchmark.h
 *  How long the backends take, and how that compares with what their machine could do.
 *
 *  Inputs are noise: no work depends on what is in them.  Data lie where the backend computes before the clock starts.
 */
#ifndef CUONN_BENCHMARK_H
#define CUONN_BENCHMARK_H

#include <stdbool.h>
#include <stddef.h>

#include "cuonn/compute.h"
#include "cuonn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What one operation is. */
typedef enum cuonn_benchmark_case {
  CUONN_BENCHMARK_FEATURES,  /**< Fourier features of a batch of images, from host memory to where they are kept */
  CUONN_BENCHMARK_FORWARD,   /**< a batch through the network to its loss, without gradients */
  CUONN_BENCHMARK_PROPAGATE, /**< a batch of fields through one mesh, node by node */
  CUONN_BENCHMARK_PROPAGATE_STAGES, /**< the same with the fields at all five stages of every column written out */
  CUONN_BENCHMARK_TRAIN_STEP,       /**< forward, loss, backward and optimizer on a batch; many steps in one call */
  CUONN_BENCHMARK_EVALUATE          /**< loss and accuracy on a test set of CUONN_BENCHMARK_TEST_SET examples */
} cuonn_benchmark_case;

/** Number of cases. */
#define CUONN_BENCHMARK_CASES 6

/** Examples of the test set; that of MNIST and Fashion-MNIST is as large. */
#define CUONN_BENCHMARK_TEST_SET 10000

/** Name of a case, such as "train_step".  @return a constant string, NULL if unknown */
CUONN_API const char *cuonn_benchmark_case_name(cuonn_benchmark_case what);

/** Case of a name.  @return CUONN_OK; CUONN_E_ARGUMENT naming all cases */
CUONN_API cuonn_status cuonn_benchmark_case_parse(cuonn_benchmark_case *out, const char *name);

/** What to measure.  Start from CUONN_BENCHMARK_OPTIONS_INIT. */
typedef struct cuonn_benchmark_options {
  cuonn_benchmark_case what;
  size_t n_modes;      /**< N, 8..1024; features need N = (2 radius)^2 */
  size_t batch_size;   /**< 1..65536; `evaluate` does not use it */
  size_t n_layers;     /**< 1..CUONN_LAYERS_MAX; `features` does not use it, propagations go through one mesh */
  size_t n_warm_up;    /**< operations before the first sample */
  size_t n_samples;    /**< 1..1000000 */
  double most_seconds; /**< of all samples: fewer are taken, but at least 3, where operations are slow */
  cuonn_method method; /**< columns or dense, where cuonn_benchmark_has_method(); other cases have one way */
} cuonn_benchmark_options;

/** A training step of the source study. */
#define CUONN_BENCHMARK_OPTIONS_INIT \
  { CUONN_BENCHMARK_TRAIN_STEP, 64, 512, 3, 2, 20, 6.0, CUONN_METHOD_COLUMNS }

/** Checks the ranges above.
 *  @return CUONN_OK; CUONN_E_ARGUMENT naming what is out of range; CUONN_E_SHAPE if N does not fit Fourier features */
CUONN_API cuonn_status cuonn_benchmark_options_check(const cuonn_benchmark_options *options);

/** Whether a case can be computed by more than one method: training steps, forward and evaluate. */
CUONN_API bool cuonn_benchmark_has_methods(cuonn_benchmark_case what);

/** Whether a context's backend computes a case by options->method; all of them have columns. */
CUONN_API bool cuonn_benchmark_has_method(const cuonn_context *context, const cuonn_benchmark_options *options);

/** The method that CUONN_METHOD_AUTO takes for a case: columns or dense. */
CUONN_API cuonn_method cuonn_benchmark_auto(const cuonn_context *context, const cuonn_benchmark_options *options);

/** The work of one operation, whatever the backend.  By columns, with n = N(N-1)/2 nodes per mesh, m the nodes of
 *  the last mesh from which light reaches one of the C outputs that are read, C the lesser of 10 and N, L layers, B
 * examples, P = (L - 1) n + m nodes at work, images of M = s^2 pixels, w = sqrt(N) + 1 cosines and sines along an axis,
 * and a multiply-add as two operations:
 *
 *  | case             | floating-point operations | bytes                       |
 *  | ---------------- | ------------------------- | --------------------------- |
 *  | features         | 2 s w (s + w) B           | (M + 8 N) B                 |
 *  | forward          | 14 P B                    | (8 N + 1) B + 8 L n         |
 *  | propagate        | 14 n B                    | 16 N B + 8 n + 4 N          |
 *  | propagate_stages | 28 n B                    | (16 + 40 N) N B + 8 n + 4 N |
 *  | train_step       | 56 P B + 28 P             | (8 N + 1) B + 48 L n        |
 *  | evaluate         | as forward, B = 10000     | as forward, B = 10000       |
 *
 *  A node without errors takes 2 multiplications and 6 multiply-adds forward (14), and 6 and 18 backward (42): the
 *  field undone, the cotangent, and two sums for its phases.
 *
 *  By matrices (options->method dense), with K the pairs of an output that is read and a node from which light reaches
 *  it, of all meshes, R_1 the rows of the first matrix that are read and R those of all others (N each, C of the last):
 *
 *  | case             | floating-point operations             | bytes      |
 *  | ---------------- | ------------------------------------- | ---------- |
 *  | forward          | (6 R_1 + 4 R) N B + 14 K              | as columns |
 *  | train_step       | 12 (R_1 + R) N B + 14 K + 42 K + 28 P | as columns |
 *  | evaluate         | as forward, B = 10000                 | as columns |
 *
 *  A product of complex inputs is three real ones, and the sum over examples that gives a matrix its gradient is as
 *  large; inputs of later layers are real, their products two real ones, and so are sums and cotangents.  Rows go
 *  through the nodes as a field does (14 K), and undone beside the sums, which go forward (42 K).
 *
 *  Stage by stage it takes two complex factors of 6 and two
 *  couplers of 8.  Adam takes 14 for each of the 2 P phases.  Left out, as small beside these: sines of the phases,
 *  moduli, softmax.  Bytes are what must be read or written once with numbers of 4 bytes: fields or features, labels,
 *  phases (train_step: read and written, with their two moments); a byte a pixel. */
typedef struct cuonn_benchmark_work {
  size_t n_examples;
  double flops, bytes;
} cuonn_benchmark_work;

/** Work of one operation of valid options. */
CUONN_API cuonn_benchmark_work cuonn_benchmark_count(const cuonn_benchmark_options *options);

/** What a backend's machine can do. */
typedef struct cuonn_machine {
  char name[256];          /**< processor or device */
  double clock_hz;         /**< seen while measuring; 0 if unknown */
  double bytes_per_second; /**< read and written, by a copy larger than any cache */
  double flops_per_second; /**< multiply-adds in the backend's precision, each counted as two */
} cuonn_machine;

/** Measures the machine of a context's backend; takes about a second.
 *  @return CUONN_OK; CUONN_E_MEMORY; CUONN_E_DEVICE */
CUONN_API cuonn_status cuonn_machine_measure(cuonn_machine *out, cuonn_context *context);

/** Compares backends before they are timed, by every method that they have for the case, on the case's own network and
 * the first examples of its data: features, loss, output fields, fields at all stages, or the losses of three training
 * steps.  So many examples that no more than some 4 million nodes are passed, at least one and at most the batch.
 *  @param[in] contexts  [n_contexts]; the others are compared with the last one, which computes by columns
 *  @return CUONN_OK; CUONN_E_INTERNAL with both values if a number differs by more than 2e-5, times the root of L N /
 *          192 where that is more than 1, of the largest one; as cuonn_benchmark_options_check(); CUONN_E_MEMORY;
 *          CUONN_E_DEVICE */
CUONN_API cuonn_status cuonn_benchmark_check(cuonn_context *const *contexts, size_t n_contexts,
                                             const cuonn_benchmark_options *options);

/** About how long one operation takes, without doing it where it is long: batches of 1, 4, 16, ... examples are tried
 *  until one takes longer than `enough`, or the next would be the whole; the rest is taken to be proportional.
 *  @param[out] seconds  0 for a batch of one example, which is not tried
 *  @return as cuonn_benchmark_measure() */
CUONN_API cuonn_status cuonn_benchmark_predict(double *seconds, cuonn_context *context,
                                               const cuonn_benchmark_options *options, double enough);

/** Samples of one case. */
typedef struct cuonn_benchmark {
  size_t n_samples;
  double *seconds; /**< [n_samples] of one operation each, ascending; a sample is the mean of n_steps */
  size_t n_steps;  /**< operations of one sample: training steps of a call; of others, up to 64 that take 1 ms; 1 of
                    *   propagations, of which `cuda` runs up to 256 in a row for one sample */
  double median, p10, p90; /**< seconds; quantile q is the sample at rank q (n - 1), rounded */
} cuonn_benchmark;

/** Measures one case on one context.
 *  @param[out] out  release with cuonn_benchmark_free(); zeroed on failure
 *  @return as cuonn_benchmark_options_check(); CUONN_E_MEMORY; CUONN_E_DEVICE */
CUONN_API cuonn_status cuonn_benchmark_measure(cuonn_benchmark *out, cuonn_context *context,
                                               const cuonn_benchmark_options *options);

/** Releases the samples and zeroes the struct.  NULL and zeroed structs are fine. */
CUONN_API void cuonn_benchmark_free(cuonn_benchmark *benchmark);

#ifdef __cplusplus
}
#endif
#endif
