#include "dataplane/eal.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_memory.h>

#include "dataplane/eal_log.h"
#include "dataplane/port_device.h"
#include "runtime/base/units.h"

#define MEMORY_MB_DEFAULT 64
#define MEMORY_MB_MAX     65536
#define ARGUMENT_MAX      40
#define PCI_MAX           40

struct arguments {
    char *list[ARGUMENT_MAX + 1];
    int count;
    char lcores[2048];
    char prefix[80];
    char memory[16];
    char cards[WEFT_EAL_PCI_MAX][64];
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t meminfo(const char *key)
{
    char line[128];
    uint64_t value = 0;
    FILE *file = fopen("/proc/meminfo", "re");
    if (file == NULL) return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            value = strtoull(line + strlen(key) + 1, NULL, 10);
    }
    fclose(file);
    return value;
}

uint64_t weft_eal_huge_free_bytes(uint64_t *page_bytes)
{
    const uint64_t bytes = meminfo("Hugepagesize") * WEFT_KIB;
    const uint64_t free_count = meminfo("HugePages_Free");
    const uint64_t reserved_count = meminfo("HugePages_Rsvd");
    if (page_bytes != NULL) *page_bytes = bytes;
    return free_count > reserved_count ? (free_count - reserved_count) * bytes : 0;
}

// Free pages may still be beyond this process (a cgroup, a limit): a mapping reserves them, or not.
static bool huge_pages_granted(uint64_t bytes)
{
    void *map =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (map == MAP_FAILED) return false;
    munmap(map, bytes);
    return true;
}

static bool choose_huge(const struct weft_eal_options *options, uint32_t memory_mb,
                        struct weft_eal_info *info)
{
    uint64_t page = 0;
    const uint64_t free_bytes = weft_eal_huge_free_bytes(&page);
    const uint64_t want = weft_round_up(memory_mb * WEFT_MIB, page > 0 ? page : WEFT_MIB);
    const bool huge =
        !options->no_huge && page > 0 && free_bytes >= want && huge_pages_granted(want);
    if (huge) {
        snprintf(info->memory, sizeof(info->memory), "%u MB in huge pages of %llu MB", memory_mb,
                 (unsigned long long)(page / WEFT_MIB));
    } else if (options->no_huge) {
        snprintf(info->memory, sizeof(info->memory), "%u MB without huge pages, as asked",
                 memory_mb);
    } else {
        snprintf(info->memory, sizeof(info->memory),
                 "%u MB without huge pages: %llu MB of them are free (vm.nr_hugepages); "
                 "packets cost about twice the cycles",
                 memory_mb, (unsigned long long)(free_bytes / WEFT_MIB));
    }
    return huge;
}

// "0@(0-3,6)": one lcore that may run wherever this process may. Ranges keep the text short.
static int describe_cpus(const cpu_set_t *allowed, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "0@(");
    bool first = true;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, allowed)) continue;
        int last = cpu;
        while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, allowed))
            last++;
        used += (size_t)snprintf(text + used, size - used, "%s%d-%d", first ? "" : ",", cpu, last);
        if (used + 16 >= size) return -EINVAL;
        first = false;
        cpu = last;
    }
    snprintf(text + used, size - used, ")");
    return first ? -EINVAL : 0;
}

static void argue(struct arguments *arguments, const char *text)
{
    if (arguments->count < ARGUMENT_MAX) arguments->list[arguments->count++] = (char *)text;
}

// With its domain, which lspci leaves out.
static void complete(const char *pci, char whole[PCI_MAX])
{
    snprintf(whole, PCI_MAX, "%s%.32s", strlen(pci) == strlen("00:02.0") ? "0000:" : "", pci);
}

// The driver mlx5 keeps its tables of flows in EAL's memory, which is measured for
// packets, unless it is told to take the system's (DPDK's guide of mlx5, sys_mem_en).
static void allow_card(struct arguments *arguments, uint32_t i, const char *pci)
{
    char whole[PCI_MAX];
    complete(pci, whole);
    snprintf(arguments->cards[i], sizeof(arguments->cards[i]), "%.40s%s", pci,
             weft_device_driver_is("/sys", whole, "mlx5_core") ? ",sys_mem_en=1" : "");
    argue(arguments, "-a");
    argue(arguments, arguments->cards[i]);
}

// Behind an IOMMU a card uses our addresses; without one it can only use those of the memory
// itself. vfio-pci makes up a group for such a card, by this name (drivers/vfio/group.c).
static bool lacks_iommu(const char *pci)
{
    static const char made_up[] = "vfio-noiommu";
    char whole[PCI_MAX], path[128], name[32] = "";
    complete(pci, whole);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", whole);
    if (access(path, F_OK) != 0) return false; // It is not there at all: DPDK will say so.
    if (weft_device_stays_with_kernel("/sys", whole)) return false;
    strcat(path, "/iommu_group");
    if (access(path, F_OK) != 0) return true;
    strcat(path, "/name"); // Ordinary groups have an empty one, or none.
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    const bool is_named = fgets(name, sizeof(name), file) != NULL;
    fclose(file);
    return is_named && strncmp(name, made_up, sizeof(made_up) - 1) == 0;
}

static bool needs_physical_addresses(const struct weft_eal_options *options)
{
    for (uint32_t i = 0; i < options->pci_count; i++) {
        if (lacks_iommu(options->pci[i])) return true;
    }
    return false;
}

static void build_arguments(struct arguments *arguments, const struct weft_eal_options *options,
                            uint32_t memory_mb, bool huge)
{
    snprintf(arguments->prefix, sizeof(arguments->prefix), "--file-prefix=%s", options->name);
    snprintf(arguments->memory, sizeof(arguments->memory), "%u", memory_mb);
    argue(arguments, "weft");
    argue(arguments, "--lcores");
    argue(arguments, arguments->lcores);
    argue(arguments, arguments->prefix);
    argue(arguments, "--log-level=error");
    argue(arguments, "--no-telemetry");
    argue(arguments, "-m");
    argue(arguments, arguments->memory);
    if (huge) {
        // vhost-user passes at most eight descriptors, so all memory has to stand behind few.
        argue(arguments, "--in-memory");
        argue(arguments, "--single-file-segments");
    } else {
        argue(arguments, "--no-huge");
        argue(arguments, "--no-shconf");
    }
    if (options->pci_count == 0) argue(arguments, "--no-pci");
    for (uint32_t i = 0; i < options->pci_count; i++)
        allow_card(arguments, i, options->pci[i]);
    argue(arguments, needs_physical_addresses(options) ? "--iova-mode=pa" : "--iova-mode=va");
}

static int check_options(const struct weft_eal_options *options, struct weft_error *error)
{
    size_t length = 0;
    while (options->name != NULL &&
           (isalnum((unsigned char)options->name[length]) ||
            strchr("-_", options->name[length] ? options->name[length] : '/')))
        length++;
    if (options->name == NULL || length == 0 || length > 60 || options->name[length] != '\0') {
        weft_error_set(error, 201, "packets: '%s' cannot name a node", options->name);
        weft_error_hint(error, "1 to 60 letters, digits, '-' or '_'");
        return -EINVAL;
    }
    if (options->pci_count > WEFT_EAL_PCI_MAX || options->memory_mb > MEMORY_MB_MAX) {
        weft_error_set(error, 201, "packets: more than %d PCI ports, or more than %d MB",
                       WEFT_EAL_PCI_MAX, MEMORY_MB_MAX);
        return -EINVAL;
    }
    return 0;
}

static int refuse(const struct weft_eal_options *options, uint32_t memory_mb, int reason,
                  struct weft_error *error)
{
    char words[400];
    weft_eal_log_join(words, sizeof(words));
    const bool memory = reason == ENOMEM;
    weft_error_set(error, memory ? 203 : 201, "packets: DPDK did not start for '%s': %s%s%s",
                   options->name, rte_strerror(reason), words[0] ? ": " : "", words);
    if (memory) {
        weft_error_hint(error,
                        "%u MB could not be had; others may have taken the huge pages "
                        "meanwhile: start again, or lower memory.mbufs",
                        memory_mb);
    } else if (options->pci_count > 0) {
        weft_error_hint(error,
                        "a PCI port has to be bound to vfio-pci (NVIDIA's: to mlx5_core, with "
                        "mlx5_ib) and be readable by this user");
    }
    return memory ? -ENOMEM : -EIO;
}

static int deny_gigantic(int socket, size_t limit, size_t bytes)
{
    (void)socket;
    return bytes >= limit + WEFT_GIB ? -1 : 0;
}

// A packet pool likes a page of 1 GiB for itself, however small it is, though it has room in what
// was asked for at the start. Those pages are there for arenas (runtime/mem/range.c).
static void spare_gigantic(uint32_t memory_mb)
{
    for (unsigned i = 0; i < rte_socket_count(); i++)
        rte_mem_alloc_validator_register("weft", deny_gigantic, rte_socket_id_by_idx(i),
                                         memory_mb * WEFT_MIB);
}

int weft_eal_start(const struct weft_eal_options *options, struct weft_eal_info *info,
                   struct weft_error *error)
{
    static atomic_flag started = ATOMIC_FLAG_INIT; // rte_eal_init is once per process.
    struct weft_eal_info unused;
    struct arguments arguments = {.count = 0};
    cpu_set_t allowed;
    const uint64_t before_ns = now_ns();

    if (info == NULL) info = &unused;
    memset(info, 0, sizeof(*info));
    int result = check_options(options, error);
    if (result != 0) return result;
    if (atomic_flag_test_and_set(&started)) {
        weft_error_set(error, 201, "packets: DPDK was started in this process before");
        return -EALREADY;
    }
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 ||
        describe_cpus(&allowed, arguments.lcores, sizeof(arguments.lcores)) != 0) {
        weft_error_set(error, 201, "packets: the CPUs of this process cannot be read");
        return -EIO;
    }
    if (options->runtime_directory != NULL) {
        // Inside a user namespace uid is 0, and EAL would want the system's directory.
        setenv("RUNTIME_DIRECTORY", options->runtime_directory, 1);
        setenv("XDG_RUNTIME_DIR", options->runtime_directory, 1);
    }
    signal(SIGPIPE, SIG_IGN);
    result = weft_eal_log_open();
    if (result != 0) return result;

    const uint32_t memory_mb = options->memory_mb > 0 ? options->memory_mb : MEMORY_MB_DEFAULT;
    info->huge = choose_huge(options, memory_mb, info);
    build_arguments(&arguments, options, memory_mb, info->huge);
    result = rte_eal_init(arguments.count, arguments.list);
    const int reason = rte_errno;
    sched_setaffinity(0, sizeof(allowed), &allowed);
    if (result < 0) return refuse(options, memory_mb, reason, error);
    if (info->huge) spare_gigantic(memory_mb);
    info->start_ns = now_ns() - before_ns;
    return 0;
}

void weft_eal_stop(void)
{
    rte_eal_cleanup();
}

int weft_eal_thread_enter(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY) return 0;
    cpu_set_t allowed;
    const bool known = pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed) == 0;
    const int result = rte_thread_register();
    if (known) pthread_setaffinity_np(pthread_self(), sizeof(allowed), &allowed);
    return result == 0 ? 0 : -ENOMEM;
}

void weft_eal_thread_leave(void)
{
    if (rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore())
        rte_thread_unregister();
}
