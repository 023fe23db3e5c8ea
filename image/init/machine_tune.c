#include "image/init/machine_tune.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/init/text_file.h"
#include "runtime/base/units.h"

#define HUGE_BYTES   (2 * WEFT_MIB)
#define BUFFER_BYTES 2560 // runtime/node/machine.c: one packet buffer, and 20 MB for DPDK itself.
#define DPDK_BYTES   (20 * WEFT_MIB)

uint64_t weft_tune_huge_bytes(const struct weft_config *config)
{
    if (config->memory.huge_pages == WEFT_CONFIG_HUGE_OFF) return 0;
    const uint64_t buffers =
        (uint64_t)config->cores.workers * ((uint64_t)config->memory.mbufs + 1) * BUFFER_BYTES;
    const uint64_t arenas = config->cores.workers * config->memory.arena_per_core;
    // A page more for each kind: what is rounded down here is rounded up there.
    return weft_round_up(buffers + DPDK_BYTES + arenas, HUGE_BYTES) + 2 * HUGE_BYTES;
}

// Bytes that the kernel gives of as many, in pages of one size; or a negative errno.
static int64_t set_aside(const char *sys, uint64_t page_bytes, uint64_t bytes)
{
    char path[PATH_MAX], text[32];
    snprintf(path, sizeof(path), "%s/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages", sys,
             (unsigned long long)(page_bytes / WEFT_KIB));
    snprintf(text, sizeof(text), "%llu", (unsigned long long)(bytes / page_bytes));
    int result = weft_text_file_set(path, text);
    if (result == 0) result = weft_text_file_line(path, text, sizeof(text));
    return result == 0 ? (int64_t)(strtoull(text, NULL, 10) * page_bytes) : result;
}

// Bytes in pages of 1 GiB for whole arenas: part of one would help nobody. Less than a page is
// none.
static uint64_t set_aside_arenas(const char *sys, const struct weft_config *config, uint64_t limit)
{
    const uint64_t each = config->memory.arena_per_core;
    if (each % WEFT_GIB != 0) return 0;
    const uint64_t room = limit / each;
    const uint64_t count = config->cores.workers < room ? config->cores.workers : room;
    const int64_t given = count > 0 ? set_aside(sys, WEFT_GIB, count * each) : 0;
    if (given <= 0) return 0;
    uint64_t whole = (uint64_t)given / each * each;
    if (whole > count * each) whole = count * each; // It does not take all of them back.
    if (whole < (uint64_t)given) (void)set_aside(sys, WEFT_GIB, whole);
    return whole;
}

int weft_tune_huge_pages(const char *sys, const struct weft_config *config, uint64_t limit,
                         struct weft_tune_huge *huge)
{
    const uint64_t wanted = weft_tune_huge_bytes(config);
    *huge = (struct weft_tune_huge){.wanted_bytes = wanted};
    if (wanted < limit) limit = wanted;
    // Packets first: DPDK starts before the arenas are made, and has no use for those pages.
    const uint64_t arenas = config->cores.workers * config->memory.arena_per_core;
    const uint64_t others = wanted > arenas ? wanted - arenas : 0;
    if (wanted > 0 && limit > others)
        huge->gigantic_bytes = set_aside_arenas(sys, config, limit - others);
    const int64_t rest = set_aside(sys, HUGE_BYTES, limit - huge->gigantic_bytes);
    if (rest < 0) return (int)rest;
    huge->bytes = (uint64_t)rest;
    return 0;
}

static void add_cpu(uint8_t *mask, uint32_t cpu)
{
    if (cpu < WEFT_TUNE_CPUS_MAX) mask[cpu / 8] |= (uint8_t)(1 << cpu % 8);
}

uint32_t weft_tune_worker_cpus(const struct weft_config *config, uint32_t cpu_count,
                               uint8_t mask[WEFT_TUNE_CPUS_MAX / 8])
{
    const uint32_t workers = config->cores.workers;
    memset(mask, 0, WEFT_TUNE_CPUS_MAX / 8);
    if (config->cores.pin.mode == WEFT_CONFIG_PIN_OFF) return 0;
    if (config->cores.pin.mode == WEFT_CONFIG_PIN_LIST) {
        uint32_t count = 0;
        for (; count < workers && count < config->cores.pin.count; count++) {
            add_cpu(mask, config->cores.pin.items[count]);
        }
        return count;
    }
    if (cpu_count < workers + 2) return 0; // They float.
    for (uint32_t i = 0; i < workers; i++) {
        add_cpu(mask, i + 1);
    }
    return workers;
}

void weft_tune_mask_text(const uint8_t mask[WEFT_TUNE_CPUS_MAX / 8], uint32_t cpu_count, char *text,
                         size_t size)
{
    size_t used = 0;
    const uint32_t words = (cpu_count + 31) / 32;
    text[0] = '\0';
    for (uint32_t i = words; i-- > 0 && used + 10 < size;) {
        const uint8_t *at = mask + 4 * (size_t)i;
        const uint32_t word =
            (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        used += (size_t)snprintf(text + used, size - used, "%s%08x", used > 0 ? "," : "", word);
    }
}

static void move_interrupts(const char *proc, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/irq/default_smp_affinity", proc);
    weft_text_file_set(path, text);
    snprintf(path, sizeof(path), "%s/irq", proc);
    DIR *directory = opendir(path);
    if (directory == NULL) return;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        snprintf(path, sizeof(path), "%s/irq/%s/smp_affinity", proc, entry->d_name);
        weft_text_file_set(path, text);
    }
    closedir(directory);
}

void weft_tune_isolate(const char *proc, const char *sys, uint32_t cpu_count,
                       const uint8_t mask[WEFT_TUNE_CPUS_MAX / 8])
{
    uint8_t others[WEFT_TUNE_CPUS_MAX / 8] = {0};
    char text[256], path[PATH_MAX];
    cpu_set_t own;
    uint32_t left = 0, taken = 0;
    CPU_ZERO(&own);
    for (uint32_t cpu = 0; cpu < cpu_count && cpu < WEFT_TUNE_CPUS_MAX; cpu++) {
        if ((mask[cpu / 8] >> cpu % 8 & 1) != 0) {
            taken++;
            continue;
        }
        add_cpu(others, cpu);
        CPU_SET(cpu, &own);
        left++;
    }
    if (left == 0 || taken == 0) return;
    weft_tune_mask_text(others, cpu_count, text, sizeof(text));
    move_interrupts(proc, text);
    snprintf(path, sizeof(path), "%s/devices/virtual/workqueue/cpumask", sys);
    weft_text_file_set(path, text);
    sched_setaffinity(0, sizeof(own), &own);
}
