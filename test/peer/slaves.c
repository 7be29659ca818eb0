/*
 * Modbus slaves of another making (libmodbus), as the gateway's independent peer. Every register is a known function of station, register and
 * time, so that whoever receives a value can tell whether it ever was one.
 *
 *   slaves tcp FIRST_PORT PORTS REGISTERS      one slave a port, station 1, until SIGTERM
 *   slaves rtu DEVICE BAUD STATION REGISTERS   one slave on a serial device
 *
 * value(slave, register, s) = (slave * 211 + register * 7 + s) mod 65536, s = seconds since 1970; slave = port - FIRST_PORT + 1, or STATION.
 * Prints "ready" when it listens; at the end one line of JSON: requests, registers.
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PORTS = 200 };

static volatile sig_atomic_t over = 0;
static unsigned long requests = 0, registers = 0;

static void on_end(int signal) {
  (void)signal;
  over = 1;
}

static void fill(modbus_mapping_t *map, int slave, int count) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  for (int r = 0; r < count; r++)
    map->tab_registers[r] = (uint16_t)(slave * 211 + r * 7 + now.tv_sec);
}

static void answer(modbus_t *slave, const uint8_t *query, int length, modbus_mapping_t *map) {
  int at = modbus_get_header_length(slave);
  requests++;
  if (length >= at + 5 && (query[at] == 3 || query[at] == 4)) registers += (unsigned long)(query[at + 3] << 8 | query[at + 4]);
  modbus_reply(slave, query, length, map);
}

static int serve_rtu(const char *device, int baud, int station, int count) {
  modbus_t *slave = modbus_new_rtu(device, baud, 'N', 8, 1);
  modbus_mapping_t *map = modbus_mapping_new(0, 0, count, 0);
  if (slave == NULL || map == NULL || modbus_set_slave(slave, station) < 0 || modbus_connect(slave) < 0) {
    fprintf(stderr, "%s: %s\n", device, modbus_strerror(errno));
    return 1;
  }
  modbus_set_indication_timeout(slave, 0, 200000);
  puts("ready");
  fflush(stdout);
  while (!over) {
    uint8_t query[MODBUS_RTU_MAX_ADU_LENGTH];
    int length = modbus_receive(slave, query);
    if (length < 0 && (errno == EIO || errno == ENXIO)) break;
    if (length <= 0) continue;
    fill(map, station, count);
    answer(slave, query, length, map);
  }
  return 0;
}

static int serve_tcp(int first, int ports, int count) {
  static modbus_t *slaves[MOST_PORTS];
  static int owner[FD_SETSIZE], is_listener[FD_SETSIZE];
  modbus_mapping_t *map = modbus_mapping_new(0, 0, count, 0);
  fd_set open;
  FD_ZERO(&open);
  int top = 0;
  for (int i = 0; i < ports; i++) {
    slaves[i] = modbus_new_tcp("127.0.0.1", first + i);
    int fd = slaves[i] == NULL ? -1 : modbus_tcp_listen(slaves[i], 4);
    if (fd < 0 || fd >= FD_SETSIZE) {
      fprintf(stderr, "port %d: %s\n", first + i, modbus_strerror(errno));
      return 1;
    }
    owner[fd] = i;
    is_listener[fd] = 1;
    FD_SET(fd, &open);
    if (fd > top) top = fd;
  }
  puts("ready");
  fflush(stdout);
  while (!over) {
    fd_set ready = open;
    struct timeval patience = {0, 200000};
    if (select(top + 1, &ready, NULL, NULL, &patience) <= 0) continue;
    for (int fd = 0; fd <= top; fd++) {
      if (!FD_ISSET(fd, &ready)) continue;
      int i = owner[fd];
      if (is_listener[fd]) {
        int listener = fd;
        int client = modbus_tcp_accept(slaves[i], &listener);
        if (client < 0 || client >= FD_SETSIZE) continue;
        owner[client] = i;
        is_listener[client] = 0;
        FD_SET(client, &open);
        if (client > top) top = client;
        continue;
      }
      uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
      modbus_set_socket(slaves[i], fd);
      int length = modbus_receive(slaves[i], query);
      if (length > 0) {
        fill(map, i + 1, count);
        answer(slaves[i], query, length, map);
      } else if (length < 0) {
        close(fd);
        FD_CLR(fd, &open);
      }
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  signal(SIGTERM, on_end);
  signal(SIGINT, on_end);
  signal(SIGPIPE, SIG_IGN);
  int result = 2;
  if (argc == 5 && strcmp(argv[1], "tcp") == 0 && atoi(argv[3]) <= MOST_PORTS)
    result = serve_tcp(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  else if (argc == 6 && strcmp(argv[1], "rtu") == 0)
    result = serve_rtu(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
  else
    fputs("usage: slaves tcp FIRST_PORT PORTS REGISTERS | slaves rtu DEVICE BAUD STATION REGISTERS\n", stderr);
  printf("{\"requests\":%lu,\"registers\":%lu}\n", requests, registers);
  return result;
}
