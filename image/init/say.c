#include "image/init/say.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "image/init/node_log.h"

void weft_say_bytes(const struct weft_say *say, const char *bytes, size_t length)
{
    if (say->fd >= 0) (void)!write(say->fd, bytes, length);
    for (size_t i = 0; i < say->other_count; i++) {
        (void)!write(say->others[i], bytes, length);
    }
}

void weft_say_open_others(struct weft_say *say, const char *active, const char *directory)
{
    size_t length;
    say->other_count = 0;
    for (const char *name = active; say->other_count < WEFT_SAY_OTHERS_MAX; name += length + 1) {
        char path[128];
        length = strcspn(name, " ");
        if (name[length] != ' ') return;
        snprintf(path, sizeof(path), "%s/%.*s", directory, (int)length, name);
        const int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) say->others[say->other_count++] = fd;
    }
}

static void print_line(const struct weft_say *say, const char *kind, const char *text)
{
    struct timespec now;
    char line[512];
    clock_gettime(CLOCK_BOOTTIME, &now);
    // A carriage return, too: who watches a serial console has set no terminal up. One that is gone
    // stops nothing.
    const int length = snprintf(line, sizeof(line), "[%5lld.%03ld] weft-init: %s%s\r\n",
                                (long long)now.tv_sec, now.tv_nsec / 1000000, kind, text);
    const size_t bytes = (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1;
    weft_say_bytes(say, line, bytes);
    if (say->log == NULL) return;
    line[strcspn(line, "\r")] = '\0';
    weft_node_log_line(say->log, line);
}

void weft_say_line(struct weft_say *say, const char *format, ...)
{
    char text[448];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    print_line(say, "", text);
}

static void remember(struct weft_say *say, const char *text)
{
    const size_t kept =
        say->error_count < WEFT_SAY_ERRORS_MAX ? say->error_count : WEFT_SAY_ERRORS_MAX;
    for (size_t i = 0; i < kept; i++) {
        if (strncmp(say->errors[i], text, sizeof(say->errors[i]) - 1) == 0) return;
    }
    if (kept < WEFT_SAY_ERRORS_MAX)
        snprintf(say->errors[kept], sizeof(say->errors[kept]), "%s", text);
    say->error_count++;
}

void weft_say_error(struct weft_say *say, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    remember(say, text);
    print_line(say, "error: ", text);
}
