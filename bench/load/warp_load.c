/* warp_load: a load generator and stopwatch for any WARP (SwimOS protocol) server.
 *
 * One thread, raw sockets, hand-rolled WebSocket client.  Frames of the throughput run are
 * encoded and masked before the clock starts and many of them go out in one write, so that
 * the client is not what is being measured; every result carries the client's own CPU use.
 *
 *   cc -O2 -Wall -o warp_load warp_load.c
 *   ./warp_load ingest  --port 9001 --pid PID --conns 8 --nodes 1000 --count 2000000
 *   ./warp_load fanout  --port 9001 --pid PID --links 100 --secs 5 [--rate 1000]
 *   ./warp_load sync    --port 9001 --node /unit/big --lane history --reps 50
 *   ./warp_load rtt     --port 9001 --node /unit/rtt --rate 200 --count 2000
 *   ./warp_load startup --port 9001 -- CMD ARG...
 *   ./warp_load frames  --port 9002 --pid PID --conns 64 --count 1000000
 *   ./warp_load ack     --port 9001 --pid PID --conns 64 --nodes 1000 --links 128 --rate 50000 --secs 5
 *   ./warp_load delay   --port 9001 --pid PID --node /unit/big --lane history --fill 100000 --rate 500 --reps 5
 *
 * sync and rtt with --spin 1: the client polls without sleeping, so that its own waking up is
 * not in the figures (only where it has a core of its own).
 *
 * ack sends at a fixed rate to all nodes, whatever the server does meanwhile, and times each command to a node that it is linked to
 * until an event shows that command's state or a later one: a durable lane shows nothing before it is on the disk.  The clock
 * starts when a command was due, so a client or a server that falls behind is in the figures.
 *
 * delay times command -> event on one connection, at a rate, first alone, then while another connection syncs a large map.
 *
 * Each prints one JSON object.  frames sends text frames of 100 bytes that mean nothing, and waits for
 * the pong of a ping behind them: what a bare listener costs.  tests/conformance/plane.py is such a server; bench/yard.py offers as much as the yardstick needs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *opt_host = "127.0.0.1", *opt_path = "/", *opt_prefix = "/unit/", *opt_lane = NULL,
                  *opt_cmdlane = NULL, *opt_node = NULL, *opt_label = "", *opt_control = "/control";
static int opt_port = 9001, opt_conns = 1, opt_nodes = 1000, opt_links = 1, opt_reps = 20, opt_pid = 0,
           opt_prestart = 0, opt_fresh = 0, opt_mod = 16, opt_verify = 200, opt_pollms = 2, opt_two = 0, opt_spin = 0,
           opt_fill = 0, opt_start_window = 0;
static long opt_count = 1000000, opt_window = 0;
static double opt_rate = 0, opt_secs = 5, opt_timeout = 60;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  fprintf(stderr, "warp_load: ");
  vfprintf(stderr, fmt, ap);
  fprintf(stderr, "\n");
  va_end(ap);
  exit(2);
}

static double client_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static double server_cpu(void) {
  if (!opt_pid) return 0;
  char path[64], buf[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", opt_pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  size_t n = fread(buf, 1, sizeof buf - 1, f);
  fclose(f);
  buf[n] = 0;
  char *p = strrchr(buf, ')');
  if (!p) return 0;
  unsigned long ut = 0, st = 0;
  sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st);
  return (double)(ut + st) / sysconf(_SC_CLK_TCK);
}

static long server_kb(const char *key) { /* VmRSS or VmHWM */
  if (!opt_pid) return 0;
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/status", opt_pid);
  FILE *f = fopen(path, "r");
  if (!f) return 0;
  long kb = 0;
  while (fgets(line, sizeof line, f))
    if (!strncmp(line, key, strlen(key))) kb = atol(line + strlen(key) + 1);
  fclose(f);
  return kb;
}

/* ---------------------------------------------------------------- a connection */

typedef struct conn {
  int fd, id;
  uint8_t *in;
  size_t in_len, in_cap;
  int frag; /* inside a fragmented message */
  int dead;
  /* precoded output */
  uint8_t *out;
  uint64_t *ends; /* end offset of each frame */
  size_t nframes, idx, off, out_len, out_cap;
  /* what was seen */
  uint64_t messages, events;
  int64_t last_v;
  int done, pongs;
} conn;

static int try_connect(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(opt_port)};
  inet_pton(AF_INET, opt_host, &a.sin_addr);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
    close(fd);
    return -1;
  }
  return fd;
}

static void write_all(conn *c, const uint8_t *p, size_t n) {
  while (n) {
    ssize_t k = write(c->fd, p, n);
    if (k > 0) {
      p += k;
      n -= k;
    } else if (errno == EAGAIN) {
      struct pollfd pf = {c->fd, POLLOUT, 0};
      poll(&pf, 1, 1000);
    } else if (errno != EINTR) {
      die("write: %s", strerror(errno));
    }
  }
}

static int upgrade(conn *c) {
  char req[1024];
  int n = snprintf(req, sizeof req,
                   "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Protocol: warp0\r\n\r\n",
                   opt_path, opt_host, opt_port);
  write_all(c, (uint8_t *)req, n);
  for (;;) {
    if (c->in_cap - c->in_len < 4096) c->in = realloc(c->in, c->in_cap = c->in_cap ? c->in_cap * 2 : 65536);
    struct pollfd pf = {c->fd, POLLIN, 0};
    if (poll(&pf, 1, 20000) <= 0) return -1;
    ssize_t k = read(c->fd, c->in + c->in_len, c->in_cap - c->in_len);
    if (k <= 0) return -1;
    c->in_len += k;
    uint8_t *e = memmem(c->in, c->in_len, "\r\n\r\n", 4);
    if (e) {
      if (c->in_len < 12 || memcmp(c->in + 9, "101", 3)) return -1;
      size_t used = e + 4 - c->in;
      memmove(c->in, c->in + used, c->in_len - used);
      c->in_len -= used;
      return 0;
    }
  }
}

static size_t encode(uint8_t *dst, const char *text, size_t n, int op);
static long conn_read(struct conn *c);
static void conn_close(conn *c);
static int stuck_conns; /* upgraded, then never answered a ping */

static conn *conn_open_once(int id) {
  conn *c = calloc(1, sizeof *c);
  c->id = id;
  c->last_v = -1;
  c->fd = try_connect();
  if (c->fd < 0) die("connect %s:%d: %s", opt_host, opt_port, strerror(errno));
  if (upgrade(c)) die("upgrade refused");
  fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
  return c;
}

/* Open, and see that the server answers a ping: one in some tens of thousands of connections
 * of SwimOS 4.3 is upgraded and then never read from. */
static conn *conn_open(int id) {
  for (int tries = 0; tries < 5; tries++) {
    conn *c = conn_open_once(id);
    uint8_t f[16];
    write_all(c, f, encode(f, "hi", 2, 9));
    int64_t t = now_ns();
    while (!c->pongs && now_ns() - t < 3e9) {
      struct pollfd pf = {c->fd, POLLIN, 0};
      poll(&pf, 1, 500);
      if (conn_read(c) < 0) break;
    }
    if (c->pongs) return c;
    stuck_conns++;
    conn_close(c);
  }
  die("the server answers no ping");
  return NULL;
}

static void conn_close(conn *c) {
  close(c->fd);
  free(c->in);
  free(c->out);
  free(c->ends);
  free(c);
}

static size_t encode(uint8_t *dst, const char *text, size_t n, int op) {
  static uint32_t seed = 2463534242u;
  uint8_t *p = dst;
  *p++ = 0x80 | op;
  if (n < 126) {
    *p++ = 0x80 | n;
  } else if (n < 65536) {
    *p++ = 0x80 | 126;
    *p++ = n >> 8;
    *p++ = n;
  } else {
    *p++ = 0x80 | 127;
    for (int i = 7; i >= 0; i--) *p++ = (uint64_t)n >> (8 * i);
  }
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  uint8_t m[4] = {seed, seed >> 8, seed >> 16, seed >> 24};
  memcpy(p, m, 4);
  p += 4;
  for (size_t i = 0; i < n; i++) *p++ = text[i] ^ m[i & 3];
  return p - dst;
}

static void send_text(conn *c, const char *fmt, ...) {
  char t[2048];
  uint8_t f[2100];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(t, sizeof t, fmt, ap);
  va_end(ap);
  write_all(c, f, encode(f, t, n, 1));
}

static void precode(conn *c, const char *text, size_t n) {
  if (c->out_cap - c->out_len < n + 16) c->out = realloc(c->out, c->out_cap = c->out_cap * 2 + 65536 + n);
  c->out_len += encode(c->out + c->out_len, text, n, 1);
  if ((c->nframes & (c->nframes + 1)) == 0) c->ends = realloc(c->ends, 8 * (c->nframes + 1) * 2);
  c->ends[c->nframes++] = c->out_len;
}

/* Read what there is and hand each message to on_message (fragments: the first frame only,
 * counted when the last arrives).  Returns bytes read, 0 when nothing, -1 at the end. */
typedef void (*on_message_fn)(conn *, const char *text, size_t n, void *arg);
static on_message_fn on_message;
static void *on_message_arg;
static int read_once; /* one read(2) a call, so that a flood on one connection does not keep the client from the others */
static int only_last; /* call on_message for the last message of a read only; count them all */

static long conn_read(conn *c) {
  long total = 0;
  if (c->dead) return -1;
  for (;;) {
    if (c->in_cap - c->in_len < 32768) c->in = realloc(c->in, c->in_cap = c->in_cap * 2 + 65536);
    ssize_t k = read(c->fd, c->in + c->in_len, c->in_cap - c->in_len);
    if (k == 0 || (k < 0 && errno != EAGAIN && errno != EINTR)) {
      c->dead = 1;
      return total ? total : -1;
    }
    if (k < 0) break;
    total += k;
    c->in_len += k;
    uint8_t *p = c->in, *end = c->in + c->in_len;
    const char *last = NULL;
    size_t last_n = 0;
    while (end - p >= 2) {
      size_t n = p[1] & 127, at = 2;
      if (n == 126) {
        if (end - p < 4) break;
        n = p[2] << 8 | p[3];
        at = 4;
      } else if (n == 127) {
        if (end - p < 10) break;
        n = 0;
        for (int i = 0; i < 8; i++) n = n << 8 | p[2 + i];
        at = 10;
      }
      if ((size_t)(end - p) < at + n) break;
      int op = p[0] & 15, fin = p[0] >> 7;
      const char *text = (const char *)p + at;
      if (op < 3) {
        int first = !c->frag;
        c->frag = !fin;
        if (fin) c->messages++;
        if (first) {
          /* @event( starts with "@e", nothing else does */
          if (n > 2 && text[1] == 'e') c->events++;
          if (only_last && n > 2 && text[1] == 'e') {
            last = text;
            last_n = n;
          } else if (on_message) {
            on_message(c, text, n, on_message_arg);
          }
        }
      } else if (op == 9) {
        uint8_t f[140];
        write_all(c, f, encode(f, text, n > 125 ? 125 : n, 10));
      } else if (op == 10) {
        c->pongs++;
      } else if (op == 8) {
        c->dead = 1;
      }
      p += at + n;
    }
    if (last && on_message) on_message(c, last, last_n, on_message_arg);
    size_t left = end - p;
    if (left && p != c->in) memmove(c->in, p, left);
    c->in_len = left;
    if (k < 32768 || read_once) break;
  }
  return total;
}

static int64_t field_int(const char *t, size_t n, const char *key) { /* the last "key" in text */
  size_t kn = strlen(key);
  for (ssize_t i = (ssize_t)n - (ssize_t)kn; i >= 0; i--)
    if (!memcmp(t + i, key, kn)) return strtoll(t + i + kn, NULL, 10);
  return -1;
}

/* ---------------------------------------------------------------- the control agent */

static conn *ctl;
static int64_t ctl_n = -1, ctl_tok = -1, ctl_sent_tok = 0, ctl_at = 0, ctl_sent_at = 0;
static int ctl_synced;

static void ctl_message(conn *c, const char *t, size_t n, void *arg) {
  if (n > 7 && !memcmp(t, "@synced", 7)) ctl_synced = 1;
  if (n > 2 && t[1] == 'e') {
    int64_t v = field_int(t, n, ",n:"), k = field_int(t, n, "{tok:");
    if (v >= 0) {
      ctl_n = v;
      ctl_tok = k;
      ctl_at = now_ns();
    }
  }
}

static void ctl_pump(int wait_ms) {
  struct pollfd pf = {ctl->fd, POLLIN, 0};
  if (poll(&pf, 1, wait_ms) > 0) {
    on_message_fn keep = on_message;
    int keep_last = only_last;
    on_message = ctl_message;
    only_last = 0;
    if (conn_read(ctl) < 0) die("control connection closed");
    on_message = keep;
    only_last = keep_last;
  }
}

static void ctl_ask(void) {
  ctl_sent_at = now_ns();
  send_text(ctl, "@command(node:\"%s\",lane:poll) %lld", opt_control, (long long)++ctl_sent_tok);
}

static void ctl_open(void) {
  ctl = conn_open(-1);
  ctl_sent_tok = (getpid() % 1000) * 1000000LL;
  send_text(ctl, "@sync(node:\"%s\",lane:total)", opt_control);
  int64_t t = now_ns();
  while (!ctl_synced) {
    ctl_pump(100);
    if (now_ns() - t > 20e9) die("no answer from the control agent %s", opt_control);
  }
}

static int64_t ctl_count(double secs) { /* ask, wait for the answer to that very question */
  ctl_ask();
  int64_t t = now_ns();
  while (ctl_tok != ctl_sent_tok) {
    ctl_pump(100);
    if (now_ns() - t > secs * 1e9) return -1;
  }
  return ctl_n;
}

/* ---------------------------------------------------------------- ingest */

typedef struct {
  double secs, send_secs;
  int64_t processed;
  double scpu, ccpu;
  long stalls;
} pushed;

/* Send what every connection has precoded; done when the control agent has counted it all. */
static pushed push_all(conn **cs, int n, int64_t base, int64_t count, long window) {
  pushed r = {0};
  double s0 = server_cpu(), c0 = client_cpu();
  int64_t t0 = now_ns(), sent = 0, last_progress = t0, done_at = 0, send_done = 0, last_ask = 0;
  int64_t processed = 0;
  int asked = 0;
  struct pollfd *pf = calloc(n + 1, sizeof *pf);
  while (processed < count) {
    int progressed = 0, limited = 0;
    for (int i = 0; i < n; i++) {
      conn *c = cs[i];
      if (c->idx == c->nframes) continue;
      long allow = 4096;
      if (window) {
        long room = window - (sent - processed);
        if (room <= 0) {
          limited = 1;
          break;
        }
        if (room < allow) allow = room;
      }
      size_t upto = c->idx + allow > c->nframes ? c->nframes : c->idx + allow;
      size_t stop = c->ends[upto - 1];
      if (stop - c->off > 131072) stop = c->off + 131072;
      ssize_t k = write(c->fd, c->out + c->off, stop - c->off);
      if (k > 0) {
        progressed = 1;
        c->off += k;
        while (c->idx < c->nframes && c->ends[c->idx] <= c->off) c->idx++, sent++;
      } else if (k < 0 && errno != EAGAIN && errno != EINTR) {
        die("connection %d: %s", i, strerror(errno));
      }
      if (i % 8 == 7 || i == n - 1) { /* let the control connection in */
        if (asked || ctl_tok != ctl_sent_tok) ctl_pump(0);
      }
    }
    int64_t t = now_ns();
    if (sent == count && !send_done) send_done = t;
    ctl_pump(0);
    if (asked && ctl_tok == ctl_sent_tok) {
      asked = 0;
      if (ctl_n - base > processed) last_progress = t;
      processed = ctl_n - base;
      done_at = ctl_at;
    }
    if (processed >= count) break;
    if (!asked && (t - last_ask > opt_pollms * 1000000LL)) {
      ctl_ask();
      asked = 1;
      last_ask = t;
    }
    if (t - last_progress > opt_timeout * 1e9) break;
    if (!progressed) {
      r.stalls++;
      int k = 0;
      pf[k++] = (struct pollfd){ctl->fd, POLLIN, 0};
      if (!limited)
        for (int i = 0; i < n; i++)
          if (cs[i]->idx < cs[i]->nframes) pf[k++] = (struct pollfd){cs[i]->fd, POLLOUT, 0};
      poll(pf, k, asked && !limited ? 50 : opt_pollms);
    }
  }
  free(pf);
  r.processed = processed;
  r.secs = (done_at - t0) / 1e9;
  r.send_secs = ((send_done ? send_done : now_ns()) - t0) / 1e9;
  r.scpu = server_cpu() - s0;
  r.ccpu = client_cpu() - c0;
  return r;
}

typedef struct {
  int64_t v;
  int synced;
  int entries;
} readback;

static void readback_message(conn *c, const char *t, size_t n, void *arg) {
  readback *r = arg;
  if (n > 7 && !memcmp(t, "@synced", 7)) r->synced = 1;
  else if (n > 9 && !memcmp(t, "@unlinked", 9)) r->synced = -1;
  else if (n > 6 && !memcmp(t, "@event", 6)) {
    r->v = field_int(t, n, "v:");
    r->entries++;
  }
}

static readback read_lane(conn *c, const char *node, const char *lane) {
  readback r = {.v = -1};
  on_message = readback_message;
  on_message_arg = &r;
  only_last = 0;
  send_text(c, "@sync(node:\"%s\",lane:\"%s\")", node, lane);
  int64_t t = now_ns();
  while (!r.synced && now_ns() - t < 20e9) {
    struct pollfd pf = {c->fd, POLLIN, 0};
    poll(&pf, 1, 1000);
    if (conn_read(c) < 0) break;
  }
  return r;
}

static void ingest(void) {
  const char *lane = opt_cmdlane ? opt_cmdlane : "publish";
  ctl_open();
  conn **cs = calloc(opt_conns, sizeof *cs);
  for (int i = 0; i < opt_conns; i++) cs[i] = conn_open(i);
  char t[512];
  long rss0 = server_kb("VmRSS:");
  double start_secs = 0;
  int64_t lost_start = 0;
  if (opt_prestart) { /* one command to each agent first, so that all of them live */
    for (int i = 0; i < opt_nodes; i++) {
      int n = snprintf(t, sizeof t, "@command(node:\"%s%d\",lane:\"%s\"){t:0,v:0}", opt_prefix, i, lane);
      precode(cs[i % opt_conns], t, n);
    }
    int64_t base = ctl_count(60);
    pushed p = push_all(cs, opt_conns, base, opt_nodes, opt_start_window ? opt_start_window : opt_window);
    start_secs = p.secs;
    lost_start = opt_nodes - p.processed;
    for (int i = 0; i < opt_conns; i++) cs[i]->idx = cs[i]->nframes = cs[i]->off = cs[i]->out_len = 0, cs[i]->ends = realloc(cs[i]->ends, 16);
  }
  /* round j sends to every node once; node i belongs to connection i % conns, so that the order
   * of a node's commands is known and its last value can be checked */
  int64_t *last = calloc(opt_nodes, 8);
  for (long k = 0; k < opt_count; k++) {
    long node = k % opt_nodes, round = k / opt_nodes;
    int n = snprintf(t, sizeof t, "@command(node:\"%s%ld\",lane:%s){t:%ld,v:%ld}", opt_prefix, node, lane,
                     round % opt_mod, k);
    precode(cs[node % opt_conns], t, n);
    last[node] = k;
  }
  size_t bytes = 0;
  for (int i = 0; i < opt_conns; i++) bytes += cs[i]->out_len;
  int64_t base = ctl_count(60);
  if (base < 0) die("control agent does not answer");
  pushed p = push_all(cs, opt_conns, base, opt_count, opt_window);
  long rss1 = server_kb("VmRSS:"), hwm = server_kb("VmHWM:");
  /* read back */
  int checked = 0, wrong = 0;
  conn *rb = conn_open(-2);
  for (int i = 0; i < opt_verify && i < opt_nodes; i++) {
    long node = opt_nodes <= opt_verify ? i : (long)((double)i / opt_verify * opt_nodes);
    if (last[node] == 0 && node != 0) continue; /* more nodes than commands */
    snprintf(t, sizeof t, "%s%ld", opt_prefix, node);
    readback r = read_lane(rb, t, "info");
    checked++;
    if (r.v != last[node]) {
      if (wrong < 3) fprintf(stderr, "node %s: read %lld, sent %lld\n", t, (long long)r.v, (long long)last[node]);
      wrong++;
    }
  }
  printf("{\"test\":\"ingest\",\"label\":\"%s\",\"conns\":%d,\"nodes\":%d,\"count\":%ld,\"lane\":\"%s\",\"prefix\":\"%s\",\"window\":%ld,"
         "\"bytes_per_cmd\":%.1f,\"secs\":%.4f,\"send_secs\":%.4f,\"processed\":%lld,\"lost\":%lld,\"per_s\":%.0f,"
         "\"server_cpu_s\":%.2f,\"server_us_per_cmd\":%.3f,\"client_cpu_s\":%.2f,\"client_busy\":%.2f,"
         "\"checked\":%d,\"wrong\":%d,\"start_secs\":%.3f,\"start_lost\":%lld,\"rss0_kb\":%ld,\"rss1_kb\":%ld,\"hwm_kb\":%ld,\"stuck_conns\":%d}\n",
         opt_label, opt_conns, opt_nodes, opt_count, lane, opt_prefix, opt_window, (double)bytes / opt_count, p.secs, p.send_secs,
         (long long)p.processed, (long long)(opt_count - p.processed), p.processed / p.secs, p.scpu,
         p.processed ? p.scpu * 1e6 / p.processed : 0, p.ccpu, p.ccpu / p.secs, checked, wrong, start_secs,
         (long long)lost_start, rss0, rss1, hwm, stuck_conns);
}

/* ---------------------------------------------------------------- fan-out */

static int cmp_i64(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static double pct(int64_t *v, size_t n, double p) {
  if (!n) return 0;
  size_t i = (size_t)(p * (n - 1) + 0.5);
  return v[i] / 1e3;
}

#define NLAT 4000000
static int64_t *lat;
static size_t nlat;
static int64_t t_origin, fan_last_event;
static int fan_synced, fan_complete, fan_resynced;
static int64_t fan_final = -1;

static void fan_message(conn *c, const char *t, size_t n, void *arg) {
  if (n > 7 && !memcmp(t, "@synced", 7)) {
    if (c->done != 2) c->done = 2, fan_synced++; /* 2: synced, while opening */
    return;
  }
  if (n > 9 && !memcmp(t, "@unlinked", 9)) die("unlinked: %.*s", (int)n, t);
  if (n < 6 || memcmp(t, "@event", 6)) return;
  int64_t v = field_int(t, n, ",v:");
  if (v < 0) return;
  c->last_v = v;
  int64_t now = now_ns();
  fan_last_event = now;
  if (nlat < NLAT) {
    int64_t sent = field_int(t, n, "{t:");
    if (sent > 0) lat[nlat++] = now - t_origin - sent;
  }
  if (v == fan_final && !c->done) {
    c->done = 1;
    fan_complete++;
  }
}

static void fanout(void) {
  const char *node = opt_node ? opt_node : "/unit/fan", *lane = opt_lane ? opt_lane : "info",
             *cmd = opt_cmdlane ? opt_cmdlane : "setInfo";
  ctl_open();
  lat = malloc(NLAT * sizeof *lat);
  t_origin = now_ns();
  conn *pub = conn_open(-3);
  conn **cs = calloc(opt_links, sizeof *cs);
  int ep = epoll_create1(0);
  struct epoll_event evs[512];
  long rss0 = server_kb("VmRSS:");
  int64_t t_open = now_ns();
  on_message = fan_message;
  only_last = 0;
  for (int i = 0; i < opt_links; i++) {
    cs[i] = conn_open(i);
    send_text(cs[i], "@sync(node:\"%s\",lane:%s)", node, lane);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = cs[i]};
    epoll_ctl(ep, EPOLL_CTL_ADD, cs[i]->fd, &e);
  }
  int64_t t = now_ns(), last_new = t;
  while (fan_synced < opt_links && now_ns() - t < 60e9) {
    int k = epoll_wait(ep, evs, 512, 100), was = fan_synced;
    for (int i = 0; i < k; i++) conn_read(evs[i].data.ptr);
    if (fan_synced > was) last_new = now_ns();
    if (now_ns() - last_new > 4e9) { /* nothing more comes: ask again, and say so */
      for (int i = 0; i < opt_links; i++)
        if (cs[i]->done != 2) fan_resynced++, send_text(cs[i], "@sync(node:\"%s\",lane:%s)", node, lane);
      last_new = now_ns();
    }
  }
  for (int i = 0; i < opt_links; i++) cs[i]->done = 0;
  double open_secs = (now_ns() - t_open) / 1e9;
  if (fan_synced < opt_links) die("only %d of %d links synced", fan_synced, opt_links);
  long rss1 = server_kb("VmRSS:");
  uint64_t ev0 = 0;
  for (int i = 0; i < opt_links; i++) ev0 += cs[i]->events;
  only_last = 1;
  int64_t base = ctl_count(30), processed = 0, sent = 0, start = now_ns(), last_ask = 0, seq = start & 0xffffff;
  int64_t until = start + (int64_t)(opt_secs * 1e9);
  int asked = 0;
  double s0 = server_cpu(), c0 = client_cpu();
  nlat = 0;
  uint8_t *obuf = malloc(65536 + 512);
  size_t on = 0, oo = 0;
  long window = opt_window ? opt_window : 2000;
  int64_t last_progress = start;
  fan_last_event = start;
  for (;;) {
    int64_t now = now_ns();
    if (now >= until) {
      if (fan_final < 0 && oo == on) {
        fan_final = seq;
        for (int i = 0; i < opt_links; i++)
          if (cs[i]->last_v == seq && !cs[i]->done) cs[i]->done = 1, fan_complete++;
      }
      if (fan_final >= 0 && (fan_complete == opt_links || now - until > 20e9)) break;
    } else if (oo == on) {
      long room = window - (sent - processed);
      if (opt_rate > 0) {
        int64_t due = (int64_t)((now - start) / 1e9 * opt_rate) - sent;
        room = due > 64 ? 64 : due;
      }
      if (room > 128) room = 128;
      on = oo = 0;
      for (long i = 0; i < room; i++) {
        char b[256];
        int n = snprintf(b, sizeof b, "@command(node:\"%s\",lane:%s){t:%lld,v:%lld}", node, cmd,
                         (long long)(now - t_origin), (long long)++seq);
        on += encode(obuf + on, b, n, 1);
        sent++;
      }
    }
    int moved = 0;
    if (oo < on) {
      ssize_t k = write(pub->fd, obuf + oo, on - oo);
      if (k > 0) oo += k, moved = 1;
    }
    int k = epoll_wait(ep, evs, 512, 0);
    for (int i = 0; i < k; i++)
      if (conn_read(evs[i].data.ptr) < 0) epoll_ctl(ep, EPOLL_CTL_DEL, ((conn *)evs[i].data.ptr)->fd, NULL);
    if (k > 0) moved = 1;
    if (opt_rate <= 0 || now - last_ask > 200000000) {
      ctl_pump(0);
      if (asked && ctl_tok == ctl_sent_tok) {
        asked = 0;
        if (ctl_n - base > processed) last_progress = now;
        processed = ctl_n - base;
      }
      if (!asked && now - last_ask > (opt_rate > 0 ? 200 : opt_pollms) * 1000000LL) {
        ctl_ask();
        asked = 1;
        last_ask = now;
      }
    }
    if (now - last_progress > opt_timeout * 1e9) die("no progress");
    if (!moved) {
      struct pollfd pf[3] = {{ep, POLLIN, 0}, {ctl->fd, POLLIN, 0}, {pub->fd, oo < on ? POLLOUT : 0, 0}};
      if (opt_rate > 0) {
        struct timespec ts = {0, 50000};
        ppoll(pf, 1, &ts, NULL);
      } else {
        poll(pf, 3, 1);
      }
    }
  }
  while (asked && ctl_tok != ctl_sent_tok) ctl_pump(100);
  processed = ctl_count(30) - base;
  int64_t send_end = until;
  double secs = ((fan_last_event > send_end ? fan_last_event : send_end) - start) / 1e9;
  double scpu = server_cpu() - s0, ccpu = client_cpu() - c0;
  uint64_t ev = 0, min = UINT64_MAX, max = 0;
  int dead = 0;
  for (int i = 0; i < opt_links; i++) {
    ev += cs[i]->events;
    if (cs[i]->events < min) min = cs[i]->events;
    if (cs[i]->events > max) max = cs[i]->events;
    dead += cs[i]->dead;
  }
  ev -= ev0;
  qsort(lat, nlat, 8, cmp_i64);
  printf("{\"test\":\"fanout\",\"label\":\"%s\",\"links\":%d,\"rate\":%.0f,\"secs\":%.3f,\"sent\":%lld,\"processed\":%lld,\"updates_per_s\":%.0f,"
         "\"events\":%llu,\"events_per_s\":%.0f,\"events_per_link_min\":%llu,\"events_per_link_max\":%llu,\"delivered_share\":%.4f,"
         "\"final_ok\":%d,\"dead\":%d,\"sync_lost\":%d,\"stuck_conns\":%d,\"lat_n\":%zu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
         "\"server_cpu_s\":%.2f,\"server_us_per_event\":%.3f,\"client_busy\":%.2f,\"open_secs\":%.3f,\"rss_before_links_kb\":%ld,\"rss_after_links_kb\":%ld}\n",
         opt_label, opt_links, opt_rate, secs, (long long)sent, (long long)processed, processed / secs, (unsigned long long)ev, ev / secs,
         (unsigned long long)min, (unsigned long long)max, (double)ev / ((double)processed * opt_links), fan_complete, dead, fan_resynced, stuck_conns, nlat, pct(lat, nlat, .5),
         pct(lat, nlat, .9), pct(lat, nlat, .99), pct(lat, nlat, 1), scpu, ev ? scpu * 1e6 / ev : 0, ccpu / secs, open_secs, rss0, rss1);
}

/* ---------------------------------------------------------------- sync latency */

typedef struct {
  int64_t linked, first, synced, unlinked;
  long events;
  int unl;
} synct;

static void sync_message(conn *c, const char *t, size_t n, void *arg) {
  synct *s = arg;
  if (n > 7 && !memcmp(t, "@linked", 7)) s->linked = now_ns();
  else if (n > 7 && !memcmp(t, "@synced", 7)) s->synced = now_ns();
  else if (n > 9 && !memcmp(t, "@unlinked", 9)) s->unlinked = now_ns(), s->unl = 1;
  else if (n > 6 && !memcmp(t, "@event", 6)) {
    if (!s->events++) s->first = now_ns();
  }
}

static void do_sync(void) {
  const char *node = opt_node ? opt_node : "/unit/sync", *lane = opt_lane ? opt_lane : "info";
  int64_t *all = calloc(opt_reps, 8), *first = calloc(opt_reps, 8), *linked = calloc(opt_reps, 8), *conn_t = calloc(opt_reps, 8);
  long events = 0;
  if (opt_fill) { /* have the agent put so many entries into its map lane */
    ctl_open();
    int64_t base = ctl_count(30);
    send_text(ctl, "@command(node:\"%s\",lane:fill) %d", node, opt_fill);
    int64_t t = now_ns();
    while (ctl_count(60) < base + 1)
      if (now_ns() - t > opt_timeout * 1e9) die("fill did not end");
  }
  double s0 = server_cpu(), c0 = client_cpu();
  int64_t w0 = now_ns(), heard = 0;
  int lost_syncs = 0, lost_unlinks = 0;
  conn *c = NULL;
  on_message = sync_message;
  for (int i = 0; i < opt_reps; i++) {
    synct s = {0};
    int64_t t = now_ns();
    if (!c) c = opt_fresh ? conn_open_once(0) : conn_open(0);
    int64_t t1 = now_ns();
    if (!opt_fresh) t = t1;
    on_message_arg = &s;
    send_text(c, "@sync(node:\"%s\",lane:\"%s\")", node, lane);
    int stuck = 0;
    while (!s.synced && !stuck) {
      struct pollfd pf = {c->fd, POLLIN, 0};
      poll(&pf, 1, opt_spin ? 0 : 500);
      long k = conn_read(c);
      if (k < 0 || s.unl) die("lost while syncing %s %s", node, lane);
      if (k > 0) heard = now_ns();
      if (now_ns() - (heard > t ? heard : t) > 4e9) stuck = 1; /* silence: see conn_open */
    }
    if (stuck) { /* count it, go on with another connection */
      if (c->messages || c->pongs) lost_syncs++;
      else stuck_conns++;
      fprintf(stderr, "rep %d: no synced; linked %d, %ld events, %llu messages on this connection\n", i, s.linked != 0, s.events,
              (unsigned long long)c->messages);
      conn_close(c);
      c = NULL;
      if (stuck_conns + lost_syncs > 20) die("too many syncs without an end");
      i--;
      continue;
    }
    all[i] = s.synced - t;
    first[i] = s.events ? s.first - t : 0;
    linked[i] = s.linked ? s.linked - t : 0;
    conn_t[i] = t1 - t;
    events = s.events;
    if (opt_fresh) {
      conn_close(c);
      c = NULL;
    } else {
      send_text(c, "@unlink(node:\"%s\",lane:\"%s\")", node, lane);
      int64_t asked = now_ns();
      while (!s.unl && now_ns() - asked < 4e9) {
        struct pollfd pf = {c->fd, POLLIN, 0};
        poll(&pf, 1, 500);
        if (conn_read(c) < 0) die("lost at unlink");
      }
      if (!s.unl) { /* never unlinked: count it, go on with another connection */
        lost_unlinks++;
        conn_close(c);
        c = NULL;
        if (lost_unlinks > 20) die("too many unlinks without an answer");
      }
    }
    struct timespec ts = {0, 2000000};
    nanosleep(&ts, NULL);
  }
  double secs = (now_ns() - w0) / 1e9;
  int64_t first_ever = all[0];
  qsort(all, opt_reps, 8, cmp_i64);
  qsort(first, opt_reps, 8, cmp_i64);
  qsort(linked, opt_reps, 8, cmp_i64);
  qsort(conn_t, opt_reps, 8, cmp_i64);
  printf("{\"test\":\"sync\",\"label\":\"%s\",\"node\":\"%s\",\"lane\":\"%s\",\"fresh\":%d,\"reps\":%d,\"events\":%ld,\"first_rep_us\":%.1f,"
         "\"synced_p50_us\":%.1f,\"synced_min_us\":%.1f,\"synced_p99_us\":%.1f,\"synced_max_us\":%.1f,\"linked_p50_us\":%.1f,"
         "\"first_event_p50_us\":%.1f,\"connect_p50_us\":%.1f,\"events_per_s\":%.0f,\"server_cpu_s\":%.2f,\"server_us_per_sync\":%.1f,\"client_busy\":%.2f,\"stuck_conns\":%d,\"lost_syncs\":%d,\"lost_unlinks\":%d}\n",
         opt_label, node, lane, opt_fresh, opt_reps, events, first_ever / 1e3, pct(all, opt_reps, .5), pct(all, opt_reps, 0), pct(all, opt_reps, .99),
         pct(all, opt_reps, 1), pct(linked, opt_reps, .5), pct(first, opt_reps, .5), pct(conn_t, opt_reps, .5),
         events / (pct(all, opt_reps, .5) / 1e6), server_cpu() - s0, (server_cpu() - s0) * 1e6 / opt_reps, (client_cpu() - c0) / secs, stuck_conns, lost_syncs, lost_unlinks);
}

/* ---------------------------------------------------------------- round trip */

static int64_t rtt_got = -1, rtt_at;
static void rtt_message(conn *c, const char *t, size_t n, void *arg) {
  if (n > 7 && !memcmp(t, "@synced", 7)) rtt_got = -2;
  if (n > 6 && !memcmp(t, "@event", 6)) {
    int64_t v = field_int(t, n, ",v:");
    if (v >= 0) rtt_got = v, rtt_at = now_ns();
  }
}

static void do_rtt(void) {
  const char *node = opt_node ? opt_node : "/unit/rtt", *lane = opt_lane ? opt_lane : "info",
             *cmd = opt_cmdlane ? opt_cmdlane : "setInfo";
  conn *sub = conn_open(0), *pub = opt_two ? conn_open(1) : sub;
  on_message = rtt_message;
  send_text(sub, "@sync(node:\"%s\",lane:%s)", node, lane);
  int64_t t = now_ns();
  while (rtt_got != -2) {
    struct pollfd pf = {sub->fd, POLLIN, 0};
    poll(&pf, 1, 100);
    if (conn_read(sub) < 0 || now_ns() - t > 10e9) die("no synced");
  }
  lat = malloc((opt_count + 1) * 8);
  nlat = 0;
  int64_t lost = 0, start = now_ns(), seq = start & 0xffffff;
  double s0 = server_cpu(), c0 = client_cpu();
  for (long i = 0; i < opt_count; i++) {
    int64_t due = opt_rate > 0 ? start + (int64_t)(i * 1e9 / opt_rate) : now_ns();
    while (now_ns() < due) {
      int64_t left = due - now_ns();
      if (left > 200000) {
        struct timespec ts = {0, left - 100000};
        nanosleep(&ts, NULL);
      }
    }
    int64_t t0 = now_ns();
    seq++;
    send_text(pub, "@command(node:\"%s\",lane:%s){t:%ld,v:%lld}", node, cmd, i % opt_mod, (long long)seq);
    while (rtt_got != seq) {
      struct pollfd pf = {sub->fd, POLLIN, 0};
      poll(&pf, 1, opt_spin ? 0 : 100);
      if (conn_read(sub) < 0) die("closed");
      if (now_ns() - t0 > 2e9) {
        lost++;
        break;
      }
    }
    if (rtt_got == seq) lat[nlat++] = rtt_at - t0;
  }
  double secs = (now_ns() - start) / 1e9;
  qsort(lat, nlat, 8, cmp_i64);
  printf("{\"test\":\"rtt\",\"label\":\"%s\",\"two_conns\":%d,\"rate\":%.0f,\"count\":%ld,\"lost\":%lld,\"achieved_per_s\":%.0f,\"min_us\":%.1f,\"p50_us\":%.1f,"
         "\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"server_us_per_trip\":%.1f,\"client_busy\":%.2f}\n",
         opt_label, opt_two, opt_rate, opt_count, (long long)lost, nlat / secs, pct(lat, nlat, 0), pct(lat, nlat, .5), pct(lat, nlat, .9),
         pct(lat, nlat, .99), pct(lat, nlat, .999), pct(lat, nlat, 1), (server_cpu() - s0) * 1e6 / opt_count, (client_cpu() - c0) / secs);
}

/* ---------------------------------------------------------------- acknowledgement at a fixed rate */

typedef struct {
  int64_t *v, *due; /* what was sent and not yet seen, oldest first */
  size_t head, n, cap;
} waiting;

static waiting *ack_nodes;
static int ack_synced;
static int64_t ack_left;

static void ack_message(conn *c, const char *t, size_t n, void *arg) {
  if (n > 7 && !memcmp(t, "@synced", 7)) ack_synced++;
  if (n > 9 && !memcmp(t, "@unlinked", 9)) die("unlinked: %.*s", (int)n, t);
  if (n < 6 || memcmp(t, "@event", 6)) return;
  int64_t v = field_int(t, n, ",v:"), node = field_int(t, n, opt_prefix), now = now_ns();
  if (v < 0 || node < 0 || node >= opt_links) return;
  waiting *w = &ack_nodes[node];
  while (w->head < w->n && w->v[w->head] <= v) {
    if (nlat < NLAT) lat[nlat++] = now - w->due[w->head];
    w->head++;
    ack_left--;
  }
}

static void ack(void) {
  const char *lane = opt_lane ? opt_lane : "info", *cmd = opt_cmdlane ? opt_cmdlane : "publish";
  if (opt_rate <= 0 || opt_links > opt_nodes) die("ack needs --rate, and no more links than nodes");
  ctl_open();
  lat = malloc(NLAT * sizeof *lat);
  ack_nodes = calloc(opt_links, sizeof *ack_nodes);
  conn **cs = calloc(opt_conns, sizeof *cs);
  int ep = epoll_create1(0);
  struct epoll_event evs[512];
  on_message = ack_message;
  for (int i = 0; i < opt_conns; i++) {
    cs[i] = conn_open(i);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = cs[i]};
    epoll_ctl(ep, EPOLL_CTL_ADD, cs[i]->fd, &e);
  }
  for (int i = 0; i < opt_links; i++) send_text(cs[i % opt_conns], "@sync(node:\"%s%d\",lane:%s)", opt_prefix, i, lane);
  for (int64_t t = now_ns(); ack_synced < opt_links;) {
    int k = epoll_wait(ep, evs, 512, 100);
    for (int i = 0; i < k; i++) conn_read(evs[i].data.ptr);
    if (now_ns() - t > 30e9) die("only %d of %d links synced", ack_synced, opt_links);
  }
  int64_t base = ctl_count(30), sent = 0, total = (int64_t)(opt_rate * opt_secs), start = now_ns(), v0 = start & 0xffffff;
  double s0 = server_cpu(), c0 = client_cpu();
  int64_t late = 0, sent_at = 0;
  char b[256];
  while (sent < total || ack_left) {
    int64_t now = now_ns();
    int64_t due = (int64_t)((now - start) / 1e9 * opt_rate);
    if (due > total) due = total;
    if (due - sent > 4096) due = sent + 4096;
    for (; sent < due; sent++) {
      int64_t node = sent % opt_nodes, when = start + (int64_t)(sent * 1e9 / opt_rate);
      conn *c = cs[node % opt_conns];
      precode(c, b, snprintf(b, sizeof b, "@command(node:\"%s%lld\",lane:%s){t:%lld,v:%lld}", opt_prefix, (long long)node, cmd,
                             (long long)(sent / opt_nodes % opt_mod), (long long)(v0 + sent)));
      if (now - when > late) late = now - when;
      if (node < opt_links) {
        waiting *w = &ack_nodes[node];
        if (w->n == w->cap) {
          w->cap = w->cap * 2 + 256;
          w->v = realloc(w->v, 8 * w->cap);
          w->due = realloc(w->due, 8 * w->cap);
        }
        w->v[w->n] = v0 + sent;
        w->due[w->n++] = when;
        ack_left++;
      }
    }
    if (sent == total && !sent_at) sent_at = now;
    int moved = 0;
    for (int i = 0; i < opt_conns; i++) {
      conn *c = cs[i];
      if (c->off == c->out_len) continue;
      ssize_t k = write(c->fd, c->out + c->off, c->out_len - c->off);
      if (k > 0) c->off += k, moved = 1;
      else if (errno != EAGAIN && errno != EINTR) die("connection %d: %s", i, strerror(errno));
      if (c->off == c->out_len) c->off = c->out_len = c->nframes = 0;
    }
    int k = epoll_wait(ep, evs, 512, 0);
    for (int i = 0; i < k; i++)
      if (conn_read(evs[i].data.ptr) < 0) die("a connection was closed");
    if (sent_at && now - sent_at > opt_timeout * 1e9) break;
    if (!moved && !k && !opt_spin) {
      struct pollfd pf = {ep, POLLIN, 0};
      struct timespec ts = {0, 50000};
      ppoll(&pf, 1, &ts, NULL);
    }
  }
  double secs = (now_ns() - start) / 1e9, scpu = server_cpu() - s0, ccpu = client_cpu() - c0;
  int64_t processed = ctl_count(30) - base;
  qsort(lat, nlat, 8, cmp_i64);
  printf("{\"test\":\"ack\",\"label\":\"%s\",\"conns\":%d,\"nodes\":%d,\"links\":%d,\"rate\":%.0f,\"secs\":%.3f,\"sent\":%lld,\"processed\":%lld,"
         "\"acked\":%zu,\"missing\":%lld,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"client_late_max_us\":%.1f,"
         "\"server_us_per_cmd\":%.3f,\"server_busy\":%.2f,\"client_busy\":%.2f}\n",
         opt_label, opt_conns, opt_nodes, opt_links, opt_rate, secs, (long long)sent, (long long)processed, nlat, (long long)ack_left, pct(lat, nlat, .5),
         pct(lat, nlat, .9), pct(lat, nlat, .99), pct(lat, nlat, .999), pct(lat, nlat, 1), late / 1e3, scpu * 1e6 / sent, scpu / secs, ccpu / secs);
}

/* ---------------------------------------------------------------- how others wait while a large map is synced */

static void delay(void) {
  const char *big = opt_node ? opt_node : "/unit/big", *lane = opt_lane ? opt_lane : "history", *other = "/unit/other";
  if (opt_rate <= 0) opt_rate = 500;
  if (opt_fill) {
    ctl_open();
    int64_t base = ctl_count(30);
    send_text(ctl, "@command(node:\"%s\",lane:fill) %d", big, opt_fill);
    int64_t t = now_ns();
    while (ctl_count(60) < base + 1)
      if (now_ns() - t > opt_timeout * 1e9) die("fill did not end");
  }
  conn *small = conn_open(0), *wide = conn_open(1);
  read_once = 1;
  on_message = rtt_message;
  send_text(small, "@sync(node:\"%s\",lane:info)", other);
  for (int64_t t = now_ns(); rtt_got != -2;)
    if (conn_read(small) < 0 || now_ns() - t > 10e9) die("no synced");
  long alone = (long)(opt_rate * opt_secs), most = alone + (long)(opt_rate * opt_timeout);
  int64_t *quiet = malloc(8 * most), *busy = malloc(8 * most), *due = malloc(8 * most), *took = calloc(opt_reps, 8);
  size_t nquiet = 0, nbusy = 0;
  synct s = {0};
  int reps = 0, syncing = 0;
  int64_t start = now_ns(), seq = start & 0xffffff, begun = 0, ended = start, turn = start, client_gap = 0;
  long i = 0, seen = 0;
  for (;;) {
    int64_t now = now_ns(), next = start + (int64_t)(i * 1e9 / opt_rate);
    if (syncing && now - turn > client_gap) client_gap = now - turn;
    turn = now;
    if (now >= next && reps < opt_reps) { /* whatever the server does meanwhile; the clock runs from when it was due */
      due[i] = next;
      i++;
      send_text(small, "@command(node:\"%s\",lane:setInfo){t:%ld,v:%lld}", other, i % opt_mod, (long long)(seq + i));
    }
    if (conn_read(small) < 0) die("closed");
    for (; seen < i && seq + seen + 1 <= rtt_got; seen++) {
      /* it met a sync if one was on at any moment between when it was due and its event */
      if (syncing || (reps && ended > due[seen])) busy[nbusy++] = rtt_at - due[seen];
      else quiet[nquiet++] = rtt_at - due[seen];
    }
    if (i >= alone && !syncing && reps < opt_reps && now - ended > 200e6) {
      memset(&s, 0, sizeof s);
      begun = now_ns();
      send_text(wide, "@sync(node:\"%s\",lane:%s)", big, lane);
      syncing = 1;
    }
    if (syncing) {
      on_message = sync_message;
      on_message_arg = &s;
      if (conn_read(wide) < 0 || s.unl) die("lost while syncing");
      on_message = rtt_message;
      if (s.synced) {
        took[reps++] = s.synced - begun;
        ended = now_ns();
        syncing = 0;
        send_text(wide, "@unlink(node:\"%s\",lane:%s)", big, lane);
      }
    } else if (reps) {
      on_message = NULL;
      if (conn_read(wide) < 0) die("closed");
      on_message = rtt_message;
    }
    if (reps == opt_reps && seen == i) break;
    if (now - start > (opt_secs + opt_timeout) * 1e9 || i >= most) die("no end");
  }
  qsort(quiet, nquiet, 8, cmp_i64);
  qsort(busy, nbusy, 8, cmp_i64);
  qsort(took, opt_reps, 8, cmp_i64);
  printf("{\"test\":\"delay\",\"label\":\"%s\",\"node\":\"%s\",\"lane\":\"%s\",\"rate\":%.0f,\"reps\":%d,\"events\":%ld,\"sync_p50_us\":%.1f,\"sync_max_us\":%.1f,"
         "\"alone_n\":%zu,\"alone_p50_us\":%.1f,\"alone_p99_us\":%.1f,\"alone_max_us\":%.1f,"
         "\"beside_n\":%zu,\"beside_p50_us\":%.1f,\"beside_p99_us\":%.1f,\"beside_max_us\":%.1f,\"client_gap_max_us\":%.1f}\n",
         opt_label, big, lane, opt_rate, reps, s.events, pct(took, opt_reps, .5), pct(took, opt_reps, 1), nquiet, pct(quiet, nquiet, .5),
         pct(quiet, nquiet, .99), pct(quiet, nquiet, 1), nbusy, pct(busy, nbusy, .5), pct(busy, nbusy, .99), pct(busy, nbusy, 1), client_gap / 1e3);
}

/* ---------------------------------------------------------------- start-up */

static void startup(char **argv) {
  const char *node = opt_node ? opt_node : "/unit/start", *lane = opt_lane ? opt_lane : "info";
  int fd = try_connect();
  if (fd >= 0) die("something already listens on port %d", opt_port);
  int64_t t0 = now_ns();
  pid_t pid = fork();
  if (!pid) {
    int nul = open("/dev/null", O_WRONLY);
    dup2(nul, 1);
    dup2(nul, 2);
    execvp(argv[0], argv);
    _exit(127);
  }
  int64_t t_acc = 0, t_up = 0, t_sync = 0;
  conn *c = calloc(1, sizeof *c);
  while (now_ns() - t0 < opt_timeout * 1e9) {
    c->fd = try_connect();
    if (c->fd >= 0) break;
    int st;
    if (waitpid(pid, &st, WNOHANG) == pid) die("the server ended");
    struct timespec ts = {0, 500000};
    nanosleep(&ts, NULL);
  }
  t_acc = now_ns();
  if (upgrade(c)) die("upgrade refused");
  fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
  t_up = now_ns();
  synct s = {0};
  on_message = sync_message;
  on_message_arg = &s;
  send_text(c, "@sync(node:\"%s\",lane:\"%s\")", node, lane);
  while (!s.synced) {
    struct pollfd pf = {c->fd, POLLIN, 0};
    poll(&pf, 1, 1000);
    if (conn_read(c) < 0 || now_ns() - t0 > opt_timeout * 1e9) die("no synced");
  }
  t_sync = s.synced;
  opt_pid = pid;
  double cpu = server_cpu();
  long rss = server_kb("VmRSS:");
  kill(pid, SIGTERM);
  for (int i = 0; i < 300; i++) {
    if (waitpid(pid, NULL, WNOHANG) == pid) {
      pid = 0;
      break;
    }
    usleep(10000);
  }
  if (pid) kill(pid, SIGKILL), waitpid(pid, NULL, 0);
  printf("{\"test\":\"startup\",\"label\":\"%s\",\"accept_ms\":%.1f,\"upgraded_ms\":%.1f,\"synced_ms\":%.1f,\"cpu_s\":%.2f,\"rss_kb\":%ld}\n",
         opt_label, (t_acc - t0) / 1e6, (t_up - t0) / 1e6, (t_sync - t0) / 1e6, cpu, rss);
}

/* ---------------------------------------------------------------- bare frames */

static void frames(void) {
  conn **cs = calloc(opt_conns, sizeof *cs);
  struct pollfd *pf = calloc(opt_conns, sizeof *pf);
  char t[101];
  memset(t, '.', 100);
  for (int i = 0; i < opt_conns; i++) cs[i] = conn_open(i);
  for (long k = 0; k < opt_count; k++) precode(cs[k % opt_conns], t, 100);
  for (int i = 0; i < opt_conns; i++) {
    cs[i]->pongs = 0;
    conn *c = cs[i];
    c->out = realloc(c->out, c->out_cap = c->out_len + 16);
    c->out_len += encode(c->out + c->out_len, "end", 3, 9);
  }
  double s0 = server_cpu(), c0 = client_cpu();
  int64_t t0 = now_ns();
  int left = opt_conns;
  while (left) {
    left = 0;
    for (int i = 0; i < opt_conns; i++) {
      conn *c = cs[i];
      if (c->off < c->out_len) {
        size_t n = c->out_len - c->off;
        ssize_t k = write(c->fd, c->out + c->off, n > 131072 ? 131072 : n);
        if (k > 0) c->off += k;
        else if (errno != EAGAIN && errno != EINTR) die("write: %s", strerror(errno));
      }
      if (!c->pongs) {
        if (conn_read(c) < 0) die("closed");
        if (!c->pongs) left++;
      }
      pf[i] = (struct pollfd){c->fd, POLLIN | (c->off < c->out_len ? POLLOUT : 0), 0};
    }
    if (left) poll(pf, opt_conns, 10);
    if (now_ns() - t0 > opt_timeout * 1e9) die("no end");
  }
  double secs = (now_ns() - t0) / 1e9, scpu = server_cpu() - s0;
  printf("{\"test\":\"frames\",\"conns\":%d,\"count\":%ld,\"secs\":%.4f,\"per_s\":%.0f,\"server_us_per_frame\":%.3f,\"client_busy\":%.2f}\n",
         opt_conns, opt_count, secs, opt_count / secs, scpu * 1e6 / opt_count, (client_cpu() - c0) / secs);
}

/* ---------------------------------------------------------------- */

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  if (argc < 2) die("usage: ingest | fanout | sync | rtt | startup | frames | ack | delay, see the head of the source");
  int i = 2;
  for (; i < argc; i++) {
    char *k = argv[i];
    if (!strcmp(k, "--")) {
      i++;
      break;
    }
    if (i + 1 >= argc) die("%s needs a value", k);
    char *v = argv[++i];
#define S(name, var) if (!strcmp(k, name)) { var = v; continue; }
#define I(name, var) if (!strcmp(k, name)) { var = atol(v); continue; }
#define D(name, var) if (!strcmp(k, name)) { var = atof(v); continue; }
    S("--host", opt_host) S("--path", opt_path) S("--prefix", opt_prefix) S("--lane", opt_lane) S("--cmdlane", opt_cmdlane)
    S("--node", opt_node) S("--label", opt_label) S("--control", opt_control)
    I("--port", opt_port) I("--conns", opt_conns) I("--nodes", opt_nodes) I("--links", opt_links) I("--reps", opt_reps)
    I("--pid", opt_pid) I("--prestart", opt_prestart) I("--fresh", opt_fresh) I("--mod", opt_mod) I("--verify", opt_verify)
    I("--poll-ms", opt_pollms) I("--two", opt_two) I("--count", opt_count) I("--window", opt_window) I("--start-window", opt_start_window)
    I("--fill", opt_fill) I("--spin", opt_spin)
    D("--rate", opt_rate) D("--secs", opt_secs) D("--timeout", opt_timeout)
    die("unknown option %s", k);
  }
  if (!strcmp(argv[1], "ingest")) ingest();
  else if (!strcmp(argv[1], "fanout")) fanout();
  else if (!strcmp(argv[1], "sync")) do_sync();
  else if (!strcmp(argv[1], "rtt")) do_rtt();
  else if (!strcmp(argv[1], "startup")) startup(argv + i);
  else if (!strcmp(argv[1], "frames")) frames();
  else if (!strcmp(argv[1], "ack")) ack();
  else if (!strcmp(argv[1], "delay")) delay();
  else die("unknown test %s", argv[1]);
  return 0;
}
