#include "mesh/segments.h"

size_t segments_divide(int *starts, const double *loss, size_t n_columns) {
  int n_segments = 0;
  double sum = 0;
  for (size_t c = 0; c < n_columns; c++) {
    const int begins = c == 0 || sum + loss[c] > SEGMENT_LOSS;
    starts[c] = begins ? n_segments++ : -1;
    sum = (begins ? 0 : sum) + loss[c];
  }
  return (size_t)n_segments;
}
