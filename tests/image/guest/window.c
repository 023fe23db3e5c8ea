// window.c: a module that the tests of the image load into a node. The image has no shell: it shows
// what one would show, and breaks the machine in the ways that it has to survive.
//
//     look                   answers calls: "read PATH", "list PATH", "mapped", "calls SECONDS"
//     udp HOST:PORT COUNT    so many datagrams, each of which has to come back as it was
//     panic, spin, freeze    the kernel dies; a core never comes back; process 1 stops
//
// "in a" or "in b" in front: only there, nothing in the other slot. A release that is bad.
#include <weft/weft.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/image/guest/calls.h"

#define TEXT_BYTES 32768
#define SECOND_NS  UINT64_C(1000000000)

// ---- What is to be seen.

struct text {
    char bytes[TEXT_BYTES];
    size_t length;
    const char *path;
};

static void append(struct text *text, const char *line)
{
    const size_t length = strlen(line);
    if (length > sizeof(text->bytes) - text->length) return;
    memcpy(text->bytes + text->length, line, length);
    text->length += length;
}

static void read_file(struct text *text)
{
    const int fd = open(text->path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 0;
    do {
        if (fd >= 0) got = read(fd, text->bytes + text->length, sizeof(text->bytes) - text->length);
        if (got > 0) text->length += (size_t)got;
    } while (got > 0 && text->length < sizeof(text->bytes));
    if (got < 0) append(text, strerror(errno));
    if (fd >= 0) close(fd);
}

// Each name, and where it leads if it is a link: of /proc/self/fd.
static void list(struct text *text)
{
    DIR *directory = opendir(text->path);
    if (directory == NULL) append(text, strerror(errno));
    for (const struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        char path[512], to[256], line[600];
        snprintf(path, sizeof(path), "%s/%s", text->path, entry->d_name);
        const ssize_t length = readlink(path, to, sizeof(to));
        snprintf(line, sizeof(line), "%s %.*s\n", entry->d_name, length > 0 ? (int)length : 0, to);
        append(text, line);
    }
    if (directory != NULL) closedir(directory);
}

// The files that are mapped: a file's pieces lie one behind the other.
static void list_mapped(struct text *text)
{
    char line[512], before[512] = "";
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
        const char *path = strchr(line, '/');
        if (path == NULL || strcmp(path, before) == 0) continue;
        append(text, path);
        snprintf(before, sizeof(before), "%s", path);
    }
    if (maps != NULL) fclose(maps);
}

// On a thread that may wait.
static int see(void *argument)
{
    struct text *text = argument;
    const char *path = strchr(text->path, ' ');
    const bool lists = strncmp(text->path, "list ", 5) == 0;
    const bool counts = strncmp(text->path, "calls ", 6) == 0;
    if (strcmp(text->path, "mapped") == 0) {
        list_mapped(text);
        return 0;
    }
    if (path == NULL) return -EINVAL;
    text->path = path + 1;
    if (counts)
        text->length = weft_calls_count(atoi(text->path), text->bytes, sizeof(text->bytes));
    else if (lists)
        list(text);
    else
        read_file(text);
    return 0;
}

static void look(struct weft_actor *self)
{
    for (struct weft_message *message; (message = weft_receive(self, WEFT_FOREVER)) != NULL;) {
        char path[256];
        struct text *text = weft_alloc(self, sizeof(*text));
        if (message->tag != WEFT_MESSAGE_CALL || text == NULL || weft_keep(self, message) != 0) {
            weft_free(self, text);
            continue;
        }
        snprintf(path, sizeof(path), "%.*s", (int)message->length, (const char *)message->payload);
        text->path = path;
        text->length = 0;
        const int result = weft_blocking(self, see, text);
        if (result == 0)
            weft_reply(self, message, 0, text->bytes, text->length);
        else
            weft_reply_error(self, message, result);
        weft_free(self, text);
    }
}

// ---- Datagrams by the data plane.

static void fill(uint8_t *bytes, size_t length, uint32_t number)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(number >> 8 * (i & 3)) ^ (uint8_t)i;
}

// One at a time: what does not come within a second is lost, and that is said.
static void udp(struct weft_actor *self, const char *to, int count)
{
    const struct weft_address any = {0};
    struct weft_address peer;
    weft_pid port;
    int back = 0, wrong = 0;
    uint8_t bytes[1400];
    if (weft_address_parse(to, &peer) != 0 || weft_udp_open(self, &any, NULL, &port) != 0)
        weft_exit(self, WEFT_EXIT_FAULT);
    for (int i = 0; i < count; i++) {
        const size_t length = 1 + (size_t)i * 37 % (sizeof(bytes) - 1);
        fill(bytes, length, (uint32_t)i);
        if (weft_udp_send_to(self, port, &peer, bytes, length) != 0) continue;
        const struct weft_message *message = weft_receive(self, SECOND_NS);
        if (message == NULL || message->type != WEFT_PORT_DATAGRAM) continue;
        const struct weft_datagram *datagram = (const void *)message->payload;
        back++;
        if (weft_datagram_length(message) != length || memcmp(datagram->bytes, bytes, length) != 0)
            wrong++;
    }
    weft_say(self, WEFT_LEVEL_INFO, "udp: %d sent, %d came back, %d of them wrong", count, back,
             wrong);
}

// ---- What goes wrong.

static void panic(void)
{
    const int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) (void)!write(fd, "c", 1);
}

// Whoever traces a process stops it. This thread never lets it go.
static int freeze(void *argument)
{
    (void)argument;
    const int result = weft_calls_stop(1);
    while (result == 0)
        pause();
    return result;
}

static bool is_slot(const char *slot)
{
    static const char *const words[] = {"weft.slot=a", "weft.slot=b"};
    char line[2048];
    const int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? read(fd, line, sizeof(line) - 1) : 0;
    if (fd >= 0) close(fd);
    line[length > 0 ? length : 0] = '\0';
    return strstr(line, words[slot[0] == 'b']) != NULL;
}

static void window(struct weft_actor *self, int argc, char *const *argv)
{
    int at = 1;
    if (argc > 3 && strcmp(argv[1], "in") == 0) {
        if (!is_slot(argv[2])) return;
        at = 3;
    }
    const char *what = argc > at ? argv[at] : "look";
    if (strcmp(what, "look") == 0) look(self);
    if (strcmp(what, "udp") == 0 && argc > at + 2) udp(self, argv[at + 1], atoi(argv[at + 2]));
    if (strcmp(what, "panic") == 0) panic();
    if (strcmp(what, "freeze") == 0)
        weft_say(self, WEFT_LEVEL_ERROR, "%d", weft_blocking(self, freeze, NULL));
    while (strcmp(what, "spin") == 0)
        __asm__ volatile("");
}
WEFT_MODULE(window)
