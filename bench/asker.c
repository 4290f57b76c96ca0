/* Asks prepared requests over connections that stay, one core, over TCP or a Unix socket; prints one line of figures.

   asker ADDRESS FILE CONNECTIONS SECONDS MOST LEAST [PACE]
   ADDRESS is a port of 127.0.0.1, or the path of a socket. FILE holds requests, each behind its length (four octets,
   the least first); they are asked in their order, around and around, for so many seconds or, if that is sooner, until
   MOST are answered or it is told to end. LEAST is how many octets of body a good answer
   has at least. PACE is how many are asked in a second, and not more. Printed: answers, bad ones, seconds, and the 50th and 99th percentile in microseconds. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, MOST = 1 << 12, SLOWEST = 1000000 };

struct connection { int fd; double asked; size_t have; char read[ROOM]; };

static uint32_t taken[SLOWEST + 1];
static char *requests;
static size_t size, place;
static const char *address;
static volatile sig_atomic_t over;

static void die(const char *what) { perror(what); exit(1); }

static void end(int signal) { (void)signal; over = 1; }

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}

static int connected(void) {
    int one = 1, fd;
    if (strchr(address, '/')) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        strncpy(to.sun_path, address, sizeof to.sun_path - 1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
    } else {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(address))};
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) die("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    return fd;
}

static void ask(struct connection *it) {
    uint32_t length;
    if (place + 4 > size) place = 0;
    memcpy(&length, requests + place, 4);
    place += 4;
    it->have = 0;
    it->asked = now();
    if (send(it->fd, requests + place, length, MSG_NOSIGNAL) != (ssize_t)length) die("send");
    place += length;
}

/* The octets of an answer that is whole; 0 of one that is not. */
static size_t whole(struct connection *it, size_t *body) {
    char *end = memmem(it->read, it->have, "\r\n\r\n", 4), *field;
    size_t head;
    if (!end) return 0;
    head = end - it->read + 4;
    *end = 0;
    field = strcasestr(it->read, "\r\ncontent-length:");
    *end = '\r';
    *body = field ? strtoul(field + 17, NULL, 10) : 0;
    return it->have >= head + *body ? head + *body : 0;
}

int main(int count, char **words) {
    if (count != 7 && count != 8) {
        fputs("asker ADDRESS FILE CONNECTIONS SECONDS MOST LEAST [PACE]\n", stderr);
        return 2;
    }
    address = words[1];
    int connections = atoi(words[3]), least = atoi(words[6]), poll = epoll_create1(0);
    FILE *file = fopen(words[2], "rb");
    struct stat about;
    if (!file || fstat(fileno(file), &about)) die(words[2]);
    requests = malloc(size = about.st_size);
    if (fread(requests, 1, size, file) != size) die("read");
    struct connection *all = calloc(connections, sizeof *all);
    double begun = now(), until = begun + atof(words[4]), at;
    for (int each = 0; each < connections; each++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[each]};
        all[each].fd = connected();
        epoll_ctl(poll, EPOLL_CTL_ADD, all[each].fd, &event);
        ask(&all[each]);
    }
    long answers = 0, bad = 0, most = atol(words[5]);
    double pace = count == 8 ? atof(words[7]) : 0;
    struct epoll_event events[64];
    signal(SIGTERM, end);
    while ((at = now()) < until && answers < most && !over) {
        if (pace && answers > pace * (at - begun)) {
            nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
            continue;
        }
        int found = epoll_wait(poll, events, 64, 100);
        for (int each = 0; each < found; each++) {
            struct connection *it = events[each].data.ptr;
            ssize_t more = recv(it->fd, it->read + it->have, ROOM - 1 - it->have, 0);
            size_t body = 0;
            if (more <= 0) { /* it was closed: the answer is a bad one */
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = it};
                bad++;
                close(it->fd);
                it->fd = connected();
                epoll_ctl(poll, EPOLL_CTL_ADD, it->fd, &event);
                ask(it);
                continue;
            }
            it->have += more;
            if (!whole(it, &body)) continue;
            double microseconds = (now() - it->asked) * 1e6;
            taken[microseconds < SLOWEST ? (int)microseconds : SLOWEST]++;
            answers++;
            if (memcmp(it->read + 9, "200", 3) || body < (size_t)least) bad++;
            if (!memcmp(it->read, "HTTP/1.0", 8)) { /* it ends with its answer */
                struct epoll_event event = {.events = EPOLLIN, .data.ptr = it};
                close(it->fd);
                it->fd = connected();
                epoll_ctl(poll, EPOLL_CTL_ADD, it->fd, &event);
            }
            ask(it);
        }
    }
    long seen = 0, half = -1, late = -1;
    for (int each = 0; each <= SLOWEST; each++) {
        seen += taken[each];
        if (half < 0 && seen * 2 >= answers) half = each;
        if (late < 0 && seen * 100 >= answers * 99) late = each;
    }
    printf("%ld %ld %.3f %ld %ld\n", answers, bad, at - begun, half, late);
    return 0;
}
