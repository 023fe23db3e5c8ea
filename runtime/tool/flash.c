// weft image flash: a release onto a disk, read back, with the node's configuration on its drive.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config.h"
#include "image/update/disk.h"
#include "image/update/fat.h"
#include "runtime/base/units.h"
#include "runtime/tool/ask.h"
#include "runtime/tool/block_map.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/medium.h"
#include "runtime/tool/release.h"

#define CHUNK_BYTES (1 << 20)

extern char **environ;

struct flash {
    const struct weft_tool *tool;
    const char *image;
    struct weft_medium medium;
    struct weft_block_map map;
    int fd;
    uint64_t written;
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES]; // Of what was written, in order.
    uint8_t *chunk;
};

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text), wanted = strlen(end);

    return length > wanted && strcmp(text + length - wanted, end) == 0;
}

// ---- Before anything is written.

// weft-1.0-arm64.img.zst and weft-1.0-arm64.img have weft-1.0-arm64.bmap.
static void map_path(const char *image, char path[PATH_MAX])
{
    size_t stem = strlen(image) - (ends_in(image, ".zst") ? 4 : 0);

    if (stem > 4 && memcmp(image + stem - 4, ".img", 4) == 0) stem -= 4;
    snprintf(path, PATH_MAX, "%.*s.bmap", (int)stem, image);
}

// Against the signed list beside it, where there is one and a key; else it is said that it is not.
static int verify(const struct weft_tool_call *call, struct weft_error *error)
{
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES];
    struct weft_update_key key;
    char path[PATH_MAX];
    uint64_t bytes;

    if (weft_tool_value(call, "no-verify") != NULL) return 0;
    if (weft_release_key(weft_tool_value(call, "key"), path, &key, error) != 0) {
        weft_error_hint(error, "--key FILE names the public key of who made the release; "
                               "--no-verify writes it unseen");
        return -1;
    }
    int result = weft_release_check_listed(call->args[0], &key, sum, &bytes, error);
    map_path(call->args[0], path); // It says what is written, so it is the release's own, too.
    if (result == 0 && access(path, F_OK) == 0)
        result = weft_release_check_listed(path, &key, sum, &bytes, error);
    weft_update_key_destroy(&key);
    return result;
}

// Before the disk is touched: who owns the private half keeps it, and it looks like the other one.
static int check_owner_key(const struct weft_tool_call *call, struct weft_error *error)
{
    static const char head[] = "-----BEGIN PUBLIC KEY-----";
    const char *path = weft_tool_value(call, "owner-key");
    struct weft_span text;

    if (path == NULL) return 0;
    if (weft_release_text(path, &text, error) != 0) return -1;
    const bool is_public = memmem(text.data, text.length, head, sizeof(head) - 1) != NULL;
    free((void *)(uintptr_t)text.data);
    if (is_public) return 0;
    weft_error_set(error, 301, "%s: no public key in PEM", path);
    weft_error_hint(error, "`weft context keygen` prints yours; the private one stays where it is");
    return -1;
}

// Likewise.
static int check_config(const struct weft_tool_call *call)
{
    const char *path = weft_tool_value(call, "config");
    struct weft_config_report report = {0};
    struct weft_config config;

    if (path == NULL) return 0;
    const int result = weft_config_load(&config, path, &report);
    if (result == 0) weft_config_free(&config);
    if (report.error_count > 0)
        weft_config_report_print(&report, call->tool->err, false);
    else if (result != 0)
        fprintf(call->tool->err, "error: %s: %s\n", path, strerror(-result));
    weft_config_report_free(&report);
    return result == 0 ? 0 : -1;
}

static int load_map(struct flash *flash, struct weft_error *error)
{
    char path[PATH_MAX];
    struct weft_span text;
    struct stat status;

    map_path(flash->image, path);
    if (access(path, F_OK) != 0) {
        const bool packed = ends_in(flash->image, ".zst");
        if (stat(flash->image, &status) != 0)
            return weft_error_set(error, 906, "%s: %s", flash->image, strerror(errno));
        return weft_block_map_all(packed ? 0 : (uint64_t)status.st_size, &flash->map, error);
    }
    if (weft_release_text(path, &text, error) != 0) return -1;
    char *copy = strndup((const char *)text.data, text.length);
    free((void *)(uintptr_t)text.data);
    if (copy == NULL) return weft_error_set(error, 902, "no memory for a block map");
    const int result = weft_block_map_parse(copy, &flash->map, error);
    free(copy);
    return result;
}

static bool agreed(const struct weft_tool_call *call, const struct flash *flash)
{
    const struct weft_medium *medium = &flash->medium;

    fprintf(call->tool->err, "%s: %s%s%.1f GB%s, %u partition%s\n", medium->path, medium->model,
            medium->model[0] != '\0' ? ", " : "", (double)medium->bytes / 1e9,
            medium->is_removable ? ", removable" : "", medium->partition_count,
            medium->partition_count == 1 ? "" : "s");
    return weft_tool_value(call, "yes") != NULL ||
           weft_ask_name(call->tool, medium->name, "Everything on it will be lost.");
}

// ---- Writing.

// The image's bytes: the file, or what zstd makes of it. The descriptor; *pid is 0 without a
// process.
static int open_image(const char *path, pid_t *pid, struct weft_error *error)
{
    const char *words[] = {"zstd", "-dcq", "--", path, NULL};
    posix_spawn_file_actions_t files;
    int pipe_fds[2];

    *pid = 0;
    if (!ends_in(path, ".zst")) {
        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 ? fd : weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    }
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return weft_error_set(error, 906, "%s: %s", path, strerror(errno));
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, pipe_fds[1], STDOUT_FILENO);
    const int result =
        posix_spawnp(pid, words[0], &files, NULL, (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&files);
    close(pipe_fds[1]);
    if (result == 0) return pipe_fds[0];
    close(pipe_fds[0]);
    weft_error_set(error, 906, "zstd: %s", strerror(result));
    weft_error_hint(error, "install zstd, or unpack the image and name the .img");
    return -1;
}

// Fills the chunk. Its length, less only at the end; negative errno.
static ssize_t read_chunk(int fd, uint8_t *chunk)
{
    size_t length = 0;

    while (length < CHUNK_BYTES) {
        const ssize_t count = read(fd, chunk + length, CHUNK_BYTES - length);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) break;
        length += (size_t)count;
    }
    return (ssize_t)length;
}

static void show(const struct flash *flash, const char *doing, uint64_t done)
{
    const uint64_t all = weft_block_map_bytes(&flash->map);

    if (!isatty(fileno(flash->tool->err))) return;
    fprintf(flash->tool->err, "\r%s %.1f MB", doing, (double)done / 1e6);
    if (flash->map.image_bytes != 0) fprintf(flash->tool->err, " of %.1f", (double)all / 1e6);
}

// Writes the mapped parts of a chunk, and takes their digest.
static int write_chunk(struct flash *flash, uint64_t offset, size_t length,
                       struct weft_update_digest *digest)
{
    for (size_t at = 0; at < length;) {
        bool mapped;
        const size_t run = weft_block_map_run(&flash->map, offset + at, length - at, &mapped);
        for (size_t done = 0; mapped && done < run;) {
            const ssize_t count = pwrite(flash->fd, flash->chunk + at + done, run - done,
                                         (off_t)(offset + at + done));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return count < 0 ? -errno : -EIO;
            done += (size_t)count;
        }
        if (mapped) weft_update_digest_add(digest, flash->chunk + at, run);
        if (mapped) flash->written += run;
        at += run;
    }
    return 0;
}

static int write_image(struct flash *flash, int image_fd, struct weft_error *error)
{
    struct weft_update_digest digest;
    uint64_t offset = 0;
    ssize_t length;
    int result = weft_update_digest_init(&digest);

    if (result != 0) return weft_error_set(error, 906, "no memory for a digest");
    while (result == 0 && (length = read_chunk(image_fd, flash->chunk)) != 0) {
        if (length < 0) {
            result = (int)length;
        } else if (offset + (uint64_t)length > flash->medium.bytes) {
            result = -ENOSPC;
        } else {
            result = write_chunk(flash, offset, (size_t)length, &digest);
            offset += (uint64_t)length;
            show(flash, "writing", flash->written);
        }
    }
    weft_update_digest_finish(&digest, flash->sum);
    if (result == 0 && fsync(flash->fd) != 0) result = -errno;
    if (result == -ENOSPC)
        return weft_error_set(error, 907, "the image is larger than %s", flash->medium.path);
    if (result != 0)
        return weft_error_set(error, 906, "writing %s: %s", flash->medium.path, strerror(-result));
    if (flash->map.image_bytes != 0 && offset != flash->map.image_bytes)
        return weft_error_set(error, 902, "the image has %" PRIu64 " bytes, its map says %" PRIu64,
                              offset, flash->map.image_bytes);
    flash->map.image_bytes = offset;
    return 0;
}

// Everything that was written, once more from the disk.
static int read_back(struct flash *flash, struct weft_error *error)
{
    uint8_t sum[WEFT_UPDATE_DIGEST_BYTES];
    struct weft_update_digest digest;
    uint64_t done = 0;
    int result = -posix_fadvise(flash->fd, 0, 0, POSIX_FADV_DONTNEED);

    if (weft_update_digest_init(&digest) != 0)
        return weft_error_set(error, 906, "no memory for a digest");
    for (uint64_t at = 0; at < flash->map.image_bytes && result == 0;) {
        const uint64_t left = flash->map.image_bytes - at;
        bool mapped;
        const size_t run = weft_block_map_run(
            &flash->map, at, left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES, &mapped);
        if (mapped) result = weft_update_disk_read(flash->fd, at, flash->chunk, run);
        if (mapped) weft_update_digest_add(&digest, flash->chunk, run);
        if (mapped) done += run;
        show(flash, "reading back", done);
        at += run;
    }
    weft_update_digest_finish(&digest, sum);
    if (result != 0)
        return weft_error_set(error, 906, "reading %s: %s", flash->medium.path, strerror(-result));
    if (memcmp(sum, flash->sum, sizeof(sum)) == 0) return 0;
    return weft_error_set(error, 906, "%s does not hold what was written to it: is it worn out?",
                          flash->medium.path);
}

static int write_and_check(struct flash *flash, struct weft_error *error)
{
    pid_t pid;
    int status = 0;
    const int image_fd = open_image(flash->image, &pid, error);

    if (image_fd < 0) return -1;
    int result = write_image(flash, image_fd, error);
    close(image_fd);
    if (pid > 0) waitpid(pid, &status, 0);
    if (result == 0 && status != 0)
        result = weft_error_set(error, 902, "%s cannot be unpacked", flash->image);
    if (result == 0) result = read_back(flash, error);
    if (isatty(fileno(flash->tool->err))) fputc('\n', flash->tool->err);
    return result;
}

// ---- The node's drive.

static int put_file(const struct flash *flash, const struct weft_gpt_part *drive, const char *path,
                    const char *name, struct weft_error *error)
{
    struct weft_span text;

    if (path == NULL) return 0;
    if (weft_release_text(path, &text, error) != 0) return -1;
    const int result = weft_update_fat_put(flash->fd, weft_gpt_part_offset(drive),
                                           weft_gpt_part_bytes(drive), name, text, error);
    free((void *)(uintptr_t)text.data);
    if (result == 0) fprintf(flash->tool->err, "%s is on the drive as %s\n", path, name);
    return result;
}

static int put_files(struct flash *flash, const struct weft_tool_call *call,
                     struct weft_error *error)
{
    static const char *const names[][2] = {{"config", "weft.toml"},
                                           {"join", "join.token"},
                                           {"owner", "owner.token"},
                                           {"owner-key", "owner.key"}};
    struct weft_gpt *gpt = malloc(sizeof(*gpt));
    struct weft_gpt_part drive;
    int result = gpt == NULL ? weft_error_set(error, 906, "no memory for a partition table")
                             : weft_update_disk_table(flash->fd, flash->medium.path,
                                                      flash->map.image_bytes, gpt, error);

    if (result == 0 && !weft_gpt_part(gpt, weft_gpt_find(gpt, "WEFT-CONF"), &drive))
        result = weft_error_set(error, 902, "the image has no partition WEFT-CONF");
    for (size_t i = 0; i < WEFT_COUNT_OF(names) && result == 0; i++)
        result = put_file(flash, &drive, weft_tool_value(call, names[i][0]), names[i][1], error);
    free(gpt);
    return result;
}

static int run(struct flash *flash, const struct weft_tool_call *call, struct weft_error *error)
{
    flash->fd = weft_medium_open(&flash->medium, error);
    if (flash->fd < 0) return -1;
    int result = write_and_check(flash, error);
    const bool has_files =
        weft_tool_value(call, "config") != NULL || weft_tool_value(call, "join") != NULL ||
        weft_tool_value(call, "owner") != NULL || weft_tool_value(call, "owner-key") != NULL;
    if (result == 0 && has_files) result = put_files(flash, call, error);
    if (flash->medium.is_device) ioctl(flash->fd, BLKRRPART); // So that the drive shows up.
    if (close(flash->fd) != 0 && result == 0)
        result = weft_error_set(error, 906, "%s: %s", flash->medium.path, strerror(errno));
    return result;
}

int weft_run_image_flash(struct weft_tool_call *call)
{
    struct flash flash = {.tool = call->tool, .image = call->args[0], .fd = -1};
    struct weft_error error = {0};

    if (check_config(call) != 0) return WEFT_EXIT_CONFIG;
    if (check_owner_key(call, &error) != 0 ||
        weft_medium_look(&flash.medium, call->args[1], &error) != 0 || verify(call, &error) != 0 ||
        load_map(&flash, &error) != 0)
        return weft_tool_fail(call->tool, &error);
    if (flash.map.image_bytes > flash.medium.bytes) {
        weft_error_set(&error, 907, "%s is smaller than the image", flash.medium.path);
        weft_block_map_destroy(&flash.map);
        return weft_tool_fail(call->tool, &error);
    }
    flash.chunk = malloc(CHUNK_BYTES);
    int exit_code = WEFT_EXIT_NO;
    if (flash.chunk != NULL && agreed(call, &flash)) {
        const int result = run(&flash, call, &error);
        exit_code = result == 0 ? WEFT_EXIT_DONE : weft_tool_fail(call->tool, &error);
        if (result == 0)
            fprintf(call->tool->err, "%s holds %s: %.1f MB written and read back\n",
                    flash.medium.path, flash.image, (double)flash.written / 1e6);
    }
    free(flash.chunk);
    weft_block_map_destroy(&flash.map);
    return exit_code;
}
