/* Kinds of nodes: what each is made of beside the two couplers and the two phases that all have. */
#include "base/error.h"
#include "base/name.h"
#include "cuonn/shape.h"

static const char *const names[] = {"mzi", "mzi3", "mzix"};
enum { kKinds = sizeof names / sizeof *names };

const char *cuonn_node_kind_name(cuonn_node_kind kind) { return (unsigned)kind < kKinds ? names[kind] : NULL; }

cuonn_status cuonn_node_kind_parse(cuonn_node_kind *out, const char *name) {
  size_t at;
  CUONN_TRY(name_find(&at, "node", names, kKinds, name));
  *out = (cuonn_node_kind)at;
  return CUONN_OK;
}

size_t cuonn_node_kind_couplers(cuonn_node_kind kind) { return kind == CUONN_NODE_MZI3 ? 3 : 2; }
