/* Gzipped files decompressed at once. */
#ifndef CUONN_DATASET_INFLATE_H
#define CUONN_DATASET_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decompresses a file of one gzip member by libdeflate, twice as fast as zlib reads it as a stream.
 *  out   [size]
 *  file  open for reading, of file_size bytes; its position stays
 *  returns whether the file is whole and holds exactly `size` bytes; false for anything else, also for want of memory:
 *  reading it as a stream says what it is */
bool inflate_file(uint8_t *out, size_t size, int file, size_t file_size);

#endif
