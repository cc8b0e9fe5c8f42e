/* A library to be preloaded: one write below a folder goes wrong, whoever makes it: Python, TensorFlow, SQLite, Arrow.

   Environment:
     FAULT_FOLDER   files below it count
     FAULT_COUNTER  a file of eight bytes, in which all processes count the writes together; beside it, in a file
                    with .told at its end, come the path of the write that goes wrong, or of all where none does
     FAULT_AT       number of the write that goes wrong, from 1; 0: none
     FAULT_KIND     EIO or ENOSPC, which the write fails with; SHORT: it writes half of its bytes and says so

   Writes are those of the C library by whatever name, and the syncs after them. What stdio writes on its own when it
   flushes a buffer is no call that a library can stand in for; what was handed to it (fwrite) is. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name, &pointer_of_##name))
#define POINTER(name) static void *pointer_of_##name

POINTER(write);
POINTER(pwrite);
POINTER(pwrite64);
POINTER(writev);
POINTER(fwrite);
POINTER(sendfile);
POINTER(sendfile64);
POINTER(copy_file_range);
POINTER(fsync);
POINTER(fdatasync);

static const char *folder, *kind;
static int64_t at;
static int64_t *counter;
static int told;

static void *real(const char *name, void **known) {
  if (!*known) *known = dlsym(RTLD_NEXT, name);
  return *known;
}

__attribute__((constructor)) static void begin(void) {
  const char *number = getenv("FAULT_AT"), *file = getenv("FAULT_COUNTER");
  folder = getenv("FAULT_FOLDER");
  kind = getenv("FAULT_KIND");
  if (!folder || !number || !file || !kind) {
    folder = NULL;
    return;
  }
  at = atoll(number);
  int descriptor = open(file, O_RDWR | O_CLOEXEC);
  void *place = descriptor < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (place == MAP_FAILED) abort();
  close(descriptor);
  counter = place;
  char name[4096];
  snprintf(name, sizeof name, "%s.told", file);
  told = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (told < 0) abort();
}

/* Whether this is the write that goes wrong. */
static int goes_wrong(int descriptor) {
  if (!folder) return 0;
  int before = errno;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  if (length < 0) return 0;
  path[length] = 0;
  size_t most = strlen(folder);
  if (strncmp(path, folder, most) || path[most] != '/') return 0;
  if (__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST) != at && at) return 0;
  path[length] = '\n';
  if (REAL(write)(told, path, length + 1) < 0) abort();
  errno = before;
  return at != 0;
}

static int is_short(void) { return !strcmp(kind, "SHORT"); }

static ssize_t fail(void) {
  errno = !strcmp(kind, "EIO") ? EIO : ENOSPC;
  return -1;
}

static size_t part(size_t size) { return is_short() && size > 1 ? size / 2 : size; }

#define WRITES(name, call, size) \
  if (goes_wrong(descriptor)) { \
    if (!is_short()) return fail(); \
    size = part(size); \
  } \
  return REAL(name) call;

ssize_t write(int descriptor, const void *data, size_t size) { WRITES(write, (descriptor, data, size), size) }

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) {
  WRITES(pwrite, (descriptor, data, size, offset), size)
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset) {
  WRITES(pwrite64, (descriptor, data, size, offset), size)
}

ssize_t sendfile(int descriptor, int from, off_t *offset, size_t size) {
  WRITES(sendfile, (descriptor, from, offset, size), size)
}

ssize_t sendfile64(int descriptor, int from, off64_t *offset, size_t size) {
  WRITES(sendfile64, (descriptor, from, offset, size), size)
}

ssize_t copy_file_range(int from, off64_t *offset, int descriptor, off64_t *to, size_t size, unsigned flags) {
  WRITES(copy_file_range, (from, offset, descriptor, to, size, flags), size)
}

/* A short one writes the first part alone, or half of it where there is no other. */
ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  if (goes_wrong(descriptor)) {
    if (!is_short()) return fail();
    return REAL(write)(descriptor, parts[0].iov_base, count > 1 ? parts[0].iov_len : part(parts[0].iov_len));
  }
  return REAL(writev)(descriptor, parts, count);
}

/* stdio itself goes on after a short write; to its callers a short fwrite is an error without a number. */
size_t fwrite(const void *data, size_t size, size_t count, FILE *stream) {
  if (goes_wrong(fileno(stream)) && !is_short()) {
    fail();
    return 0;
  }
  return REAL(fwrite)(data, size, count, stream);
}

int fsync(int descriptor) {
  if (goes_wrong(descriptor) && !is_short()) return (int)fail();
  return REAL(fsync)(descriptor);
}

int fdatasync(int descriptor) {
  if (goes_wrong(descriptor) && !is_short()) return (int)fail();
  return REAL(fdatasync)(descriptor);
}
