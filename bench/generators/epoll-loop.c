/* What the kernel alone asks for: the closed loop over epoll, recv and send, with frames that were encoded before. Measures
   nothing and trusts the server in everything. Linux.

     cc -O2 -o epoll-loop epoll-loop.c && ./epoll-loop CONNECTIONS PORT BYTES DEPTH */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_events = 1024, most_at_once = 64 };

struct connection {
    int fd;
    int is_open;
    size_t bytes;
};

static void check(int holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(1);
}

int main(int argc, char **argv) {
    check(argc == 5, "usage: epoll-loop CONNECTIONS PORT BYTES DEPTH");
    int connections = atoi(argv[1]);
    size_t size = (size_t)atoi(argv[3]);
    size_t depth = (size_t)atoi(argv[4]);
    check(size < 65536 && depth >= 1 && depth <= most_at_once, "BYTES or DEPTH");

    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t head = size < 126 ? 2 : 4;
    size_t frame_bytes = head + 4 + size;
    size_t echo_bytes = head + size;
    unsigned char *frames = malloc(frame_bytes * most_at_once);
    check(frames != NULL, "malloc");
    for (size_t n = 0; n < most_at_once; n++) {
        unsigned char *frame = frames + n * frame_bytes;
        frame[0] = 0x81;
        frame[1] = (unsigned char)(0x80 | (size < 126 ? size : 126));
        if (head == 4) {
            frame[2] = (unsigned char)(size >> 8);
            frame[3] = (unsigned char)size;
        }
        memcpy(frame + head, mask, 4);
        for (size_t i = 0; i < size; i++) frame[head + 4 + i] = 'x' ^ mask[i % 4];
    }

    int epoll = epoll_create1(0);
    check(epoll >= 0, "epoll_create1");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    struct connection *all = calloc((size_t)connections, sizeof *all);
    check(all != NULL, "calloc");
    for (int i = 0; i < connections; i++) {
        int on = 1;
        all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        check(all[i].fd >= 0, "socket");
        check(connect(all[i].fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
        setsockopt(all[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        check(send(all[i].fd, request, sizeof request - 1, 0) == sizeof request - 1, "send");
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        check(epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) == 0, "epoll_ctl");
    }

    static unsigned char buffer[65536];
    static struct epoll_event events[most_events];
    for (;;) {
        int count = epoll_wait(epoll, events, most_events, -1);
        check(count >= 0 || errno == EINTR, "epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            ssize_t length = recv(connection->fd, buffer, sizeof buffer, 0);
            if (length <= 0) return 0;
            size_t echoes = depth;
            if (connection->is_open) {
                connection->bytes += (size_t)length;
                echoes = connection->bytes / echo_bytes;
                connection->bytes %= echo_bytes;
                if (echoes > most_at_once) echoes = most_at_once;
            }
            connection->is_open = 1;
            ssize_t wanted = (ssize_t)(echoes * frame_bytes);
            if (wanted > 0) check(send(connection->fd, frames, (size_t)wanted, 0) == wanted, "send");
        }
    }
}
