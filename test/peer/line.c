/*
 * A paced Modbus RTU line on a pseudo-terminal: every byte takes its time, every slave thinks for a while, dead ones keep silent, strict ones refuse
 * registers they do not have. It counts what a bus analyser would see: requests that came before 3.5 characters of silence were over, collisions,
 * wrong checksums, and for each slave how long a scan of all its registers took.
 *
 *   line LINK BAUD TURNAROUND_MS MAP [DEAD,...]       MAP: "1-5:0-9,12-21;6-10:0-9,14-23!"   ! = strict
 *
 * Register value: slave * 211 + register * 7 + seconds since 1970, modulo 65536. SIGUSR1 begins a new counting window; SIGTERM prints JSON and ends.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define REGISTERS 256
#define CYCLES 100000

typedef struct {
  int there, strict, dead, wanted, got;
  uint8_t has[REGISTERS], seen[REGISTERS];
  double scanned;
} Slave;

static Slave slaves[248];
static double cycles[CYCLES];
static int cycle_count, requests, exceptions, bad_crc, collisions, early, dead_requests;
static double least_gap = 1e9;
static volatile sig_atomic_t stopped, restarted;

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void until(double ms) {
  struct timespec t = {(time_t)(ms / 1e3), (long)((ms - 1e3 * (time_t)(ms / 1e3)) * 1e6)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) && !stopped) {}
}

static uint16_t crc(const uint8_t *bytes, int n) {
  uint16_t c = 0xffff;
  for (int i = 0; i < n; i++) {
    c ^= bytes[i];
    for (int b = 0; b < 8; b++) c = c & 1 ? (c >> 1) ^ 0xa001 : c >> 1;
  }
  return c;
}

static void on_signal(int s) {
  if (s == SIGUSR1) restarted = 1;
  else stopped = 1;
}

static void read_map(char *map) {
  char *outer, *inner;
  for (char *part = strtok_r(map, ";", &outer); part; part = strtok_r(NULL, ";", &outer)) {
    int first, last, at = 0, strict = strchr(part, '!') != NULL;
    if (sscanf(part, "%d-%d:%n", &first, &last, &at) < 2) exit(2);
    for (char *range = strtok_r(part + at, ",!", &inner); range; range = strtok_r(NULL, ",!", &inner)) {
      int from, to;
      if (sscanf(range, "%d-%d", &from, &to) != 2 || to >= REGISTERS) exit(2);
      for (int u = first; u <= last; u++)
        for (int r = from; r <= to; r++) slaves[u].has[r] = 1, slaves[u].wanted++;
    }
    for (int u = first; u <= last; u++) slaves[u].there = 1, slaves[u].strict = strict;
  }
}

static void scanned(Slave *s, int from, int count) {
  for (int r = from; r < from + count; r++)
    if (s->has[r] && !s->seen[r]) s->seen[r] = 1, s->got++;
  if (s->got < s->wanted) return;
  double t = now_ms();
  if (s->scanned > 0 && cycle_count < CYCLES) cycles[cycle_count++] = t - s->scanned;
  s->scanned = t;
  s->got = 0;
  memset(s->seen, 0, sizeof s->seen);
}

/* The reply to a whole request, CRC included; 0 = silence. */
static int answer(const uint8_t *q, uint8_t *r) {
  Slave *s = &slaves[q[0]];
  int from = q[2] << 8 | q[3], count = q[4] << 8 | q[5], n = 3, refusal = 0;
  if (q[0] < 1 || q[0] > 247 || !s->there) return 0;
  if (s->dead) return dead_requests++, 0;
  if (q[1] != 3) refusal = 1;
  else if (count < 1 || count > 125) refusal = 3;
  else if (from + count > REGISTERS) refusal = 2;
  else if (s->strict)
    for (int i = from; i < from + count; i++)
      if (!s->has[i]) refusal = 2;
  r[0] = q[0];
  r[1] = refusal ? q[1] | 0x80 : q[1];
  r[2] = refusal ? refusal : 2 * count;
  if (refusal) exceptions++;
  else
    for (int i = 0; i < count; i++) {
      uint16_t v = (uint16_t)(q[0] * 211 + (from + i) * 7 + time(NULL));
      r[n++] = v >> 8;
      r[n++] = v & 255;
    }
  uint16_t c = crc(r, n);
  r[n++] = c & 255;
  r[n++] = c >> 8;
  return n;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(void) {
  double sum = 0;
  qsort(cycles, cycle_count, sizeof *cycles, by_size);
  for (int i = 0; i < cycle_count; i++) sum += cycles[i];
  printf("{\"requests\":%d,\"exceptions\":%d,\"bad_crc\":%d,\"collisions\":%d,\"gap_violations\":%d,\"least_gap_ms\":%.2f,"
         "\"dead_requests\":%d,\"cycles\":%d,\"mean_ms\":%.1f,\"median_ms\":%.1f,\"worst_ms\":%.1f}\n",
         requests, exceptions, bad_crc, collisions, early, least_gap, dead_requests, cycle_count,
         cycle_count ? sum / cycle_count : 0, cycle_count ? cycles[cycle_count / 2] : 0, cycle_count ? cycles[cycle_count - 1] : 0);
}

int main(int argc, char **argv) {
  if (argc < 5) return fprintf(stderr, "line LINK BAUD TURNAROUND_MS MAP [DEAD,...]\n"), 2;
  double character = 10e3 / atof(argv[2]), turnaround = atof(argv[3]), last_end = 0, began = 0;
  read_map(argv[4]);
  for (char *d = argc > 5 ? strtok(argv[5], ",") : NULL; d; d = strtok(NULL, ",")) slaves[atoi(d) & 255].dead = 1;
  int far, near, n = 0;
  char name[256];
  struct termios raw;
  if (openpty(&far, &near, name, NULL, NULL)) return perror("openpty"), 1;
  tcgetattr(near, &raw);
  cfmakeraw(&raw);
  tcsetattr(near, TCSANOW, &raw);
  unlink(argv[1]);
  if (symlink(name, argv[1])) return perror("symlink"), 1;
  struct sigaction act = {.sa_handler = on_signal};
  sigaction(SIGTERM, &act, NULL);
  sigaction(SIGUSR1, &act, NULL);
  puts("ready");
  fflush(stdout);
  uint8_t q[512], r[300];
  while (!stopped) {
    if (restarted) {
      restarted = cycle_count = requests = exceptions = bad_crc = collisions = early = dead_requests = 0;
      least_gap = 1e9;
    }
    struct pollfd p = {far, POLLIN, 0};
    if (poll(&p, 1, n ? (int)(20 * character) + 20 : 200) <= 0) {
      n = 0;
      continue;
    }
    double t = now_ms();
    int got = read(far, q + n, sizeof q - n);
    if (got <= 0) {
      usleep(10000);
      continue;
    }
    if (n == 0) began = t;
    n += got;
    if (n < 8) continue;
    if (n > 8) collisions++;
    n = 0;
    requests++;
    double gap = began - last_end, ends = began + 8 * character;
    if (last_end > 0 && gap < least_gap) least_gap = gap;
    if (last_end > 0 && gap < 3.5 * character - 0.2) early++;
    int size = crc(q, 6) == (q[6] | q[7] << 8) ? answer(q, r) : (bad_crc++, 0);
    if (size == 0) {
      until(last_end = ends);
      continue;
    }
    double starts = ends + turnaround;
    for (int i = 0; i < size && !stopped; i++) {
      until(starts + (i + 1) * character);
      /* The byte's time is over: from here on the line is silent, however late this process is told so. */
      last_end = now_ms();
      if (write(far, r + i, 1) != 1) break;
    }
    if (!(r[1] & 0x80)) scanned(&slaves[q[0]], q[2] << 8 | q[3], q[4] << 8 | q[5]);
  }
  report();
  return 0;
}
