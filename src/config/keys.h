/* The one table of keys: what a configuration may say, where each value stands in cuonn_config, and what is allowed. */
#ifndef CUONN_CONFIG_KEYS_H
#define CUONN_CONFIG_KEYS_H

#include "config/key.h"
#include "cuonn/config.h"

/* Room for what is counted by key. */
enum { kConfigMostKeys = 160 };

/* In the order of the documentation; the keys of a section stand together. */
extern const config_key config_keys[];
extern const size_t config_key_count;

/* Keys that set others. The first that counts is the preset. */
typedef struct {
  bool preset, components; /* whether each was named */
} config_setters;

/* Notes whether the key is one of them. */
void config_note_setter(config_setters *named, const config_key *key);

/* Puts what those that were named set into config->energy: the preset all but the operating point (modes, batch), the
 * components their electronics. */
void config_apply_setters(cuonn_config *config, const config_setters *named);

/* A key of earlier versions. */
typedef struct {
  const char *path, *default_value;
  const char *instead; /* what took its place */
} config_retired_key;

/* NULL if there was no such key. */
const config_retired_key *config_key_retired(const char *path, size_t length);

/* Name of the key's coordinate in the results of a sweep. */
const char *config_key_coordinate(const config_key *key);

/* Number of the first key that is `path`, or stands in the section `path`; config_key_count if there is none. */
size_t config_key_find(const char *path, size_t length);

/* The key of a path that is one. */
const config_key *config_key_of(const char *path);

/* Whether key i is `path` itself, and not only in a section of that name. */
bool config_key_is(size_t i, size_t length);

/* Fails with CUONN_E_CONFIG and "unknown key PATH", followed by what took its place, by the nearest key or, if none is
 * near, by what the section allows. */
cuonn_status config_key_unknown(const char *path, size_t length);

#endif
