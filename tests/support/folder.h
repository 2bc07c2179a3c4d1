/* A temporary folder that a test program works in, and whole files for it. */
#ifndef CUONN_TESTS_FOLDER_H
#define CUONN_TESTS_FOLDER_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_name[4096];

static inline int folder_remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
  (void)info, (void)kind, (void)where;
  return remove(path);
}

/* Group set-up and tear-down of cmocka: the program's working directory is an empty folder, removed at the end. */
static inline int folder_enter(void **state) {
  (void)state;
  const char *const base = getenv("TMPDIR");
  snprintf(folder_name, sizeof folder_name, "%s/cuonn-test-XXXXXX", base ? base : "/tmp");
  return mkdtemp(folder_name) && chmod(folder_name, 0755) == 0 ? chdir(folder_name) : -1;
}

static inline int folder_leave(void **state) {
  (void)state;
  return chdir("/") == 0 ? nftw(folder_name, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS) : -1;
}

/* The bytes of a file; release with free(). */
static inline unsigned char *file_bytes(size_t *size, const char *path) {
  FILE *const file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(*size + 1);
  if (bytes && fread(bytes, 1, *size, file) != *size) {
    free(bytes);
    bytes = NULL;
  }
  fclose(file);
  if (bytes) bytes[*size] = 0;
  return bytes;
}

/* Makes a file anew: ext4 syncs one that is cut to nothing and written again, which makes hundreds of them slow. */
static inline int file_put(const char *path, const void *bytes, size_t size) {
  remove(path);
  FILE *const file = fopen(path, "wb");
  if (!file) return -1;
  const int put = fwrite(bytes, 1, size, file) == size ? 0 : -1;
  return fclose(file) == 0 ? put : -1;
}

/* Number of files in a folder. */
static inline int folder_count(const char *path) {
  int count = 0;
  DIR *const folder = opendir(path);
  for (const struct dirent *entry; folder && (entry = readdir(folder));)
    count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
  if (folder) closedir(folder);
  return count;
}

#endif
