#include "bench/actors/room.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static double available_bytes(void)
{
    char line[128];
    double kilobytes = INFINITY;
    FILE *file = fopen("/proc/meminfo", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "MemAvailable: %lf", &kilobytes) == 1) break;
    }
    if (file != NULL) fclose(file);
    return kilobytes * 1024;
}

// A file of one number. INFINITY: there is none, or it says "max".
static double number_in(const char *group, const char *name)
{
    char path[512];
    double number = INFINITY;
    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) return INFINITY;
    if (fscanf(file, "%lf", &number) != 1) number = INFINITY;
    fclose(file);
    return number;
}

// Of the process's own group: one above it may allow less.
static double group_bytes(void)
{
    char line[400], group[384] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "0::%383s", group) == 1) break;
    }
    if (file != NULL) fclose(file);
    if (strcmp(group, "/") == 0) group[0] = '\0';
    const double limit = number_in(group, "memory.max"), used = number_in(group, "memory.current");
    return isinf(limit) || isinf(used) ? INFINITY : limit - used;
}

double weft_bench_room_bytes(void)
{
    struct rlimit limit;
    const double room = fmin(available_bytes(), group_bytes());
    if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return room;
    return fmin(room, (double)limit.rlim_cur);
}
