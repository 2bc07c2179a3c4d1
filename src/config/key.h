/* A key of the configuration: where its value stands in cuonn_config, and what is allowed. */
#ifndef CUONN_CONFIG_KEY_H
#define CUONN_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  CONFIG_INTEGER, /* int, size_t or uint64_t */
  CONFIG_NUMBER,  /* double */
  CONFIG_BOOLEAN, /* bool */
  CONFIG_TEXT,    /* char array */
  CONFIG_CHOICE,  /* enum, whose values count the choices from 0 */
  CONFIG_NAME,    /* char array that holds one of the choices */
  CONFIG_GROUPS   /* groups of keys, which stand in a grid, not in cuonn_config */
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

#endif
