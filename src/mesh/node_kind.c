/* Kinds of nodes: what each is made of beside the two couplers and the two phases that all have. */
#include <string.h>

#include "base/error.h"
#include "cuonn/shape.h"

static const char *const names[] = {"mzi", "mzi3", "mzix"};
enum { kKinds = sizeof names / sizeof *names };

const char *cuonn_node_kind_name(cuonn_node_kind kind) { return (unsigned)kind < kKinds ? names[kind] : NULL; }

cuonn_status cuonn_node_kind_parse(cuonn_node_kind *out, const char *name) {
  for (unsigned i = 0; i < kKinds; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    *out = (cuonn_node_kind)i;
    return CUONN_OK;
  }
  return cuonn_fail(CUONN_E_ARGUMENT, "node \"%.64s\" is unknown; it is one of mzi, mzi3, mzix", name);
}

size_t cuonn_node_kind_couplers(cuonn_node_kind kind) { return kind == CUONN_NODE_MZI3 ? 3 : 2; }
