#include "base/name.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

cuonn_status name_find(size_t *out, const char *what, const char *const *names, size_t n, const char *name) {
  char list[512] = "";
  for (size_t i = 0; i < n; i++) {
    if (strcmp(name, names[i]) == 0) {
      *out = i;
      return CUONN_OK;
    }
    const size_t length = strlen(list);
    snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", names[i]);
  }
  return cuonn_fail(CUONN_E_ARGUMENT, "%s \"%.64s\" is unknown; it is one of %s", what, name, list);
}
