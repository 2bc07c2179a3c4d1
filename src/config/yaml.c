/* Configuration files: libyaml's events in, its emitter out.
 * A file names keys section by section; a section is read by one call, so that the recursion is as deep as the table.
 */
#include <yaml.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/format.h"
#include "base/memory.h"
#include "config/grid.h"
#include "config/keys.h"
#include "config/stream.h"
#include "config/value.h"

enum { kLargestFile = 1 << 20, kLongestPath = 128 };

/* --- Reading --- */

typedef struct {
  yaml_parser_t parser;
  yaml_event_t event; /* the newest */
  const char *text;
  size_t length;
  const char *name;     /* of the file, for messages */
  cuonn_config *config; /* a copy that becomes the caller's when all went well */
  cuonn_grid *grid;     /* takes lists of values; NULL: there may be none */
  config_setters named; /* which of the keys that set others have been read */
  bool stored;          /* whether the text stands in a checkpoint or sweep, perhaps of an earlier version */
  double sgd_rate;      /* stored: of sgd, in place of the learning rate; 0: that */
  bool placed;          /* whether the failure's text says already where it is */
} reader;

/* Puts "FILE:LINE: PATH" of the newest event before the present message; without PATH where none is known. */
static cuonn_status fail_at(const reader *r, const char *path) {
  return cuonn_fail_within(CUONN_E_CONFIG, "%s:%zu%s%s", r->name, r->event.start_mark.line + 1, path[0] ? ": " : "",
                           path);
}

/* libyaml's reader knows the byte of a problem, its scanner and parser the line. */
static cuonn_status fail_syntax(reader *r) {
  r->placed = true;
  const yaml_parser_t *p = &r->parser;
  if (p->error == YAML_MEMORY_ERROR) return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory to read it", r->name);
  size_t line = p->problem_mark.line + 1;
  if (p->error == YAML_READER_ERROR) {
    line = 1;
    for (size_t i = 0; i < p->problem_offset && i < r->length; i++) line += r->text[i] == '\n';
  }
  return cuonn_fail(CUONN_E_CONFIG, "%s:%zu: not valid YAML: %s%s%s", r->name, line, p->context ? p->context : "",
                    p->context ? ", " : "", p->problem ? p->problem : "unreadable");
}

static cuonn_status next(reader *r) {
  yaml_event_delete(&r->event);
  return yaml_parser_parse(&r->parser, &r->event) ? CUONN_OK : fail_syntax(r);
}

/* What YAML can say and a configuration cannot, wherever it stands. */
static cuonn_status check_plainness(const reader *r) {
  const yaml_event_t *e = &r->event;
  const yaml_char_t *anchor = NULL, *tag = NULL;
  char shown[kConfigShown];
  if (e->type == YAML_ALIAS_EVENT) {
    const char *alias = (const char *)e->data.alias.anchor;
    return cuonn_fail(CUONN_E_CONFIG, "found the alias %s; aliases are not allowed: write the value",
                      config_value_shown(shown, alias, strlen(alias)));
  }
  if (e->type == YAML_SCALAR_EVENT) anchor = e->data.scalar.anchor, tag = e->data.scalar.tag;
  if (e->type == YAML_MAPPING_START_EVENT) anchor = e->data.mapping_start.anchor, tag = e->data.mapping_start.tag;
  if (e->type == YAML_SEQUENCE_START_EVENT) anchor = e->data.sequence_start.anchor, tag = e->data.sequence_start.tag;
  if (anchor) {
    return cuonn_fail(CUONN_E_CONFIG, "found the anchor %s; anchors are not allowed: remove it",
                      config_value_shown(shown, (const char *)anchor, strlen((const char *)anchor)));
  }
  if (tag) {
    return cuonn_fail(CUONN_E_CONFIG, "found the tag %s; tags are not allowed: remove it",
                      config_value_shown(shown, (const char *)tag, strlen((const char *)tag)));
  }
  return CUONN_OK;
}

static bool is_plain(const reader *r) { return r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE; }

/* Whether the event is YAML's null, which is also what a key without a value has. */
static bool is_null(const reader *r) {
  static const char *const names[] = {"", "~", "null", "Null", "NULL"};
  if (r->event.type != YAML_SCALAR_EVENT || !is_plain(r)) return false;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp((const char *)r->event.data.scalar.value, names[i]) == 0) return true;
  }
  return false;
}

/* Puts the newest event, one value of a key, into a configuration. Fails without file, line and key. */
static cuonn_status read_value(cuonn_config *config, reader *r, const config_key *key) {
  char allowed[CUONN_CONFIG_TEXT], shown[kConfigShown];
  config_value_allowed(allowed, key);
  const yaml_event_t *e = &r->event;
  if (e->type == YAML_SEQUENCE_START_EVENT) {
    return cuonn_fail(CUONN_E_CONFIG, "found a list where one value must stand; allowed: %s%s", allowed,
                      key->sweepable && !r->grid ? "; several are for cuonn sweep" : "");
  }
  if (e->type == YAML_MAPPING_START_EVENT) {
    return cuonn_fail(CUONN_E_CONFIG, "found a section where one value must stand; allowed: %s", allowed);
  }
  const char *text = (const char *)e->data.scalar.value;
  const size_t length = e->data.scalar.length;
  if (is_null(r)) {
    return cuonn_fail(CUONN_E_CONFIG, "found no value%s%s; allowed: %s%s", length ? ", but " : "",
                      length ? config_value_shown(shown, text, length) : "", allowed,
                      key->type == CONFIG_TEXT ? ", in quotes if it is empty or reads as null" : "");
  }
  const bool textual = key->type == CONFIG_TEXT || key->type == CONFIG_CHOICE || key->type == CONFIG_NAME;
  if (!textual && !is_plain(r)) {
    return cuonn_fail(CUONN_E_CONFIG, "found %s as text; remove the quotes, allowed: %s",
                      config_value_shown(shown, text, length), allowed);
  }
  config_note_setter(&r->named, key);
  return config_value_parse(config, key, text, length);
}

/* Reads a list behind its start into the grid, and its first value into the configuration. Fails without file, line and
 * key. */
static cuonn_status read_list(reader *r, const config_key *key) {
  cuonn_config holder = *r->config;
  size_t count = 0;
  CUONN_CHECK(key->sweepable, CUONN_E_CONFIG, "found a list, but a sweep cannot vary this key: give it one value");
  for (;; count++) {
    CUONN_TRY(next(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT) break;
    CUONN_TRY(check_plainness(r));
    CUONN_TRY(read_value(&holder, r, key));
    CUONN_TRY(config_grid_append(r->grid, key, &holder));
    if (count == 0) *r->config = holder;
  }
  CUONN_CHECK(count > 0, CUONN_E_CONFIG, "the list is empty: a sweep needs at least one value");
  return CUONN_OK;
}

/* Reads the keys of a group behind its start. */
static cuonn_status read_group(reader *r, size_t group) {
  for (size_t n = 0;; n++) {
    CUONN_TRY(next(r));
    CUONN_CHECK(r->event.type != YAML_SEQUENCE_END_EVENT || n > 1, CUONN_E_CONFIG,
                "a group has %zu key%s; it needs two or more", n, n == 1 ? "" : "s");
    if (r->event.type == YAML_SEQUENCE_END_EVENT) return CUONN_OK;
    CUONN_TRY(check_plainness(r));
    CUONN_CHECK(r->event.type == YAML_SCALAR_EVENT, CUONN_E_CONFIG, "found a list or section where a key must stand");
    CUONN_TRY(config_grid_zip(r->grid, (const char *)r->event.data.scalar.value, r->event.data.scalar.length, group));
  }
}

/* Reads the groups of keys that advance together, behind the start of their list. Fails without file, line and key. */
static cuonn_status read_groups(reader *r) {
  if (r->grid) r->grid->n_zip = 0;
  for (size_t group = 0;; group++) {
    CUONN_TRY(next(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT) return CUONN_OK;
    CUONN_TRY(check_plainness(r));
    CUONN_CHECK(r->grid, CUONN_E_CONFIG, "found a group of keys, but their lists are for cuonn sweep");
    CUONN_CHECK(r->event.type == YAML_SEQUENCE_START_EVENT, CUONN_E_CONFIG,
                "found a %s where a group of keys must stand, such as [[training.seed, chip.seed]]",
                r->event.type == YAML_SCALAR_EVENT ? "value" : "section");
    CUONN_TRY(read_group(r, group));
  }
}

/* Reads one value, or a list of them where a grid takes it; a key's former list is gone. */
static cuonn_status read_values(reader *r, const config_key *key) {
  if (key->type == CONFIG_GROUPS && r->event.type == YAML_SEQUENCE_START_EVENT) return read_groups(r);
  if (r->grid) config_grid_drop(r->grid, key);
  if (r->grid && r->event.type == YAML_SEQUENCE_START_EVENT) return read_list(r, key);
  return read_value(r->config, r, key);
}

static cuonn_status read_section(reader *r, const char *section);

/* Reads what stands behind a name: a section's keys, or a value. */
static cuonn_status read_behind(reader *r, size_t key, const char *path) {
  CUONN_TRY(next(r));
  cuonn_status status = check_plainness(r);
  if (status == CUONN_OK && config_key_is(key, strlen(path))) {
    status = read_values(r, &config_keys[key]);
  } else if (status == CUONN_OK && r->event.type == YAML_MAPPING_START_EVENT) {
    return read_section(r, path);
  } else if (status == CUONN_OK && is_null(r)) {
    status = cuonn_fail(CUONN_E_CONFIG, "the section is empty: remove it, or put keys below it, indented");
  } else if (status == CUONN_OK) {
    status = cuonn_fail(CUONN_E_CONFIG, "found %s where a section must stand: put its keys below it, indented",
                        r->event.type == YAML_SCALAR_EVENT ? "a value" : "a list");
  }
  return status == CUONN_OK || status == CUONN_E_MEMORY || r->placed ? status : fail_at(r, path);
}

/* Makes the path of the newest event, a name in a section, and finds its key. Fails without file and line. */
static cuonn_status read_name(char path[kLongestPath], size_t *key, const reader *r, const char *section) {
  CUONN_TRY(check_plainness(r));
  CUONN_CHECK(r->event.type == YAML_SCALAR_EVENT, CUONN_E_CONFIG, "found a list or section where a key must stand");
  const char *name = (const char *)r->event.data.scalar.value, *point = section[0] ? "." : "";
  const size_t name_length = r->event.data.scalar.length;
  const size_t length = strlen(section) + strlen(point) + name_length;
  char shown[kConfigShown];
  CUONN_CHECK(length < kLongestPath && !memchr(name, '\0', name_length), CUONN_E_CONFIG, "unknown key %s",
              config_value_shown(shown, name, name_length));
  snprintf(path, kLongestPath, "%s%s%s", section, point, name);
  *key = config_key_find(path, length);
  if (*key == config_key_count && !config_key_retired(path, length)) return config_key_unknown(path, length);
  CUONN_CHECK(
      !memchr(name, '.', name_length), CUONN_E_CONFIG,
      "found the key %s; in a file a key stands in its section, without points: %.*s: and below it, indented, %s:",
      config_value_shown(shown, name, name_length), (int)strcspn(name, "."), name, name + strcspn(name, ".") + 1);
  return CUONN_OK;
}

/* A stored configuration with a rate of its own for sgd becomes one with a rate for each optimizer. */
static cuonn_status apply_sgd_rate(const reader *r) {
  const config_key *const name = config_key_of("training.optimizer.name");
  const config_key *const rate = config_key_of("training.optimizer.learning_rate");
  cuonn_optimizer_options *const o = &r->config->training.optimizer;
  const cuonn_grid_axis *const names = r->grid ? config_grid_axis(r->grid, name) : NULL;
  if (!names && o->kind != CUONN_OPTIMIZER_SGD) return CUONN_OK;
  CUONN_CHECK(!r->grid || !config_grid_axis(r->grid, rate), CUONN_E_CONFIG,
              "%s: has a list of learning rates and another rate for sgd, which only earlier versions read", r->name);
  if (names) {
    cuonn_config holder = *r->config;
    for (size_t i = 0; i < names->count; i++) {
      const bool sgd = strcmp(names->values[i], "sgd") == 0;
      holder.training.optimizer.learning_rate = sgd ? r->sgd_rate : o->learning_rate;
      CUONN_TRY(config_grid_append(r->grid, rate, &holder));
    }
    r->grid->n_zip = 0;
    CUONN_TRY(config_grid_zip(r->grid, name->path, strlen(name->path), 0));
    CUONN_TRY(config_grid_zip(r->grid, rate->path, strlen(rate->path), 0));
  }
  if (o->kind == CUONN_OPTIMIZER_SGD) o->learning_rate = r->sgd_rate;
  return CUONN_OK;
}

/* Reads what stands behind the name of a key that is no more. Fails without file and line. The version that had one of
 * the section energy counted no static power beside a channel's energies, which such a text has in full: none is
 * added. */
static cuonn_status read_retired(reader *r, const char *path) {
  const config_retired_key *const key = config_key_retired(path, strlen(path));
  CUONN_TRY(next(r));
  CUONN_TRY(check_plainness(r));
  const bool scalar = r->event.type == YAML_SCALAR_EVENT;
  const bool former = scalar && strcmp((const char *)r->event.data.scalar.value, key->default_value) == 0;
  if (!former && !(scalar && r->stored)) return config_key_unknown(path, strlen(path));
  if (r->stored && strncmp(path, "energy.", strlen("energy.")) == 0) {
    r->config->energy.modulator_static = r->config->energy.detector_bias = 0;
  } else if (!former) {
    cuonn_config holder;
    CUONN_TRY(read_value(&holder, r, config_key_of("training.optimizer.learning_rate")));
    r->sgd_rate = holder.training.optimizer.learning_rate;
  }
  return CUONN_OK;
}

/* Reads names and what stands behind them up to the end of a section, "" for the root. */
static cuonn_status read_section(reader *r, const char *section) {
  /* Lines of the names, by the first key of what was named: no two names of a section share it. */
  size_t line_of[kConfigMostKeys] = {0};
  for (;;) {
    CUONN_TRY(next(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) return CUONN_OK;
    char path[kLongestPath];
    size_t key = 0;
    if (read_name(path, &key, r, section) != CUONN_OK) return fail_at(r, section);
    if (key == config_key_count) {
      const cuonn_status status = read_retired(r, path);
      if (status != CUONN_OK) return r->placed ? status : fail_at(r, section);
      continue;
    }
    if (line_of[key] != 0) {
      cuonn_fail(CUONN_E_CONFIG, "named twice, first in line %zu: remove one", line_of[key]);
      return fail_at(r, path);
    }
    line_of[key] = r->event.start_mark.line + 1;
    CUONN_TRY(read_behind(r, key, path));
  }
}

/* One document, whose root is the section of all sections, or none at all. */
static cuonn_status read_stream(reader *r) {
  CUONN_TRY(next(r)); /* start of the stream */
  CUONN_TRY(next(r));
  if (r->event.type == YAML_DOCUMENT_START_EVENT) {
    CUONN_TRY(next(r));
    if (check_plainness(r) != CUONN_OK) return fail_at(r, "");
  }
  if (r->event.type == YAML_STREAM_END_EVENT) return CUONN_OK; /* nothing is named: all keys have their defaults */
  if (r->event.type != YAML_MAPPING_START_EVENT && !is_null(r)) {
    cuonn_fail(CUONN_E_CONFIG, "found a %s where sections must stand, such as \"training:\"",
               r->event.type == YAML_SCALAR_EVENT ? "value" : "list");
    return fail_at(r, "");
  }
  if (r->event.type == YAML_MAPPING_START_EVENT) CUONN_TRY(read_section(r, ""));
  CUONN_TRY(next(r)); /* end of the document */
  CUONN_TRY(next(r));
  if (r->event.type == YAML_STREAM_END_EVENT) return CUONN_OK;
  cuonn_fail(CUONN_E_CONFIG, "found a second document; only one is allowed");
  return fail_at(r, "");
}

/* Reads the document once. *named: which of the keys that set others stand in it. A stored one without a method is of a
 * version that had columns alone: what goes on from it has the bits that it would have had. */
static cuonn_status read_document(cuonn_config *config, cuonn_grid *grid, config_setters *named, const char *text,
                                  size_t length, const char *name, bool stored) {
  if (stored) CUONN_TRY(cuonn_config_set(config, "backend.method=columns"));
  reader r = {.text = text, .length = length, .name = name, .stored = stored, .config = config, .grid = grid};
  if (!yaml_parser_initialize(&r.parser)) return cuonn_fail(CUONN_E_MEMORY, "%s: not enough memory to read it", name);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
  cuonn_status status = read_stream(&r);
  if (status == CUONN_OK && r.sgd_rate > 0) status = apply_sgd_rate(&r);
  *named = r.named;
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  return status;
}

/* grid: NULL where lists are refused. stored: in a checkpoint or sweep. */
static cuonn_status read_text(cuonn_config *config, cuonn_grid *grid, const char *text, size_t length, const char *name,
                              bool stored) {
  const char *kind;
  const format_kind format = format_of(&kind, (const unsigned char *)text, length);
  CUONN_CHECK(!kind || format == FORMAT_TEXT, CUONN_E_CONFIG, "%s: is %s, not a configuration, which is text in YAML",
              name, kind);
  CUONN_CHECK(length <= kLargestFile, CUONN_E_CONFIG, "%s: is larger than 1 MiB, which no configuration needs", name);
  if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { /* byte order mark of UTF-8 */
    text += 3;
    length -= 3;
  }
  config_setters named = {0};
  cuonn_config copy = *config;
  CUONN_TRY(read_document(&copy, grid, &named, text, length, name, stored));
  if (named.preset || named.components) { /* they come before the other keys, which are read over them once more */
    cuonn_config over = *config;
    over.energy_preset = copy.energy_preset;
    over.energy_components = copy.energy_components;
    config_apply_setters(&over, &named);
    CUONN_TRY(read_document(&over, grid, &named, text, length, name, stored));
    copy = over;
  }
  *config = copy;
  return CUONN_OK;
}

static cuonn_status read_file(cuonn_config *config, cuonn_grid *grid, const char *path, bool stored) {
  char *text;
  size_t length;
  CUONN_TRY(
      config_read_stream(&text, &length, kLargestFile + 1, path)); /* one more than allowed, to tell it from larger */
  const cuonn_status status = read_text(config, grid, text, length, path, stored);
  free(text);
  return status;
}

cuonn_status cuonn_config_read(cuonn_config *config, const char *path) { return read_file(config, NULL, path, false); }

cuonn_status cuonn_config_read_text(cuonn_config *config, const char *text, size_t length, const char *name) {
  return read_text(config, NULL, text, length, name, true);
}

cuonn_status cuonn_grid_read(cuonn_grid *grid, const char *path) { return read_file(&grid->base, grid, path, false); }

cuonn_status cuonn_grid_read_stored(cuonn_grid *grid, const char *path) {
  return read_file(&grid->base, grid, path, true);
}

cuonn_status cuonn_grid_read_text(cuonn_grid *grid, const char *text, size_t length, const char *name) {
  return read_text(&grid->base, grid, text, length, name, true);
}

/* The list of a --set is a YAML document of its own. */
static cuonn_status set_list(cuonn_grid *grid, const config_key *key, const char *list) {
  cuonn_status status = CUONN_OK;
  reader r = {.text = list, .length = strlen(list), .name = key->path, .config = &grid->base, .grid = grid};
  CUONN_CHECK(yaml_parser_initialize(&r.parser), CUONN_E_MEMORY, "not enough memory to read %s", key->path);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)list, r.length);
  for (int i = 0; i < 3; i++) CUONN_TRY_DONE(next(&r)); /* starts of stream, document and list */
  status = read_values(&r, key);
  if (status != CUONN_OK && !r.placed) cuonn_fail_within(status, "%s", key->path);
  if (status != CUONN_OK) goto done;
  CUONN_TRY_DONE(next(&r));
  CUONN_TRY_DONE(next(&r));
  CUONN_CHECK_DONE(r.event.type == YAML_STREAM_END_EVENT, CUONN_E_CONFIG, "%s: found a second document behind the list",
                   key->path);
done:
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  return status;
}

cuonn_status cuonn_grid_set(cuonn_grid *grid, const char *assignment) {
  const size_t length = strcspn(assignment, "="), i = config_key_find(assignment, length);
  const bool known = assignment[length] && length > 0 && config_key_is(i, length);
  const bool list = known && assignment[length + 1] == '[' && config_keys[i].type != CONFIG_TEXT;
  if (list) return set_list(grid, &config_keys[i], assignment + length + 1);
  CUONN_TRY(cuonn_config_set(&grid->base, assignment)); /* also says what is unknown */
  config_grid_drop(grid, &config_keys[i]);
  return CUONN_OK;
}

/* --- Writing --- */

typedef struct {
  yaml_emitter_t emitter;
  const cuonn_grid *grid; /* whose lists are written; NULL: none */
  bool failed;            /* only for want of memory: values are text that YAML can carry */
} writer;

/* Hands an event to the emitter, which then owns it. */
static void emit(writer *w, yaml_event_t *event, int made) {
  if (!made || w->failed || !yaml_emitter_emit(&w->emitter, event)) {
    if (made && w->failed) yaml_event_delete(event);
    w->failed = true;
  }
}

static void emit_scalar(writer *w, const char *text, size_t length, yaml_scalar_style_t style) {
  yaml_event_t event;
  const int made =
      yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)length, 1, 1, style);
  emit(w, &event, made);
}

static void begin_list(writer *w) {
  yaml_event_t event;
  emit(w, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_FLOW_SEQUENCE_STYLE));
}

static void end_list(writer *w) {
  yaml_event_t event;
  emit(w, &event, yaml_sequence_end_event_initialize(&event));
}

/* Writes [[key, key, ...], ...]. */
static void write_groups(writer *w) {
  const size_t n = w->grid ? w->grid->n_zip : 0;
  begin_list(w);
  for (size_t z = 0; z < n; z++) {
    const cuonn_grid_zip *const zip = &w->grid->zip[z];
    if (z == 0 || zip[-1].group != zip->group) begin_list(w);
    emit_scalar(w, zip->key, strlen(zip->key), YAML_PLAIN_SCALAR_STYLE);
    if (z + 1 == n || zip[1].group != zip->group) end_list(w);
  }
  end_list(w);
}

/* Writes a key's list if it has one, or its value. */
static void write_values(writer *w, const cuonn_config *config, const config_key *key) {
  const cuonn_grid_axis *const axis = w->grid ? config_grid_axis(w->grid, key) : NULL;
  if (key->type == CONFIG_GROUPS) {
    write_groups(w);
  } else if (axis) {
    begin_list(w);
    for (size_t i = 0; i < axis->count; i++)
      emit_scalar(w, axis->values[i], strlen(axis->values[i]), YAML_PLAIN_SCALAR_STYLE);
    end_list(w);
  } else {
    char value[CUONN_CONFIG_TEXT];
    config_value_format(value, config, key);
    const bool quoted = key->type == CONFIG_TEXT;
    emit_scalar(w, value, strlen(value), quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE);
  }
}

/* Writes the section that key `first` stands in, whose path begins with `prefix` bytes of the key's. Returns the number
 * of the first key behind it. */
static size_t write_section(writer *w, const cuonn_config *config, size_t first, size_t prefix) {
  yaml_event_t event;
  emit(w, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
  size_t i = first;
  while (i < config_key_count && strncmp(config_keys[i].path, config_keys[first].path, prefix) == 0) {
    const char *name = config_keys[i].path + prefix;
    const size_t length = strcspn(name, ".");
    emit_scalar(w, name, length, YAML_PLAIN_SCALAR_STYLE);
    if (name[length] == '.') {
      i = write_section(w, config, i, prefix + length + 1);
    } else {
      write_values(w, config, &config_keys[i]);
      i++;
    }
  }
  emit(w, &event, yaml_mapping_end_event_initialize(&event));
  return i;
}

static char *text_of(const cuonn_config *config, const cuonn_grid *grid) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  if (!file) return NULL;
  writer w = {.grid = grid};
  yaml_event_t event;
  if (yaml_emitter_initialize(&w.emitter)) {
    yaml_emitter_set_output_file(&w.emitter, file);
    yaml_emitter_set_unicode(&w.emitter, 1);
    yaml_emitter_set_width(&w.emitter, -1); /* one line per key */
    emit(&w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit(&w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
    write_section(&w, config, 0, 0);
    emit(&w, &event, yaml_document_end_event_initialize(&event, 1));
    emit(&w, &event, yaml_stream_end_event_initialize(&event));
    yaml_emitter_delete(&w.emitter);
  } else {
    w.failed = true;
  }
  if (fclose(file) != 0 || !text || w.failed) { /* fclose() gives NULL, and says nothing, where memory ends */
    free(text);
    return NULL;
  }
  return text;
}

char *cuonn_config_text(const cuonn_config *config) { return text_of(config, NULL); }

char *cuonn_grid_text(const cuonn_grid *grid) { return text_of(&grid->base, grid); }
