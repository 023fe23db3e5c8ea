// wire.c: the wire between emulated machines, for the tests of the image. It knows who is where by
// the frames that it has seen, as a switch does, waits for those that cannot take more, and loses
// what it is told to lose.
//
//     wire SOCKET [LOST-IN-10000 [SEED]]
//
// Machines come by QEMU's `-netdev stream`: each frame behind its length, four bytes, big-endian.
// SIGHUP: the number in the file SOCKET.loss counts from now on. SIGTERM: it says what passed, and
// ends.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MACHINES = 16, STATIONS = 64, FRAME_BYTES = 65536 };

struct machine {
    int fd; // -1: nobody.
    uint8_t bytes[4 + FRAME_BYTES];
    size_t length;
};

struct wire {
    struct machine machines[MACHINES];
    struct {
        uint8_t mac[6];
        int machine;
    } stations[STATIONS];
    size_t station_count;
    unsigned lost_in_10000;
    uint64_t random, passed, lost;
    const char *path;
};

static volatile sig_atomic_t signaled; // The one thing that a signal may touch.

static void note(int signal)
{
    signaled = signal;
}

// xorshift64* (Vigna 2016).
static uint64_t draw(struct wire *wire)
{
    wire->random ^= wire->random >> 12;
    wire->random ^= wire->random << 25;
    wire->random ^= wire->random >> 27;
    return wire->random * UINT64_C(0x2545f4914f6cdd1d);
}

static bool write_all(int fd, const uint8_t *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        const ssize_t put = send(fd, bytes + done, length - done, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return false;
        done += (size_t)put;
    }
    return true;
}

static void learn(struct wire *wire, const uint8_t *mac, int machine)
{
    size_t i = 0;
    while (i < wire->station_count && memcmp(wire->stations[i].mac, mac, 6) != 0)
        i++;
    if (i == STATIONS) return;
    if (i == wire->station_count) wire->station_count++;
    memcpy(wire->stations[i].mac, mac, 6);
    wire->stations[i].machine = machine;
}

// -1: to all.
static int find(const struct wire *wire, const uint8_t *mac)
{
    for (size_t i = 0; i < wire->station_count; i++)
        if (memcmp(wire->stations[i].mac, mac, 6) == 0) return wire->stations[i].machine;
    return -1;
}

static void pass(struct wire *wire, int from, const uint8_t *frame, size_t length)
{
    if (length < 4 + 14) return;
    learn(wire, frame + 4 + 6, from);
    if (draw(wire) % 10000 < wire->lost_in_10000) {
        wire->lost++;
        return;
    }
    const int to = find(wire, frame + 4);
    for (int i = 0; i < MACHINES; i++) {
        struct machine *machine = &wire->machines[i];
        if (machine->fd < 0 || i == from || (to >= 0 && i != to)) continue;
        write_all(machine->fd, frame, length); // Of one that is gone its own read tells.
        wire->passed++;
    }
}

static void take(struct wire *wire, int index)
{
    struct machine *machine = &wire->machines[index];
    const ssize_t got = read(machine->fd, machine->bytes + machine->length,
                             sizeof(machine->bytes) - machine->length);
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) {
        close(machine->fd);
        machine->fd = -1;
        return;
    }
    machine->length += (size_t)got;
    size_t at = 0;
    while (machine->length - at >= 4) {
        const uint8_t *frame = machine->bytes + at;
        const size_t length =
            (size_t)frame[0] << 24 | (size_t)frame[1] << 16 | (size_t)frame[2] << 8 | frame[3];
        if (length > FRAME_BYTES) exit(1);
        if (machine->length - at < 4 + length) break;
        pass(wire, index, frame, 4 + length);
        at += 4 + length;
    }
    machine->length -= at;
    memmove(machine->bytes, machine->bytes + at, machine->length);
}

static void welcome(struct wire *wire, int listener)
{
    const int fd = accept(listener, NULL, NULL);
    for (int i = 0; i < MACHINES && fd >= 0; i++) {
        if (wire->machines[i].fd >= 0) continue;
        wire->machines[i].fd = fd;
        wire->machines[i].length = 0;
        return;
    }
    if (fd >= 0) close(fd);
}

static void reread_loss(struct wire *wire)
{
    char path[256];
    snprintf(path, sizeof(path), "%s.loss", wire->path);
    FILE *file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%u", &wire->lost_in_10000) != 1) exit(1);
    if (file != NULL) fclose(file);
}

static void turn(struct wire *wire, int listener)
{
    struct pollfd polled[MACHINES + 1];
    for (int i = 0; i < MACHINES; i++)
        polled[i] = (struct pollfd){.fd = wire->machines[i].fd, .events = POLLIN};
    polled[MACHINES] = (struct pollfd){.fd = listener, .events = POLLIN};
    if (poll(polled, MACHINES + 1, -1) < 0) return;
    for (int i = 0; i < MACHINES; i++)
        if (polled[i].revents != 0) take(wire, i);
    if (polled[MACHINES].revents != 0) welcome(wire, listener);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof(address.sun_path)) return -1;
    strcpy(address.sun_path, path);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0) return -1;
    return listen(fd, MACHINES) == 0 ? fd : -1;
}

int main(int argc, char **argv)
{
    static struct wire wire;
    const struct sigaction action = {.sa_handler = note};
    if (argc < 2) return 64;
    wire.path = argv[1];
    wire.lost_in_10000 = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
    wire.random = argc > 3 ? strtoull(argv[3], NULL, 10) | 1 : 1;
    for (int i = 0; i < MACHINES; i++)
        wire.machines[i].fd = -1;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    const int listener = listen_at(wire.path);
    if (listener < 0) {
        perror(wire.path);
        return 1;
    }
    while (signaled != SIGTERM) {
        if (signaled == SIGHUP) {
            signaled = 0;
            reread_loss(&wire);
        }
        turn(&wire, listener);
    }
    printf("%llu frames passed, %llu lost\n", (unsigned long long)wire.passed,
           (unsigned long long)wire.lost);
    return 0;
}
