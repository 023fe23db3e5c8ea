// verity.c: weft-verity, a program of the first root in memory on Debian's kernel
// (image/early/init). It makes the device that the command line describes, as the image's own
// kernel does by itself.
//
// Exit status: 0, the device is there; 2, a partition is not there yet; 1, anything else.
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "image/early/dm_table.h"
#include "image/early/partition.h"
#include "image/init/key_value.h"
#include "image/init/text_file.h"

#define NOT_YET 2

struct request {
    struct dm_ioctl head;
    struct dm_target_spec target;
    char parameters[sizeof(((struct weft_dm_table *)NULL)->parameters)];
};

static int find(void *self, const char *partuuid, char *device, size_t size)
{
    (void)self;
    return weft_partition_find("/sys", "/dev", partuuid, device, size);
}

// Anew for each command: the kernel answers in the same place.
static void begin(struct request *request, const struct weft_dm_table *table)
{
    memset(request, 0, sizeof(*request));
    request->head.version[0] =
        DM_VERSION_MAJOR; // With any minor: what is used here is of the first.
    request->head.data_size = sizeof(*request);
    request->head.data_start = offsetof(struct request, target);
    snprintf(request->head.name, sizeof(request->head.name), "%s", table->name);
}

static int command(int control, unsigned long number, struct request *request)
{
    return ioctl(control, number, request) == 0 ? 0 : -errno;
}

static int make_device(int control, const struct weft_dm_table *table)
{
    struct request request;
    begin(&request, table);
    int result = command(control, DM_DEV_CREATE, &request);
    if (result != 0) return result;
    begin(&request, table);
    request.head.flags = table->is_read_only ? DM_READONLY_FLAG : 0;
    request.head.target_count = 1;
    request.target.sector_start = table->first_sector;
    request.target.length = table->sectors;
    snprintf(request.target.target_type, sizeof(request.target.target_type), "%s", table->target);
    memcpy(request.parameters, table->parameters, sizeof(request.parameters));
    result = command(control, DM_TABLE_LOAD, &request);
    if (result != 0) return result;
    begin(&request, table); // "Suspend" without its flag means: go on.
    return command(control, DM_DEV_SUSPEND, &request);
}

static int fail(const char *what, int result)
{
    fprintf(stderr, "weft-verity: %s: %s\n", what, strerror(-result));
    return 1;
}

int main(void)
{
    static char line[4096], text[2048];
    struct weft_dm_table table;
    weft_text_file_line("/proc/cmdline", line, sizeof(line));
    if (!weft_key_value_get(line, "dm-mod.create", text, sizeof(text)))
        return fail("the command line has no dm-mod.create", -ENOENT);
    int result = weft_dm_table_parse(&table, text);
    if (result != 0) return fail("dm-mod.create", result);
    result = weft_dm_table_resolve(&table, find, NULL);
    if (result == -ENODEV) return NOT_YET;
    if (result != 0) return fail("dm-mod.create", result);
    const int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    if (control < 0) return fail("/dev/mapper/control", -errno);
    result = make_device(control, &table);
    close(control);
    return result == 0 ? 0 : fail("the device could not be made", result);
}
