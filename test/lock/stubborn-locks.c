// Preloaded by lock-hostile.test.ts: stands for file systems whose locks hang or are refused, chosen by the lock file's name.
// “…hang…” never comes back, “…slow…” takes six seconds the first time, “…errno-37…” is refused with that number, and “…opening-28…” can’t be
// opened for that reason the first time. With CLOCK_JUMPS in the environment, the clock on the wall jumps a day with each look at it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int refused(int fd, int command) {
  if (command != F_OFD_SETLK && command != F_OFD_SETLKW && command != F_SETLK) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  const char *name = strrchr(path, '/');
  if (name == NULL) return 0;
  if (strstr(name, "hang") != NULL) for (;;) pause();
  static int slept = 0;
  if (strstr(name, "slow") != NULL && slept++ == 0) sleep(6);
  const char *number = strstr(name, "errno-");
  if (number == NULL) return 0;
  errno = atoi(number + 6);
  return 1;
}

#define INSTEAD_OF(name)                                            \
  int name(int fd, int command, ...) {                              \
    static int (*real)(int, int, ...);                              \
    if (real == NULL) real = dlsym(RTLD_NEXT, #name);               \
    va_list rest;                                                   \
    va_start(rest, command);                                        \
    void *argument = va_arg(rest, void *);                          \
    va_end(rest);                                                   \
    return refused(fd, command) ? -1 : real(fd, command, argument); \
  }

INSTEAD_OF(fcntl)
INSTEAD_OF(fcntl64)

static int closed(const char *path) {
  static int times = 0;
  const char *number = strstr(path, "opening-");
  if (number == NULL || times++ > 0) return 0;
  errno = atoi(number + strlen("opening-"));
  return 1;
}

#define OPEN_INSTEAD_OF(name)                                  \
  int name(const char *path, int flags, ...) {                 \
    static int (*real)(const char *, int, ...);                \
    if (real == NULL) real = dlsym(RTLD_NEXT, #name);          \
    va_list rest;                                              \
    va_start(rest, flags);                                     \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;  \
    va_end(rest);                                              \
    return closed(path) ? -1 : real(path, flags, mode);        \
  }

OPEN_INSTEAD_OF(open)
OPEN_INSTEAD_OF(open64)

static time_t jump(void) {
  static int times = 0;
  return getenv("CLOCK_JUMPS") == NULL ? 0 : (times++ % 2 ? 1 : -1) * 86400;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  static int (*real)(struct timeval *, void *);
  if (real == NULL) real = dlsym(RTLD_NEXT, "gettimeofday");
  int result = real(time, zone);
  time->tv_sec += jump();
  return result;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  if (clock == CLOCK_REALTIME) time->tv_sec += jump();
  return result;
}
