/* Which method gets losses. */
#ifndef CUONN_REFERENCE_LOSS_METHOD_H
#define CUONN_REFERENCE_LOSS_METHOD_H

#include "reference/method.h"

/* The method that gets losses alone, as a chip reads them. */
static inline const reference_method *reference_loss_method(const cuonn_chip_options *chip) {
  return chip_reads_exactly(chip) ? &reference_columns : &reference_in_situ;
}

#endif
