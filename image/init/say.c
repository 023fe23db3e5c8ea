#include "image/init/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "image/init/node_log.h"

static void print_line(const struct weft_say *say, const char *kind, const char *text)
{
    struct timespec now;
    char line[512];
    clock_gettime(CLOCK_BOOTTIME, &now);
    snprintf(line, sizeof(line), "[%5lld.%03ld] weft-init: %s%s", (long long)now.tv_sec,
             now.tv_nsec / 1000000, kind, text);
    if (say->log != NULL) weft_node_log_line(say->log, line);
    // A carriage return, too: who watches a serial console has set no terminal up. One that is gone
    // stops nothing.
    if (say->fd >= 0) dprintf(say->fd, "%s\r\n", line);
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
