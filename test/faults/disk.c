// Simulates a disk that is slow, broken or full, and records what reaches it. LD_PRELOAD loads this
// into a process. It concerns only the files below the folder DISK_FOLDER.
//
// The file DISK_CONTROL says what the disk does now:
//   fail      fsync and fdatasync return EIO
//   slow N    fsync and fdatasync take N microseconds longer
//   full      writes that would make a file longer return ENOSPC
// Anything else: the disk works.
//
// The file DISK_LOG gets a record for each event, with the file's path below DISK_FOLDER:
//   W path offset length\n, followed by the written bytes
//   T path length\n         the file was cut, or made longer
//   U path\n                the file was removed
//   B path\n                a sync begins
//   S path\n                the sync has succeeded
//   F path\n                the sync has failed
// A record of a write or a sync comes after the event, so its order is never too early.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

enum mode { WORKS, FAILS, IS_FULL };

static enum mode mode_now(long *slow_microseconds) {
  char text[64] = "";
  const char *path = getenv("DISK_CONTROL");
  int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
  if (file >= 0) {
    if (syscall(SYS_read, file, text, sizeof text - 1) < 0) text[0] = 0;
    syscall(SYS_close, file);
  }
  if (slow_microseconds && !strncmp(text, "slow ", 5)) *slow_microseconds = atol(text + 5);
  if (!strncmp(text, "fail", 4)) return FAILS;
  return !strncmp(text, "full", 4) ? IS_FULL : WORKS;
}

// Returns the path below DISK_FOLDER, or NULL for other files.
static const char *below_folder(const char *path) {
  const char *folder = getenv("DISK_FOLDER");
  size_t length = folder ? strlen(folder) : 0;
  return length > 0 && !strncmp(path, folder, length) && path[length] == '/' ? path + length + 1 : NULL;
}

static const char *name_of(int file, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length <= 0) return NULL;
  path[length] = 0;
  return below_folder(path);
}

static void record(const void *bytes, size_t length, const char *format, ...) {
  const char *path = getenv("DISK_LOG");
  int file = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
  if (file < 0) return;
  char head[PATH_MAX + 64];
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(head, sizeof head, format, arguments);
  va_end(arguments);
  // One call, so that the records of several threads do not mix.
  struct iovec parts[2] = {{head, (size_t)size}, {(void *)bytes, length}};
  syscall(SYS_writev, file, parts, length > 0 ? 2 : 1);
  syscall(SYS_close, file);
}

static int synchronize(int file, int (*sync)(int)) {
  char path[PATH_MAX];
  const char *name = name_of(file, path);
  if (!name) return sync(file);
  record(NULL, 0, "B %s\n", name);
  long microseconds = 0;
  enum mode mode = mode_now(&microseconds);
  struct timespec pause = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&pause, NULL);
  int result = mode == FAILS ? -1 : sync(file);
  record(NULL, 0, "%s %s\n", result == 0 ? "S" : "F", name);
  if (mode == FAILS) errno = EIO;
  return result;
}

int fsync(int file) { return synchronize(file, REAL(fsync)); }
int fdatasync(int file) { return synchronize(file, REAL(fdatasync)); }

static int has_no_room(int file, off_t end) {
  struct stat now;
  return mode_now(NULL) == IS_FULL && fstat(file, &now) == 0 && end > now.st_size;
}

static ssize_t write_at(int file, const void *bytes, size_t length, off_t offset) {
  char path[PATH_MAX];
  const char *name = name_of(file, path);
  if (name && has_no_room(file, offset + (off_t)length)) {
    errno = ENOSPC;
    return -1;
  }
  ssize_t written = syscall(SYS_pwrite64, file, bytes, length, offset);
  if (name && written > 0)
    record(bytes, (size_t)written, "W %s %lld %zd\n", name, (long long)offset, written);
  return written;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  return write_at(file, bytes, length, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t length, off_t offset) {
  return write_at(file, bytes, length, offset);
}

ssize_t write(int file, const void *bytes, size_t length) {
  char path[PATH_MAX];
  const char *name = name_of(file, path);
  if (!name) return syscall(SYS_write, file, bytes, length);
  int appends = (fcntl(file, F_GETFL) & O_APPEND) != 0;
  off_t offset = lseek(file, 0, appends ? SEEK_END : SEEK_CUR);
  if (has_no_room(file, offset + (off_t)length)) {
    errno = ENOSPC;
    return -1;
  }
  ssize_t written = syscall(SYS_write, file, bytes, length);
  if (written > 0)
    record(bytes, (size_t)written, "W %s %lld %zd\n", name, (long long)offset, written);
  return written;
}

// PostgreSQL writes its tables with pwritev. Their records have no bytes: only the log of
// PostgreSQL, which it writes with pwrite, shows what is durable.
static ssize_t write_parts(int file, const struct iovec *parts, int count, off_t offset) {
  char path[PATH_MAX];
  size_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  if (name_of(file, path) && has_no_room(file, offset + (off_t)length)) {
    errno = ENOSPC;
    return -1;
  }
  return syscall(SYS_pwritev, file, parts, count, offset, 0);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  return write_parts(file, parts, count, offset);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off_t offset) {
  return write_parts(file, parts, count, offset);
}

static int allocate(int file, off_t offset, off_t length) {
  char path[PATH_MAX];
  if (name_of(file, path) && has_no_room(file, offset + length)) return ENOSPC;
  return syscall(SYS_fallocate, file, 0, offset, length) == 0 ? 0 : errno;
}

int posix_fallocate(int file, off_t offset, off_t length) { return allocate(file, offset, length); }
int posix_fallocate64(int file, off_t offset, off_t length) { return allocate(file, offset, length); }

static int cut(int file, off_t length) {
  char path[PATH_MAX];
  const char *name = name_of(file, path);
  int result = (int)syscall(SYS_ftruncate, file, length);
  if (name && result == 0) record(NULL, 0, "T %s %lld\n", name, (long long)length);
  return result;
}

int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off_t length) { return cut(file, length); }

int unlink(const char *path) {
  char whole[PATH_MAX];
  const char *name = realpath(path, whole) ? below_folder(whole) : NULL;
  int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (name && result == 0) record(NULL, 0, "U %s\n", name);
  return result;
}
