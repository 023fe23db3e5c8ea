#include "image/early/partition.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/init/text_file.h"
#include "image/update/gpt.h"
#include "runtime/base/units.h"

#define ENTRY_BYTES 128
#define GUID_AT     16 // In an entry: behind the partition's type.

int weft_partition_guid(const char *text, uint8_t guid[16])
{
    static const uint8_t places[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    const char *at = text;
    for (size_t i = 0; i < WEFT_COUNT_OF(places); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            if (*at++ != '-') return -EINVAL;
        }
        if (!isxdigit((unsigned char)at[0]) || !isxdigit((unsigned char)at[1])) return -EINVAL;
        const char digits[3] = {at[0], at[1], '\0'};
        guid[places[i]] = (uint8_t)strtoul(digits, NULL, 16);
        at += 2;
    }
    return *at == '\0' ? 0 : -EINVAL;
}

static int read_sectors(void *self, uint64_t lba, void *bytes, uint32_t count)
{
    const size_t length = (size_t)count * WEFT_GPT_SECTOR;
    const ssize_t result = pread(*(int *)self, bytes, length, (off_t)(lba * WEFT_GPT_SECTOR));
    if (result < 0) return -errno;
    return (size_t)result == length ? 0 : -EIO;
}

// The number of the partition, from 1; 0 if the disk has it not, or no table.
static uint32_t number_on(const char *path, uint64_t sectors, const uint8_t guid[16])
{
    struct weft_gpt gpt; // 17 KB, on the stack of a program that has no other use for it.
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint32_t number = 0;
    if (fd < 0) return 0;
    const struct weft_gpt_disk disk = {.read = read_sectors, .self = &fd, .sectors = sectors};
    if (weft_gpt_read(&gpt, &disk) == 0) {
        for (uint32_t i = 0; number == 0 && i < gpt.entry_count; i++) {
            if (memcmp(gpt.entries + i * ENTRY_BYTES + GUID_AT, guid, 16) == 0) number = i + 1;
        }
    }
    close(fd);
    return number;
}

// "vda" and 2 are "vda2"; "nvme0n1" and 2 are "nvme0n1p2".
static int name_part(const char *dev, const char *disk, uint32_t number, char *device, size_t size)
{
    const bool ends_in_digit = isdigit((unsigned char)disk[strlen(disk) - 1]);
    const int length =
        snprintf(device, size, "%s/%s%s%u", dev, disk, ends_in_digit ? "p" : "", number);
    if (length >= (int)size) return -E2BIG;
    return access(device, F_OK) == 0 ? 0 : -ENODEV; // The disk is seen before its partitions.
}

int weft_partition_find(const char *sys, const char *dev, const char *partuuid, char *device,
                        size_t size)
{
    char path[PATH_MAX], sectors[32];
    uint8_t guid[16];
    int result = weft_partition_guid(partuuid, guid);
    if (result != 0) return result;
    snprintf(path, sizeof(path), "%s/block", sys);
    DIR *directory = opendir(path);
    if (directory == NULL) return -ENODEV;
    result = -ENODEV;
    for (const struct dirent *entry; result == -ENODEV && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/block/%s/size", sys, entry->d_name);
        weft_text_file_line(path, sectors, sizeof(sectors));
        snprintf(path, sizeof(path), "%s/%s", dev, entry->d_name);
        const uint32_t number = number_on(path, strtoull(sectors, NULL, 10), guid);
        if (number > 0) result = name_part(dev, entry->d_name, number, device, size);
    }
    closedir(directory);
    return result;
}
