#include "image/update/ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/file.h"

#define LINE_BYTES 96

static bool is_version(const char *text)
{
    return weft_update_version_valid(text, strlen(text));
}

static void set(char to[WEFT_UPDATE_VERSION_BYTES], const char *version)
{
    memcpy(to, version, strlen(version) + 1);
}

static void parse_line(const char *line, struct weft_update_ledger *ledger)
{
    char word[16], first[WEFT_UPDATE_VERSION_BYTES], second[WEFT_UPDATE_VERSION_BYTES];
    const int words = sscanf(line, "%15s %31s %31s", word, first, second);

    if (words < 2 || !is_version(first)) return;
    if (strcmp(word, "floor") == 0) set(ledger->floor, first);
    if (strcmp(word, "failed") == 0) weft_update_ledger_fail(ledger, first);
    if (strcmp(word, "next") == 0 && words == 3 && is_version(second)) {
        set(ledger->next, first);
        set(ledger->next_floor, second);
    }
}

void weft_update_ledger_parse(const char *text, struct weft_update_ledger *ledger)
{
    memset(ledger, 0, sizeof(*ledger));
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        char line[LINE_BYTES];
        if (length < sizeof(line)) {
            memcpy(line, text, length);
            line[length] = '\0';
            parse_line(line, ledger);
        }
        text += length + (text[length] == '\n');
    }
}

size_t weft_update_ledger_print(const struct weft_update_ledger *ledger,
                                char text[WEFT_UPDATE_LEDGER_BYTES_MAX])
{
    int used = 0;

    text[0] = '\0';
    if (ledger->floor[0] != '\0')
        used += snprintf(text, WEFT_UPDATE_LEDGER_BYTES_MAX, "floor %s\n", ledger->floor);
    if (ledger->next[0] != '\0')
        used += snprintf(text + used, WEFT_UPDATE_LEDGER_BYTES_MAX - (size_t)used, "next %s %s\n",
                         ledger->next, ledger->next_floor);
    for (size_t i = 0; i < ledger->failed_count; i++)
        used += snprintf(text + used, WEFT_UPDATE_LEDGER_BYTES_MAX - (size_t)used, "failed %s\n",
                         ledger->failed[i]);
    return (size_t)used;
}

void weft_update_ledger_read(const char *path, struct weft_update_ledger *ledger)
{
    char text[WEFT_UPDATE_LEDGER_BYTES_MAX];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) close(fd);
    text[length > 0 ? length : 0] = '\0';
    weft_update_ledger_parse(text, ledger);
}

int weft_update_ledger_write(const char *path, const struct weft_update_ledger *ledger,
                             struct weft_error *error)
{
    char text[WEFT_UPDATE_LEDGER_BYTES_MAX];
    const int result = weft_file_replace(path, text, weft_update_ledger_print(ledger, text), 0600);

    return result == 0 ? 0 : weft_error_set(error, 906, "%s: %s", path, strerror(-result));
}

bool weft_update_ledger_has_failed(const struct weft_update_ledger *ledger, const char *version)
{
    for (size_t i = 0; i < ledger->failed_count; i++) {
        if (strcmp(ledger->failed[i], version) == 0) return true;
    }
    return false;
}

static void forget(struct weft_update_ledger *ledger, size_t index)
{
    ledger->failed_count--;
    memmove(ledger->failed[index], ledger->failed[index + 1],
            (ledger->failed_count - index) * sizeof(ledger->failed[0]));
}

void weft_update_ledger_fail(struct weft_update_ledger *ledger, const char *version)
{
    if (weft_update_ledger_has_failed(ledger, version)) return;
    if (ledger->failed_count == WEFT_UPDATE_FAILED_MAX) forget(ledger, 0);
    set(ledger->failed[ledger->failed_count++], version);
}

void weft_update_ledger_bless(struct weft_update_ledger *ledger, const char *version)
{
    for (size_t i = 0; i < ledger->failed_count; i++) {
        if (strcmp(ledger->failed[i], version) == 0) {
            forget(ledger, i);
            break;
        }
    }
    if (strcmp(ledger->next, version) != 0) return;
    if (ledger->floor[0] == '\0' ||
        weft_update_version_compare(ledger->next_floor, ledger->floor) > 0)
        set(ledger->floor, ledger->next_floor);
    ledger->next[0] = '\0';
    ledger->next_floor[0] = '\0';
}
