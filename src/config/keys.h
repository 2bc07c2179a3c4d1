/* The one table of keys: what a configuration may say, where each value stands in cuonn_config, and what is allowed. */
#ifndef CUONN_CONFIG_KEYS_H
#define CUONN_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cuonn/config.h"

typedef enum {
  CONFIG_INTEGER, /* int, size_t or uint64_t */
  CONFIG_NUMBER,  /* double */
  CONFIG_BOOLEAN, /* bool */
  CONFIG_TEXT,    /* char array */
  CONFIG_CHOICE,  /* enum, whose values count the choices from 0 */
  CONFIG_NAME     /* char array that holds one of the choices */
} config_type;

typedef struct {
  const char *path;
  config_type type;
  size_t offset, size;        /* of the member of cuonn_config, bytes */
  uint64_t least, most;       /* CONFIG_INTEGER: range; CONFIG_TEXT: bytes without the final zero */
  double low, high;           /* CONFIG_NUMBER: range */
  bool above_low, below_high; /* CONFIG_NUMBER: the end itself does not belong to the range */
  const char *const *choices; /* CONFIG_CHOICE, CONFIG_NAME: NULL-terminated */
  const char *default_value;  /* as it would stand in a file, without quotes */
  const char *unit, *sentence;
  const char *coordinate; /* name in the results of a sweep; NULL: the path's last part */
  const char *label;      /* what figures call it, UTF-8; NULL: its coordinate */
  bool sweepable;         /* models that differ in it can train side by side: same data, same sizes */
  bool decides;           /* another value gives other numbers */
} config_key;

/* Room for what is counted by key. */
enum { kConfigMostKeys = 128 };

/* In the order of the documentation; the keys of a section stand together. */
extern const config_key config_keys[];
extern const size_t config_key_count;

/* Puts the values of config->energy_preset into config->energy, all but the operating point (modes, batch). */
void config_apply_preset(cuonn_config *config);

/* Name of the key's coordinate in the results of a sweep. */
const char *config_key_coordinate(const config_key *key);

/* Whether the key is the one that sets others. */
bool config_key_is_preset(const config_key *key);

/* Number of the first key that is `path`, or stands in the section `path`; config_key_count if there is none. */
size_t config_key_find(const char *path, size_t length);

/* Whether key i is `path` itself, and not only in a section of that name. */
bool config_key_is(size_t i, size_t length);

/* Fails with CUONN_E_CONFIG and "unknown key PATH", followed by the nearest key or, if none is near, by what the
 * section allows. */
cuonn_status config_key_unknown(const char *path, size_t length);

#endif
