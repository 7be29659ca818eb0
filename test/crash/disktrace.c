/*
 * What a process writes and syncs, in order: preloaded into node, it appends a record for every write, truncation and sync of the journal's
 * files, for every write to a socket, and for every write to a file named "marks" (what the process says about itself).
 *
 * Record, little endian: u32 kind, u32 file, u64 offset, u64 length, then `length` bytes (writes and marks only).
 * kind: 1 write, 2 sync, 3 truncate (offset = new size), 4 unlink, 5 one of these that was made to fail. file: 1 *.db, 2 *.db-wal, 3 socket, 4 marks.
 * DISKTRACE names the trace; without it nothing is recorded. DISKSTALL=PERMILLE,MS makes so many of a thousand syncs of the journal take MS longer,
 * as a tired card does; the choice repeats from run to run. DISKCARD=MS,LONG,EVERY makes each of them take MS longer, and each EVERYth LONG instead. DISKFAIL=FILE makes writes and syncs of the journal fail while that file exists: with
 * ENOSPC when its name ends in "full", with EROFS when it ends in "readonly", else with EIO. DISKNTH="N CODE" makes the n-th write, sync or
 * truncation of the journal and of the gateway's keys since it was set fail with ENOSPC, EIO or EROFS; "N+ CODE" that one and all behind it: as
 * for a power cut, nothing reaches the disk any more. Of the keys renaming and removing counts, too; they are not traced. DISKKILL=FILE kills the process at
 * the n-th of these calls after that file appeared, n being what it holds. DISKQUOTA="BYTES FOLDER" makes a folder as small as a disk of so many bytes:
 * what grows beyond fails with ENOSPC, and statfs tells what is left. DISKOPEN=CODE makes opening
 * any of the journal's files fail: with EROFS only to write, with ENOSPC only what must be made, else always. Threads are serialised, so the order
 * is the one in which the calls began to take effect.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 3, UNLINK = 4, FAILED = 5 };
enum { NONE = 0, DB = 1, WAL = 2, SOCKET = 3, MARKS = 4, KEYS = 5, PROBE = 6 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;

static int ends(const char *path, const char *tail) {
  size_t n = strlen(path), m = strlen(tail);
  return n >= m && strcmp(path + n - m, tail) == 0;
}

static int kind_of(const char *path) {
  if (ends(path, ".db")) return DB;
  if (ends(path, ".db-wal")) return WAL;
  if (ends(path, "/marks")) return MARKS;
  if (ends(path, ".db.probe")) return PROBE;
  if (strstr(path, "/gateway.key") != NULL) return KEYS;
  return strncmp(path, "socket:", 7) == 0 ? SOCKET : NONE;
}

static const char *path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, size - 1);
  path[n < 0 ? 0 : n] = 0;
  return path;
}

static int file_of(int fd) {
  char path[4096];
  return kind_of(path_of(fd, path, sizeof path));
}

/* Bytes of the small folder that are not taken; -1 without one, or for a path that is not in it. */
static long long left_for(const char *path) {
  const char *how = getenv("DISKQUOTA");
  if (how == NULL) return -1;
  char *folder = NULL;
  long long left = strtoll(how, &folder, 10);
  folder++;
  if (strncmp(path, folder, strlen(folder)) != 0) return -1;
  DIR *all = opendir(folder);
  if (all == NULL) return -1;
  for (struct dirent *one = readdir(all); one != NULL; one = readdir(all)) {
    struct stat facts;
    if (fstatat(dirfd(all), one->d_name, &facts, 0) == 0 && S_ISREG(facts.st_mode)) left -= facts.st_size;
  }
  closedir(all);
  return left < 0 ? 0 : left;
}

/* Whether `n` bytes at `at` (negative: at the end of what was written) do not fit. */
static int too_much(int fd, size_t n, off_t at) {
  if (getenv("DISKQUOTA") == NULL) return 0;
  struct stat facts;
  if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return 0;
  /* Before its first write the place of a file that is only appended to says nothing. */
  int appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
  off_t from = at >= 0 ? at : appends ? facts.st_size : lseek(fd, 0, SEEK_CUR);
  off_t more = from + (off_t)n - facts.st_size;
  if (more <= 0) return 0;
  char path[4096];
  long long left = left_for(path_of(fd, path, sizeof path));
  return left >= 0 && more > left;
}

static void put(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    long n = syscall(SYS_write, trace, at, length);
    if (n <= 0) abort();
    at += n;
    length -= (size_t)n;
  }
}

static void record(uint32_t kind, uint32_t file, uint64_t offset, const struct iovec *parts, int count) {
  if (file > MARKS) return;
  if (trace < 0) {
    const char *name = getenv("DISKTRACE");
    if (name == NULL) return;
    trace = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0) abort();
  }
  uint64_t length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  struct { uint32_t kind, file; uint64_t offset, length; } head = {kind, file, offset, length};
  put(&head, sizeof head);
  for (int i = 0; i < count; i++) put(parts[i].iov_base, parts[i].iov_len);
}

static int numbered(const char *name) {
  if (strcmp(name, "ENOSPC") == 0) return ENOSPC;
  if (strcmp(name, "EACCES") == 0) return EACCES;
  return strcmp(name, "EROFS") == 0 ? EROFS : EIO;
}

/* The error of the n-th call, or 0. A process sets it anew for each of its journals; then the count begins again. */
static int nth(void) {
  static char known[32];
  static unsigned long calls;
  const char *how = getenv("DISKNTH");
  if (how == NULL) return 0;
  pthread_mutex_lock(&lock);
  if (strcmp(how, known) != 0) {
    snprintf(known, sizeof known, "%s", how);
    calls = 0;
  }
  unsigned long n = 0, call = ++calls;
  pthread_mutex_unlock(&lock);
  char *end = NULL;
  n = strtoul(how, &end, 10);
  int stays = *end == '+';
  return call == n || (stays && call > n) ? numbered(end + stays + 1) : 0;
}

/* Ends the process at its n-th call since the file appeared. */
static void killing(void) {
  static long left = -1;
  const char *name = getenv("DISKKILL");
  if (name == NULL) return;
  if (left < 0) {
    char text[16] = {0};
    int fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return;
    long n = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (n <= 0) return;
    left = strtol(text, NULL, 10);
  }
  if (--left <= 0) kill(getpid(), SIGKILL);
}

/* The error the journal's files give now, or 0. */
static int failing(int file) {
  if (file != DB && file != WAL && file != KEYS && file != PROBE) return 0;
  if (file != PROBE) {
    killing();
    int error = nth();
    if (error != 0 || file == KEYS) return error;
  }
  const char *name = getenv("DISKFAIL");
  if (name == NULL || access(name, F_OK) != 0) return 0;
  return ends(name, "full") ? ENOSPC : ends(name, "readonly") ? EROFS : EIO;
}

static void refused(int file) {
  if (file != DB && file != WAL) return;
  pthread_mutex_lock(&lock);
  record(FAILED, (uint32_t)file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* The record is written before the call: a trace that ends here holds at most one write the disk never saw, which a power cut may lose anyway. */
#define TRACED(fd, record_it, call) \
  do { \
    int file = file_of(fd); \
    if (file == NONE) return call; \
    int error = failing(file); \
    if (error != 0) { \
      refused(file); \
      errno = error; \
      return -1; \
    } \
    pthread_mutex_lock(&lock); \
    record_it; \
    pthread_mutex_unlock(&lock); \
    return call; \
  } while (0)

#define FITS(fd, n, at) \
  if (too_much(fd, n, at)) { \
    errno = ENOSPC; \
    return -1; \
  }

static uint64_t here(int fd) {
  off_t at = lseek(fd, 0, SEEK_CUR);
  return at < 0 ? 0 : (uint64_t)at;
}

ssize_t write(int fd, const void *bytes, size_t n) {
  REAL(ssize_t, "write", int, const void *, size_t);
  struct iovec one = {(void *)bytes, n};
  FITS(fd, n, -1);
  TRACED(fd, record(WRITE, file, here(fd), &one, 1), real(fd, bytes, n));
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
  REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  struct iovec one = {(void *)bytes, n};
  FITS(fd, n, at);
  TRACED(fd, record(WRITE, file, (uint64_t)at, &one, 1), real(fd, bytes, n, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  struct iovec one = {(void *)bytes, n};
  FITS(fd, n, at);
  TRACED(fd, record(WRITE, file, (uint64_t)at, &one, 1), real(fd, bytes, n, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  TRACED(fd, record(WRITE, file, here(fd), parts, count), real(fd, parts, count));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  REAL(ssize_t, "sendmsg", int, const struct msghdr *, int);
  TRACED(fd, record(WRITE, file, 0, message->msg_iov, (int)message->msg_iovlen), real(fd, message, flags));
}

/* A sync counts when it has ended. */
static int synced(int fd, int result) {
  int file = file_of(fd);
  if (result != 0 || file == NONE) return result;
  pthread_mutex_lock(&lock);
  record(SYNC, (uint32_t)file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

/* 0, or -1 with errno set: the sync fails as the writes do. */
static int failed(int fd) {
  int file = file_of(fd), error = failing(file);
  if (error != 0) refused(file);
  errno = error;
  return error == 0 ? 0 : -1;
}

/* Milliseconds this sync of a card takes longer. */
static int card(void) {
  static int ms = -1, longer = 0, every = 1, count = 0;
  if (ms < 0) {
    const char *how = getenv("DISKCARD");
    if (how == NULL || sscanf(how, "%d,%d,%d", &ms, &longer, &every) != 3 || every < 1) ms = longer = 0, every = 1;
  }
  return ++count % every == 0 ? longer : ms;
}

static void stall(int fd) {
  static int permille = -1, ms = 0;
  static unsigned seed = 1;
  if (permille < 0) {
    const char *how = getenv("DISKSTALL");
    if (how == NULL || sscanf(how, "%d,%d", &permille, &ms) != 2) permille = 0;
  }
  if (file_of(fd) == NONE) return;
  usleep((useconds_t)card() * 1000);
  if (permille == 0) return;
  seed = seed * 1103515245u + 12345u;
  if ((int)((seed >> 8) % 1000) < permille) usleep((useconds_t)ms * 1000);
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  stall(fd);
  if (failed(fd)) return -1;
  return synced(fd, real(fd));
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  stall(fd);
  if (failed(fd)) return -1;
  return synced(fd, real(fd));
}

int ftruncate(int fd, off_t size) {
  REAL(int, "ftruncate", int, off_t);
  TRACED(fd, record(TRUNCATE, file, (uint64_t)size, NULL, 0), real(fd, size));
}

int ftruncate64(int fd, off64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  TRACED(fd, record(TRUNCATE, file, (uint64_t)size, NULL, 0), real(fd, size));
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  int error = kind_of(to) == KEYS ? failing(KEYS) : 0;
  if (error == 0) return real(from, to);
  errno = error;
  return -1;
}

/* The two are one struct here. */
static int small(const char *path, struct statfs *facts, int result) {
  long long left = result == 0 ? left_for(path) : -1;
  if (left < 0) return result;
  facts->f_bfree = facts->f_bavail = (fsblkcnt_t)(left / (long long)facts->f_bsize);
  facts->f_blocks = (fsblkcnt_t)(strtoll(getenv("DISKQUOTA"), NULL, 10) / (long long)facts->f_bsize);
  return result;
}

int statfs(const char *path, struct statfs *facts) {
  REAL(int, "statfs", const char *, struct statfs *);
  return small(path, facts, real(path, facts));
}

int statfs64(const char *path, struct statfs64 *facts) {
  REAL(int, "statfs64", const char *, struct statfs64 *);
  return small(path, (struct statfs *)facts, real(path, facts));
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  int file = kind_of(path);
  int error = file == KEYS ? failing(KEYS) : 0;
  if (error != 0) {
    errno = error;
    return -1;
  }
  if (file == DB || file == WAL) {
    pthread_mutex_lock(&lock);
    record(UNLINK, (uint32_t)file, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
  }
  return real(path);
}

/* The error of opening a file now, or 0. */
static int unopened(const char *path, int flags) {
  const char *how = getenv("DISKOPEN");
  if (how == NULL || *how == 0 || strstr(path, ".db") == NULL) return 0;
  int error = numbered(how);
  if (error == EROFS && (flags & O_ACCMODE) == O_RDONLY) return 0;
  if (error == ENOSPC && ((flags & O_CREAT) == 0 || access(path, F_OK) == 0)) return 0;
  return error;
}

int open64(const char *path, int flags, ...) {
  REAL(int, "open64", const char *, int, ...);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  errno = unopened(path, flags);
  return errno != 0 ? -1 : real(path, flags, mode);
}
