/* Time of a training step, of every backend of this build in one run. README.md says how it is measured.
 *   cuonn-bench-step [--modes 64] [--layers 3] [--batch 512] [--steps 480] [--threads 0] [--json FILE [--commit TEXT]] */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "cuonn/cuonn.h"

enum { kCheckedSteps = 3, kMostSamples = 1 << 16 };

typedef struct {
  size_t modes, layers, batch, steps;
  int threads;
  const char *json, *commit; /* commit: what was measured, for the JSON file */
} settings;

/* A backend is asked for several steps at once, and reports when they are done: one sample is the mean of such a call. */
typedef struct {
  const char *backend;
  size_t n_samples, n_losses;
  double last_seconds, samples[kMostSamples]; /* seconds a step */
  size_t last_step;
  double losses[kCheckedSteps];
} record;

static _Noreturn void give_up(const char *what) {
  fprintf(stderr, "cuonn-bench-step: %s\n", what);
  exit(1);
}

static void need(cuonn_status status) {
  if (status != CUONN_OK) give_up(cuonn_last_error());
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static cuonn_status on_step(void *user, uint64_t step, double loss) {
  record *const r = user;
  (void)step;
  if (r->n_losses < kCheckedSteps) r->losses[r->n_losses++] = loss;
  return CUONN_OK;
}

static cuonn_status on_progress(void *user, const cuonn_progress *progress) {
  record *const r = user;
  const double seconds = now();
  if (r->last_step > 0 && r->n_samples < kMostSamples) { /* the first call warms up */
    r->samples[r->n_samples++] = (seconds - r->last_seconds) / (double)(progress->step_in_epoch - r->last_step);
  }
  r->last_step = progress->step_in_epoch;
  r->last_seconds = now();
  return CUONN_OK;
}

/* Noise for images: as good as any for timing. */
static void fill_images(cuonn_images *out, size_t n_examples, size_t side) {
  const size_t n_pixels = n_examples * side * side;
  uint32_t random = 1;
  *out = (cuonn_images){n_examples, side, side, malloc(n_pixels), malloc(n_examples), NULL};
  if (!out->pixels || !out->labels) give_up("not enough memory");
  for (size_t i = 0; i < n_pixels; i++) {
    random = random * 1664525 + 1013904223;
    out->pixels[i] = (uint8_t)(random >> 24);
  }
  for (size_t e = 0; e < n_examples; e++) out->labels[e] = (uint8_t)(e % 2);
}

/* One epoch of so many steps. */
static void train(record *r, const settings *s, size_t steps, const cuonn_dataset *data) {
  const size_t side = (size_t)lround(sqrt((double)s->modes));
  const cuonn_features_options features = {.kind = CUONN_FEATURES_RESAMPLE, .side = side};
  const cuonn_network_shape shape = {s->modes, s->layers, s->modes < 10 ? s->modes : 10, CUONN_STYLE_TOP, true};
  const cuonn_training_callbacks callbacks = {r, on_progress, NULL, on_step};
  cuonn_training_options options = CUONN_TRAINING_OPTIONS_INIT;
  cuonn_dataset part = *data;
  cuonn_training_state state;
  cuonn_context *context;
  options.epochs = 1;
  options.batch_size = s->batch;
  part.train.n_examples = steps * s->batch;
  need(cuonn_training_state_create(&state, &shape));
  need(cuonn_network_initialize(&state.network, CUONN_START_HAAR_PHASES, 0));
  need(cuonn_context_create(&context, r->backend, s->threads));
  need(cuonn_train(&state, context, &part, &features, &options, &callbacks));
  cuonn_context_free(context);
  cuonn_training_state_free(&state);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const record *r, double q) { return r->samples[(size_t)(q * (double)(r->n_samples - 1) + 0.5)]; }

/* Model name of the processor, as the system tells it. */
static void processor(char *out, size_t size) {
  FILE *const file = fopen("/proc/cpuinfo", "r");
  char line[512];
  snprintf(out, size, "unknown");
  while (file && fgets(line, sizeof line, file)) {
    const char *const value = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || !value) continue;
    snprintf(out, size, "%s", value + 2);
    out[strcspn(out, "\n")] = '\0';
    break;
  }
  if (file) fclose(file);
}

static void write_json(const settings *s, const record *records, size_t n, const char *cpu) {
  char date[32];
  const time_t t = time(NULL);
  strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime(&t));
  json_t *const results = json_array();
  for (size_t i = 0; i < n; i++) {
    json_array_append_new(
        results, json_pack("{s:s, s:f, s:f, s:f, s:I}", "backend", records[i].backend, "median_ms",
                           1e3 * quantile(&records[i], 0.5), "p10_ms", 1e3 * quantile(&records[i], 0.1), "p90_ms",
                           1e3 * quantile(&records[i], 0.9), "samples", (json_int_t)records[i].n_samples));
  }
  json_t *const all = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:o}", "case", "train_step", "date",
                                date, "commit", s->commit, "version", cuonn_version(), "build", cuonn_build(), "cpu",
                                cpu, "threads", s->threads, "modes", (json_int_t)s->modes, "layers",
                                (json_int_t)s->layers, "batch", (json_int_t)s->batch, "results", results);
  if (!all || json_dump_file(all, s->json, JSON_INDENT(2)) != 0) give_up("the JSON file could not be written");
  json_decref(all);
}

static size_t number(const char *text, size_t least, size_t most) {
  char *end;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (errno || *end || end == text || value < least || value > most) {
    fprintf(stderr, "cuonn-bench-step: %s must be a whole number from %zu to %zu\n", text, least, most);
    exit(2);
  }
  return (size_t)value;
}

static settings parse(int argc, char **argv) {
  static const struct option options[] = {{"modes", 1, NULL, 'n'},  {"layers", 1, NULL, 'l'},  {"batch", 1, NULL, 'b'},
                                          {"steps", 1, NULL, 's'},  {"threads", 1, NULL, 't'}, {"json", 1, NULL, 'j'},
                                          {"commit", 1, NULL, 'c'}, {NULL, 0, NULL, 0}};
  settings s = {64, 3, 512, 480, 0, NULL, ""};
  for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    switch (key) {
      case 'n': s.modes = number(optarg, 4, 16384); break;
      case 'l': s.layers = number(optarg, 1, 1024); break;
      case 'b': s.batch = number(optarg, 1, 1 << 20); break;
      case 's': s.steps = number(optarg, 2, kMostSamples); break;
      case 't': s.threads = (int)number(optarg, 0, 1024); break;
      case 'j': s.json = optarg; break;
      case 'c': s.commit = optarg; break;
      default: exit(2);
    }
  }
  const size_t side = (size_t)lround(sqrt((double)s.modes));
  if (optind < argc || side * side != s.modes) {
    fprintf(stderr, "cuonn-bench-step: no other arguments; --modes must be a square, as images are\n");
    exit(2);
  }
  return s;
}

int main(int argc, char **argv) {
  const settings s = parse(argc, argv);
  const size_t side = (size_t)lround(sqrt((double)s.modes));
  const size_t reference_steps = s.steps < 10 ? s.steps : 10; /* some 100 times slower */
  char cpu[256];
  cuonn_dataset data;
  size_t n = 0;
  while (cuonn_backend_name(n)) n++;
  record *const records = calloc(n, sizeof *records);
  if (!records) give_up("not enough memory");
  fill_images(&data.train, s.steps * s.batch, side);
  fill_images(&data.test, 1, side);
  processor(cpu, sizeof cpu);

  for (size_t i = 0; i < n; i++) {
    records[i].backend = cuonn_backend_name(i);
    train(&records[i], &s, kCheckedSteps, &data);
    for (size_t k = 0; k < kCheckedSteps; k++) {
      const double a = records[i].losses[k], b = records[0].losses[k];
      if (!(fabs(a - b) <= 1e-4 * fabs(b))) {
        fprintf(stderr, "cuonn-bench-step: step %zu has loss %.9g in %s and %.9g in %s; nothing is timed\n", k + 1, a,
                records[i].backend, b, records[0].backend);
        return 1;
      }
    }
  }

  printf("%s, %d threads (0 = all), cuonn %s, %s\n", cpu, s.threads, cuonn_version(), cuonn_build());
  printf("case        N   layers  batch  backend     median_ms  p10..p90 ms          examples/s   vs first\n");
  for (size_t i = 0; i < n; i++) {
    record *const r = &records[i];
    r->n_samples = r->last_step = 0;
    train(r, &s, strcmp(r->backend, "reference") == 0 ? reference_steps : s.steps, &data);
    if (r->n_samples == 0) give_up("too few steps for one sample; raise --steps");
    qsort(r->samples, r->n_samples, sizeof *r->samples, ascending);
    const double median = quantile(r, 0.5);
    printf("train_step  %-5zu %4zu  %5zu  %-10s %10.3f  %8.3f..%-8.3f  %10.0f  %9.1f\n", s.modes, s.layers, s.batch,
           r->backend, 1e3 * median, 1e3 * quantile(r, 0.1), 1e3 * quantile(r, 0.9), (double)s.batch / median,
           median / quantile(&records[0], 0.5));
  }
  if (s.json) write_json(&s, records, n, cpu);
  cuonn_images_free(&data.train);
  cuonn_images_free(&data.test);
  free(records);
  return 0;
}
