#include "config/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/value.h"

static const char *const features[] = {"fourier", "resample", NULL};
static const char *const styles[] = {"top", "bottom", "symmetric", "differential", NULL};
static const char *const starts[] = {"haar", "haar-phases", "file", NULL};
static const char *const orders[] = {"fixed", "shuffled", NULL};
static const char *const schedules[] = {"constant", "cosine", NULL};
static const char *const optimizers[] = {"adam", "sgd", NULL};
static const char *const backends[] = {"auto", "reference", "cpu", "cuda", NULL};

#define MEMBER(member) .offset = offsetof(cuonn_config, member), .size = sizeof(((cuonn_config *)0)->member)
#define INTEGER(member, from, to) .type = CONFIG_INTEGER, MEMBER(member), .least = (from), .most = (to)
#define NUMBER(member, from, to) .type = CONFIG_NUMBER, MEMBER(member), .low = (from), .high = (to)
#define BOOLEAN(member) .type = CONFIG_BOOLEAN, MEMBER(member)
#define TEXT(member, shortest) \
  .type = CONFIG_TEXT, MEMBER(member), .least = (shortest), .most = sizeof(((cuonn_config *)0)->member) - 1
#define CHOICE(member, of) .type = CONFIG_CHOICE, MEMBER(member), .choices = (of)
#define NAME(member, of) .type = CONFIG_NAME, MEMBER(member), .choices = (of)

const config_key config_keys[] = {
    {"data.path", TEXT(data_path, 1), .default_value = "/usr/share/datasets/fashion-mnist", .unit = "",
     .sentence = "Folder with the four IDX files of MNIST or Fashion-MNIST, gzipped or not."},
    {"data.features", CHOICE(features.kind, features), .default_value = "fourier", .unit = "",
     .sentence = "What enters the chip: the centre of the image's Fourier transform, or the image itself, zoomed.",
     .decides = true},
    {"data.radius", INTEGER(features.radius, 1, 512), .default_value = "4", .unit = "frequencies",
     .sentence = "With `fourier`: half the side of the square cut out of the spectrum; N = (2 radius)^2.",
     .decides = true},
    {"data.side", INTEGER(features.side, 2, 128), .default_value = "8", .unit = "pixels",
     .sentence = "With `resample`: side of the image after the cubic-spline zoom; N = side^2.", .decides = true},
    {"data.border", INTEGER(features.border, 0, 256), .default_value = "0", .unit = "pixels",
     .sentence = "With `resample`: what is cut off all round before the zoom.", .decides = true},

    {"network.modes", INTEGER(network.n_modes, 2, CUONN_MODES_MAX), .default_value = "64", .unit = "waveguides",
     .sentence = "Waveguides of every mesh, N; must be what the features give.", .decides = true},
    {"network.layers", INTEGER(network.n_layers, 1, CUONN_LAYERS_MAX), .default_value = "3", .unit = "meshes",
     .sentence = "Meshes one after the other, with a modulus between them.", .decides = true},
    {"network.classes", INTEGER(network.n_classes, 2, 256), .default_value = "10", .unit = "outputs",
     .sentence = "Outputs whose power is read, one a class; at most N.", .decides = true},
    {"network.phase_style", CHOICE(network.style, styles), .default_value = "top", .unit = "",
     .sentence = "Which arms of a node carry its phase shifters; `symmetric` cannot express every unitary.",
     .sweepable = true, .decides = true},
    {"network.loss_per_class", BOOLEAN(network.loss_per_class), .default_value = "true", .unit = "",
     .sentence = "Divides the cross entropy by the number of classes, as the source study does.", .sweepable = true,
     .decides = true},
    {"network.start", CHOICE(start, starts), .default_value = "haar", .unit = "",
     .sentence = "Starting phases: of Haar-random unitaries, drawn from the law of such phases, or from a file.",
     .sweepable = true, .decides = true},
    {"network.start_file", TEXT(start_file, 0), .default_value = "", .unit = "",
     .sentence = "With `start: file`: the checkpoint whose phases the training starts from."},

    {"training.epochs", INTEGER(training.epochs, 1, 1000000), .default_value = "50", .unit = "epochs",
     .sentence = "How often the training goes over all examples."},
    {"training.batch_size", INTEGER(training.batch_size, 1, 1000000), .default_value = "512", .unit = "examples",
     .sentence = "Examples whose mean gradient makes one step.", .sweepable = true, .decides = true},
    {"training.drop_last", BOOLEAN(training.drop_last), .default_value = "true", .unit = "",
     .sentence = "Leaves out a last batch that is not full.", .sweepable = true, .decides = true},
    {"training.order", CHOICE(training.order, orders), .default_value = "fixed", .unit = "",
     .sentence = "Order of the examples: as in the file, or a new one every epoch, from the seed.", .sweepable = true,
     .decides = true},
    {"training.seed", INTEGER(training.seed, 0, UINT64_MAX), .default_value = "0", .unit = "",
     .sentence = "Seed of the starting phases and of the shuffled order.", .sweepable = true, .decides = true},
    {"training.schedule", CHOICE(training.schedule, schedules), .default_value = "constant", .unit = "",
     .sentence = "Learning rate over the run: always the same, or half a cosine down to 0.", .sweepable = true,
     .decides = true},
    {"training.optimizer.name", CHOICE(training.optimizer.kind, optimizers), .default_value = "adam", .unit = "",
     .sentence = "Adam, or stochastic gradient descent.", .sweepable = true, .decides = true},
    {"training.optimizer.learning_rate", NUMBER(training.optimizer.learning_rate, 0, 1000), .above_low = true,
     .default_value = "1e-3", .unit = "radians",
     .sentence = "Size of a step: with `adam` about the change of a phase, with `sgd` that for a gradient of 1.",
     .sweepable = true, .decides = true},
    {"training.optimizer.momentum", NUMBER(training.optimizer.momentum, 0, 1), .below_high = true, .default_value = "0",
     .unit = "", .sentence = "With `sgd`: share of the last step that goes into the next.", .sweepable = true,
     .decides = true},
    {"training.optimizer.beta1", NUMBER(training.optimizer.beta1, 0, 1), .below_high = true, .default_value = "0.9",
     .unit = "", .sentence = "With `adam`: decay of the mean gradient, a step.", .sweepable = true, .decides = true},
    {"training.optimizer.beta2", NUMBER(training.optimizer.beta2, 0, 1), .below_high = true, .default_value = "0.999",
     .unit = "", .sentence = "With `adam`: decay of the mean squared gradient, a step.", .sweepable = true,
     .decides = true},
    {"training.optimizer.epsilon", NUMBER(training.optimizer.epsilon, 0, 1), .above_low = true, .default_value = "1e-8",
     .unit = "", .sentence = "With `adam`: added to the root of the mean squared gradient.", .sweepable = true,
     .decides = true},
    {"training.optimizer.restart_bias_correction_each_epoch",
     BOOLEAN(training.optimizer.restart_bias_correction_each_epoch), .default_value = "true", .unit = "",
     .sentence = "With `adam`: its step index begins again with every epoch, as in the source study; "
                 "`false` is the usual Adam.",
     .sweepable = true, .decides = true},

    {"backend.name", NAME(backend, backends), .default_value = "auto", .unit = "",
     .sentence = "What computes; `auto` takes the fastest that this machine has."},
    {"backend.threads", INTEGER(threads, 0, 1024), .default_value = "0", .unit = "threads",
     .sentence = "Threads of the `cpu` backend; 0 takes one a processor. Any number gives the same bits."},

    {"output.directory", TEXT(output_directory, 1), .default_value = "runs/fashion-mnist", .unit = "",
     .sentence = "Folder of the run: configuration, metrics, checkpoints."},
};
const size_t config_key_count = sizeof config_keys / sizeof config_keys[0];
_Static_assert(sizeof config_keys / sizeof config_keys[0] <= kConfigMostKeys, "kConfigMostKeys is too small");

size_t config_key_find(const char *path, size_t length) {
  size_t i = 0;
  for (; i < config_key_count; i++) {
    const char *key = config_keys[i].path;
    if (strlen(key) < length || memcmp(key, path, length) != 0) continue;
    if (length != 0 && (key[length] == '\0' || key[length] == '.')) break;
  }
  return i;
}

bool config_key_is(size_t i, size_t length) { return i < config_key_count && strlen(config_keys[i].path) == length; }

/* Longest name that is compared with the table's, and the distance up to which a key counts as meant. */
enum { kLongestName = 96, kNear = 2 };

/* Levenshtein distance: letters put in, left out or exchanged. */
static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b) {
  size_t row[kLongestName + 1];
  for (size_t j = 0; j <= n_b; j++) row[j] = j;
  for (size_t i = 1; i <= n_a; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= n_b; j++) {
      size_t least = diagonal + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < least) least = row[j] + 1;
      if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = least;
    }
  }
  return row[n_b];
}

static size_t dots(const char *path, size_t length) {
  size_t n = 0;
  for (size_t i = 0; i < length; i++) n += path[i] == '.';
  return n;
}

/* The nearest key or section, as far as it is near: few letters differ, or the name is right and its section wrong. */
static const char *nearest(size_t *nearest_length, const char *path, size_t length) {
  const char *found = NULL;
  size_t least = kNear + 1;
  if (length > kLongestName) return NULL;
  const char *dot = memrchr(path, '.', length);
  const char *name = dot ? dot + 1 : path;
  const size_t name_length = length - (size_t)(name - path);
  for (size_t i = 0; i < config_key_count; i++) {
    const char *key = config_keys[i].path;
    for (size_t end = strcspn(key, "."), start = 0;; start = end + 1, end = start + strcspn(key + start, ".")) {
      size_t d = dots(key, end) == dots(path, length) ? distance(path, length, key, end) : kNear + 1;
      if (d > 1 && name_length == end - start && memcmp(name, key + start, name_length) == 0) d = 1;
      if (d < least) {
        least = d;
        found = key;
        *nearest_length = end;
      }
      if (key[end] == '\0') break;
    }
  }
  return found;
}

/* Names that may stand in the section, with a comma between them. */
static void names_of_section(char *out, size_t size, const char *section, size_t length) {
  size_t used = 0, last_length = 0;
  const char *last = "";
  out[0] = '\0';
  for (size_t i = 0; i < config_key_count; i++) {
    if (strncmp(config_keys[i].path, section, length) != 0) continue;
    const char *name = config_keys[i].path + length;
    const size_t name_length = strcspn(name, ".");
    if (name_length == last_length && memcmp(name, last, name_length) == 0) continue;
    if (used < size)
      used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? ", " : "", (int)name_length, name);
    last = name;
    last_length = name_length;
  }
}

cuonn_status config_key_unknown(const char *path, size_t length) {
  char shown[kConfigShown];
  config_value_shown(shown, path, length);
  size_t near_length = 0;
  const char *near = nearest(&near_length, path, length);
  if (near) {
    return cuonn_fail(CUONN_E_CONFIG, "unknown key %s; did you mean %.*s?", shown, (int)near_length, near);
  }
  const char *dot = memrchr(path, '.', length);
  size_t section = dot ? (size_t)(dot - path) + 1 : 0;
  if (section != 0 && config_key_find(path, section - 1) == config_key_count) section = 0;
  char names[512];
  names_of_section(names, sizeof names, path, section);
  return cuonn_fail(CUONN_E_CONFIG, "unknown key %s; allowed %s%.*s: %s", shown, section ? "in " : "here",
                    section ? (int)section - 1 : 0, path, names);
}

void cuonn_config_init(cuonn_config *out) {
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < config_key_count; i++) {
    const char *value = config_keys[i].default_value;
    (void)config_value_parse(out, &config_keys[i], value, strlen(value)); /* constants: a test reads every one */
  }
}

bool cuonn_config_key_at(cuonn_config_key *out, size_t i) {
  static const char *const type_names[] = {
      [CONFIG_INTEGER] = "integer", [CONFIG_NUMBER] = "number", [CONFIG_BOOLEAN] = "boolean",
      [CONFIG_TEXT] = "text",       [CONFIG_CHOICE] = "choice", [CONFIG_NAME] = "choice"};
  static _Thread_local char allowed[CUONN_CONFIG_TEXT];
  if (i >= config_key_count) return false;
  const config_key *key = &config_keys[i];
  config_value_allowed(allowed, key);
  const bool empty = key->default_value[0] == '\0';
  *out = (cuonn_config_key){.path = key->path,
                            .type = type_names[key->type],
                            .allowed = allowed,
                            .default_value = empty ? "\"\"" : key->default_value,
                            .unit = key->unit,
                            .sentence = key->sentence,
                            .sweepable = key->sweepable};
  return true;
}

cuonn_status cuonn_config_set(cuonn_config *config, const char *assignment) {
  const char *equals = strchr(assignment, '=');
  char shown[kConfigShown];
  if (!equals || equals == assignment) {
    return cuonn_fail(CUONN_E_CONFIG, "found %s where \"key=value\" must stand, such as training.epochs=5",
                      config_value_shown(shown, assignment, strlen(assignment)));
  }
  const size_t length = (size_t)(equals - assignment);
  const size_t i = config_key_find(assignment, length);
  if (i == config_key_count) return config_key_unknown(assignment, length);
  if (!config_key_is(i, length)) {
    char names[512], section[kConfigShown];
    snprintf(section, sizeof section, "%.*s.", (int)length, assignment);
    names_of_section(names, sizeof names, section, length + 1);
    return cuonn_fail(CUONN_E_CONFIG, "%.*s: is a section, which takes no value; its keys: %s", (int)length, assignment,
                      names);
  }
  const cuonn_status status = config_value_parse(config, &config_keys[i], equals + 1, strlen(equals + 1));
  return status == CUONN_OK ? CUONN_OK : cuonn_fail_within(status, "%s", config_keys[i].path);
}

const char *cuonn_config_difference(const cuonn_config *a, const cuonn_config *b) {
  for (size_t i = 0; i < config_key_count; i++) {
    if (config_keys[i].decides && !config_value_equal(a, b, &config_keys[i])) return config_keys[i].path;
  }
  const bool cosine = a->training.schedule == CUONN_SCHEDULE_COSINE; /* its rate depends on where the run ends */
  return cosine && a->training.epochs != b->training.epochs ? "training.epochs" : NULL;
}
