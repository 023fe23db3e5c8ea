// switch_client: what a test says to weft-switch on its sockets.
//
//   switch_client INJECT ask COUNT     asks as port_peer does; exit 0 if all were answered
//   switch_client INJECT noise COUNT   frames of random length, addresses and content
//   switch_client CONTROL say LINE     one command; prints the answer
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/endian.h"
#include "runtime/base/prng.h"

#define FRAME_BYTES 64
#define TRIES       20
#define WAIT_MS     100

static int connect_to(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) return fd;
    perror(path);
    exit(2);
}

static bool await_answer(int fd, uint32_t number)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    uint8_t frame[2048];
    while (poll(&ready, 1, WAIT_MS) > 0) {
        const ssize_t length = recv(fd, frame, sizeof(frame), 0);
        if (length <= 0) return false;
        if (length >= 20 && weft_be16_get(frame + 12) == 0x88b5 && frame[14] == 'a' &&
            weft_le32_get(frame + 16) == number)
            return true;
    }
    return false;
}

static int ask(int fd, uint32_t count)
{
    for (uint32_t number = 1; number <= count; number++) {
        uint8_t frame[FRAME_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2,  1,
                                      1,    1,    1,    1,    0x88, 0xb5, 'q'};
        int tries = 0;
        weft_le32_put(frame + 16, number);
        do {
            if (tries++ == TRIES || send(fd, frame, sizeof(frame), 0) < 0) {
                printf("client: answered %u of %u\n", number - 1, count);
                return 1;
            }
        } while (!await_answer(fd, number));
    }
    printf("client: answered %u of %u\n", count, count);
    return 0;
}

static int noise(int fd, uint32_t count)
{
    struct weft_prng prng;
    weft_prng_seed(&prng, 1);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t frame[4000];
        const uint32_t length = 1 + weft_prng_below(&prng, i % 4 == 0 ? sizeof(frame) - 1 : 20);
        for (uint32_t at = 0; at < length; at++)
            frame[at] = (uint8_t)weft_prng_next(&prng);
        if (send(fd, frame, length, 0) < 0) return 1;
    }
    return 0;
}

static int say(int fd, const char *line)
{
    char answer[4096];
    ssize_t length;
    if (dprintf(fd, "%s\n", line) < 0) return 1;
    while ((length = recv(fd, answer, sizeof(answer), 0)) > 0) {
        fwrite(answer, 1, (size_t)length, stdout);
        if (answer[length - 1] == '\n') return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 64;
    if (strcmp(argv[2], "say") == 0) return say(connect_to(argv[1], SOCK_STREAM), argv[3]);
    const int fd = connect_to(argv[1], SOCK_SEQPACKET);
    const uint32_t count = (uint32_t)atoi(argv[3]);
    return strcmp(argv[2], "ask") == 0 ? ask(fd, count) : noise(fd, count);
}
