#include "dataplane/eal_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <rte_log.h>

#include "dataplane/eal.h"

// The one global of this directory, because rte_openlog_stream has one stream per process.
static struct {
    pthread_mutex_t lock;
    char lines[WEFT_EAL_LINES][WEFT_EAL_LINE_MAX];
    unsigned head, tail; // Lines written and taken, ever.
    char partial[WEFT_EAL_LINE_MAX];
    size_t partial_length;
} said = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void end_line(void)
{
    said.partial[said.partial_length] = '\0';
    if (said.partial_length > 0 && said.head - said.tail < WEFT_EAL_LINES)
        memcpy(said.lines[said.head++ % WEFT_EAL_LINES], said.partial, said.partial_length + 1);
    said.partial_length = 0;
}

static ssize_t take_text(void *cookie, const char *text, size_t length)
{
    (void)cookie;
    pthread_mutex_lock(&said.lock);
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '\n') {
            end_line();
        } else if (said.partial_length + 1 < sizeof(said.partial)) {
            said.partial[said.partial_length++] = c < ' ' ? ' ' : (char)c;
        }
    }
    pthread_mutex_unlock(&said.lock);
    return (ssize_t)length;
}

int weft_eal_log_open(void)
{
    static const cookie_io_functions_t functions = {.write = take_text};
    FILE *stream = fopencookie(NULL, "w", functions);
    if (stream == NULL) return -ENOMEM;
    setvbuf(stream, NULL, _IOLBF, 0);
    if (rte_openlog_stream(stream) != 0) {
        fclose(stream);
        return -ENOMEM;
    }
    return 0;
}

bool weft_eal_take_line(char line[WEFT_EAL_LINE_MAX])
{
    pthread_mutex_lock(&said.lock);
    const bool found = said.head != said.tail;
    if (found) memcpy(line, said.lines[said.tail++ % WEFT_EAL_LINES], WEFT_EAL_LINE_MAX);
    pthread_mutex_unlock(&said.lock);
    return found;
}

void weft_eal_log_join(char *text, size_t size)
{
    char line[WEFT_EAL_LINE_MAX];
    size_t used = 0;
    text[0] = '\0';
    while (weft_eal_take_line(line)) {
        const int length = snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", line);
        if (length < 0 || used + (size_t)length >= size) continue; // Full: drain, do not keep.
        used += (size_t)length;
    }
}
