// Simulates a disk that takes 5 ms for each sync. LD_PRELOAD loads this into a process.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

static int slowly(const char *name, int file) {
  const struct timespec wait = {0, 5 * 1000 * 1000};
  nanosleep(&wait, 0);
  int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  return sync(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
