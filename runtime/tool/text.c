#include "runtime/tool/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX (1u << 20)

char *weft_bytes_read(const char *path, size_t bytes_max, size_t *length, struct weft_error *error)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *bytes = malloc(bytes_max + 2);

    if (file == NULL || bytes == NULL) {
        weft_error_set(error, 504, "%s: %s", path, strerror(errno));
        if (file != NULL && file != stdin) fclose(file);
        free(bytes);
        return NULL;
    }
    *length = fread(bytes, 1, bytes_max + 1, file);
    const bool failed = ferror(file) != 0;
    const int reason = errno;
    if (file != stdin) fclose(file);
    if (!failed && *length <= bytes_max) {
        bytes[*length] = '\0';
        return bytes;
    }
    if (failed)
        weft_error_set(error, 504, "%s: %s", path, strerror(reason));
    else
        weft_error_set(error, 504, "%s: it is larger than %zu MiB", path, bytes_max >> 20);
    free(bytes);
    return NULL;
}

char *weft_text_read(const char *path, size_t *length, struct weft_error *error)
{
    return weft_bytes_read(path, TEXT_BYTES_MAX, length, error);
}

void weft_text_name(const char *path, char name[64])
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t length = dot != NULL && dot > base ? (size_t)(dot - base) : strlen(base);

    if (length > 63) length = 63;
    for (size_t i = 0; i < length; i++) {
        const char c = base[i];
        const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        name[i] = fine ? c : '-';
    }
    name[length] = '\0';
}
