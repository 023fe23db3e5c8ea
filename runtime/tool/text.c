#include "runtime/tool/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX (1u << 20)

char *weft_text_read(const char *path, size_t *length, struct weft_error *error)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *text = malloc(TEXT_BYTES_MAX + 2);

    if (file == NULL || text == NULL) {
        weft_error_set(error, 504, "%s: %s", path, strerror(errno));
        if (file != NULL && file != stdin) fclose(file);
        free(text);
        return NULL;
    }
    *length = fread(text, 1, TEXT_BYTES_MAX + 1, file);
    const bool failed = ferror(file) != 0;
    const int reason = errno;
    if (file != stdin) fclose(file);
    if (!failed && *length <= TEXT_BYTES_MAX) {
        text[*length] = '\0';
        return text;
    }
    weft_error_set(error, 504, "%s: %s", path,
                   failed ? strerror(reason) : "it is larger than 1 MiB");
    free(text);
    return NULL;
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
