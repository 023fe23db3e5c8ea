#include "forth/binary.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"

enum { VERSION = 1, LENGTHS = 8 };

static const char magic[8] = {'w', 'e', 'f', 't', 'p', 'r', 'o', 'g'};

static bool put(FILE *file, const void *bytes, size_t length)
{
    return fwrite(bytes, 1, length, file) == length;
}

static int write_parts(FILE *file, const void *runner, size_t runner_bytes, const void *program,
                       const struct weft_binary_trailer *trailer)
{
    const bool put_all = put(file, runner, runner_bytes) &&
                         put(file, program, (size_t)trailer->bytes) &&
                         put(file, trailer, sizeof(*trailer)) && fflush(file) == 0;
    if (!put_all) return errno != 0 ? -errno : -EIO;
    const mode_t mask = umask(0);
    umask(mask);
    return fchmod(fileno(file), 0777 & ~mask) == 0 ? 0 : -errno;
}

int weft_binary_write(const char *path, const void *runner, size_t runner_bytes,
                      enum weft_binary_kind kind, const void *program, size_t bytes)
{
    struct weft_binary_trailer trailer = {
        .bytes = bytes, .kind = kind, .crc = weft_crc32c(0, program, bytes), .version = VERSION};
    memcpy(trailer.magic, magic, sizeof(magic));
    char *made;
    if (asprintf(&made, "%s.XXXXXX", path) < 0) return -ENOMEM;
    const int fd = mkstemp(made);
    int code = fd < 0 ? -errno : 0;
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (fd >= 0 && file == NULL) {
        code = -errno;
        close(fd);
    }
    if (file != NULL) {
        code = write_parts(file, runner, runner_bytes, program, &trailer);
        if (fclose(file) != 0 && code == 0) code = -errno;
    }
    if (code == 0 && rename(made, path) != 0) code = -errno;
    if (code != 0 && fd >= 0) unlink(made);
    free(made);
    return code;
}

static int read_program(FILE *file, enum weft_binary_kind *kind, void **program, size_t *bytes)
{
    struct weft_binary_trailer trailer;
    if (fseeko(file, 0, SEEK_END) != 0) return -errno;
    const off_t end = ftello(file) - (off_t)sizeof(trailer);
    if (end < 0 || fseeko(file, end, SEEK_SET) != 0) return -ENOENT;
    if (fread(&trailer, sizeof(trailer), 1, file) != 1) return -EIO;
    if (memcmp(trailer.magic, magic, sizeof(magic)) != 0) return -ENOENT;
    if (trailer.version != VERSION) return -EPROTONOSUPPORT;
    if (trailer.bytes > (uint64_t)end ||
        (trailer.kind != WEFT_BINARY_IMAGE && trailer.kind != WEFT_BINARY_SOURCES))
        return -EBADMSG;

    void *copy = malloc((size_t)trailer.bytes + 1);
    if (copy == NULL) return -ENOMEM;
    const bool whole = fseeko(file, end - (off_t)trailer.bytes, SEEK_SET) == 0 &&
                       fread(copy, 1, (size_t)trailer.bytes, file) == trailer.bytes;
    if (!whole || weft_crc32c(0, copy, (size_t)trailer.bytes) != trailer.crc) {
        free(copy);
        return -EBADMSG;
    }
    *kind = (enum weft_binary_kind)trailer.kind;
    *program = copy;
    *bytes = (size_t)trailer.bytes;
    return 0;
}

int weft_binary_read(const char *path, enum weft_binary_kind *kind, void **program, size_t *bytes)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) return -errno;
    const int code = read_program(file, kind, program, bytes);
    fclose(file);
    return code;
}

int weft_binary_source_add(void **list, size_t *bytes, const char *name, const char *text,
                           size_t length)
{
    const size_t name_length = strlen(name);
    if (name_length > UINT16_MAX || length > UINT32_MAX / 2) return -ENOMEM;
    uint8_t *larger = realloc(*list, *bytes + LENGTHS + name_length + length);
    if (larger == NULL) return -ENOMEM;
    uint8_t *at = larger + *bytes;
    weft_le32_put(at, (uint32_t)name_length);
    weft_le32_put(at + 4, (uint32_t)length);
    memcpy(at + LENGTHS, name, name_length);
    memcpy(at + LENGTHS + name_length, text, length);
    *list = larger;
    *bytes += LENGTHS + name_length + length;
    return 0;
}

int weft_binary_source_next(const void *list, size_t bytes, size_t *at, const char **name,
                            size_t *name_length, const char **text, size_t *length)
{
    const uint8_t *from = (const uint8_t *)list + *at;
    const size_t left = bytes - *at;
    if (left == 0) return 0;
    if (left < LENGTHS) return -EBADMSG;
    *name_length = weft_le32_get(from);
    *length = weft_le32_get(from + 4);
    if (*name_length > left - LENGTHS || *length > left - LENGTHS - *name_length) return -EBADMSG;
    *name = (const char *)from + LENGTHS;
    *text = *name + *name_length;
    *at += LENGTHS + *name_length + *length;
    return 1;
}
