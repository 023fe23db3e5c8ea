#include "runtime/node/machine.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dataplane/pool.h"
#include "dataplane/port_device.h"
#include "runtime/base/assert.h"
#include "runtime/node/crash_files.h"
#include "runtime/sched/offload.h"

#define CAPTURE_SLOTS      1024
#define CAPTURE_SNAP_BYTES 1600

// ---- Devices.

static int open_eal(struct weft_machine *machine, struct weft_error *error)
{
    const struct weft_config *config = machine->config;
    const char *pci[WEFT_EAL_PCI_MAX];
    uint32_t pci_count = 0;
    for (size_t i = 0; i < config->port_count && pci_count < WEFT_EAL_PCI_MAX; i++) {
        if (strncmp(config->ports[i].device, "pci:", 4) == 0)
            pci[pci_count++] = config->ports[i].device + 4;
    }
    // Each buffer takes 2 432 bytes; what EAL itself needs is about 16 MB.
    const uint64_t pool_mb =
        (uint64_t)config->cores.workers * (config->memory.mbufs + 1) * 2560 / WEFT_MIB;
    const struct weft_eal_options options = {
        .name = config->node.name,
        .runtime_directory = config->node.run_dir,
        .memory_mb = (uint32_t)(pool_mb + 20),
        .pci = pci,
        .pci_count = pci_count,
        .no_huge = config->memory.huge_pages == WEFT_CONFIG_HUGE_OFF,
    };
    if (config->memory.huge_pages == WEFT_CONFIG_HUGE_REQUIRE &&
        weft_eal_huge_free_bytes(NULL) < options.memory_mb * WEFT_MIB) {
        weft_error_set(
            error, 203, "memory.huge_pages = \"require\": %u MB are wanted, %llu MB are free",
            options.memory_mb, (unsigned long long)(weft_eal_huge_free_bytes(NULL) / WEFT_MIB));
        weft_error_hint(error, "sysctl vm.nr_hugepages=N makes more, or set it to \"auto\"");
        return -ENOMEM;
    }
    const int result = weft_eal_start(&options, &machine->eal, error);
    machine->eal_started = result == 0;
    return result;
}

static void wake_worker(void *self, uint16_t worker)
{
    struct weft_machine *machine = self;
    if (machine->has_node) weft_core_wake(&machine->node.workers[worker].core);
}

static int open_ports(struct weft_machine *machine, struct weft_error *error)
{
    const struct weft_config *config = machine->config;
    const uint16_t workers = (uint16_t)config->cores.workers;
    struct rte_mempool *pools[WEFT_PORT_WORKERS_MAX];
    for (uint16_t i = 0; i < workers; i++) {
        machine->workers[i].pool = weft_pool_create((uint8_t)(i + 1), config->memory.mbufs, error);
        if (machine->workers[i].pool == NULL) return -ENOMEM;
        pools[i] = machine->workers[i].pool;
    }
    for (size_t i = 0; i < config->port_count; i++) {
        const struct weft_config_port *port = &config->ports[i];
        if (port->address.ip == 0) {
            weft_error_set(error, 105, "port %s has no address", port->name);
            weft_error_hint(error, "[ports.%s] wants address = \"A.B.C.D/PREFIX\"", port->name);
            return -EINVAL;
        }
        struct weft_netport_options options = {.name = port->name,
                                               .device = port->device,
                                               .index = (uint8_t)i,
                                               .worker_count = workers,
                                               .pools = pools,
                                               .mtu = (uint16_t)port->mtu,
                                               .promiscuous = port->promiscuous,
                                               .all_multicast = port->kernel[0] != '\0',
                                               .drops = machine->port_drops,
                                               .wake = wake_worker,
                                               .wake_self = machine};
        memcpy(options.mac, port->mac.bytes, sizeof(options.mac));
        int result = weft_netport_open(&machine->ports[i], &options, error);
        if (result == 0 && port->kernel[0] != '\0')
            result =
                weft_shared_ports_add(&machine->shared, machine->ports[i], port->kernel, error);
        if (result != 0) return result;
        machine->nets[i] = calloc(workers, sizeof(struct weft_net));
        if (machine->nets[i] == NULL) return -ENOMEM;
        for (uint16_t worker = 0; worker < workers; worker++) {
            machine->nets[i][worker] = weft_netport_net(machine->ports[i], worker);
        }
    }
    return 0;
}

static int open_io(struct weft_machine *machine, struct weft_error *error)
{
    const struct weft_config *config = machine->config;
    machine->use_uring = config->journal.io != WEFT_CONFIG_IO_EPOLL;
    if (!machine->use_uring) {
        snprintf(machine->io_reason, sizeof(machine->io_reason), "journal.io says so");
        return 0;
    }
    const int result = weft_uring_probe(machine->io_reason, sizeof(machine->io_reason));
    machine->use_uring = result == 0;
    if (result == 0 || config->journal.io == WEFT_CONFIG_IO_AUTO) return 0;
    weft_error_set(error, 202, "journal.io = \"uring\", but io_uring is refused: %s",
                   machine->io_reason);
    weft_error_hint(error, "\"auto\" falls back to epoll and a disk thread");
    return result;
}

static int open_disk(struct weft_machine *machine, struct weft_error *error)
{
    const struct weft_config *config = machine->config;
    char path[512];
    if (mkdir(config->node.data_dir, 0700) < 0 && errno != EEXIST) {
        weft_error_set(error, 107, "node.data_dir %s: %s", config->node.data_dir, strerror(errno));
        return -errno;
    }
    if (!config->journal.enabled) return 0;
    snprintf(path, sizeof(path), "%s/journal", config->node.data_dir);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        weft_error_set(error, 107, "%s: %s", path, strerror(errno));
        return -errno;
    }
    int result;
    if (machine->use_uring) {
        result = weft_uring_disk_open(&machine->uring_disk, path);
        if (result == 0) machine->disk = weft_uring_disk_disk(machine->uring_disk);
    } else {
        result = weft_disk_thread_open(&machine->disk_thread, path);
        if (result == 0) machine->disk = weft_disk_thread_disk(machine->disk_thread);
    }
    if (result != 0) {
        weft_error_set(error, 701, "the journal in %s cannot be opened: %s", path,
                       strerror(-result));
        if (result == -EBUSY) weft_error_hint(error, "another weftd has it");
    }
    return result;
}

static int make_workers(struct weft_machine *machine)
{
    const uint16_t count = (uint16_t)machine->config->cores.workers;
    // The ledgers are aligned, so the workers have to be.
    const size_t bytes = weft_round_up(count * sizeof(*machine->workers), WEFT_CORE_ALIGN);
    machine->workers = aligned_alloc(WEFT_CORE_ALIGN, bytes);
    if (machine->workers != NULL) memset(machine->workers, 0, bytes);
    machine->captures = calloc(count, sizeof(*machine->captures));
    machine->port_drops = calloc(count, sizeof(*machine->port_drops));
    if (machine->workers == NULL || machine->captures == NULL || machine->port_drops == NULL)
        return -ENOMEM;
    for (uint16_t i = 0; i < count; i++) {
        struct weft_machine_worker *worker = &machine->workers[i];
        worker->machine = machine;
        worker->number = i;
        worker->epoll_sleeper = (struct weft_sleeper_epoll){-1, -1};
        worker->capture_memory = aligned_alloc(
            64, weft_round_up(weft_capture_bytes(CAPTURE_SLOTS, CAPTURE_SNAP_BYTES), 64));
        if (worker->capture_memory == NULL) return -ENOMEM;
        weft_capture_init(&worker->capture, worker->capture_memory, CAPTURE_SLOTS,
                          CAPTURE_SNAP_BYTES);
        machine->captures[i] = &worker->capture;
        machine->port_drops[i] = &worker->port_drops;
    }
    return 0;
}

static void prepare_for_crashes(struct weft_machine *machine, const struct weft_clock *clock)
{
    const char *directory = machine->config->node.data_dir;
    weft_containment_init(&machine->containment, false);
    weft_crash_files_take(directory, machine->crashed_path, sizeof(machine->crashed_path));
    weft_crash_files_path(directory, weft_clock_wall_ns(clock), machine->crash_path,
                          sizeof(machine->crash_path));
    machine->node.actors.crash_path = machine->crash_path;
}

static int open_pool(struct weft_machine *machine, struct weft_error *error)
{
    machine->pool = weft_offload_create(machine->config->actors.blocking_threads);
    if (machine->pool == NULL)
        return weft_error_set(error, 202, "actors.blocking_threads: %s", strerror(errno));
    machine->node.actors.pool = machine->pool;
    return 0;
}

// The directory of the units' files, if they have one.
static int open_files(struct weft_machine *machine, struct weft_error *error)
{
    const char *path = machine->config->units.files;
    if (path[0] == '\0') return 0;
    const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        weft_error_set(error, 107, "units.files: %s: %s", path, strerror(errno));
        weft_error_hint(error,
                        "make the directory, or leave the key out: units have no files then");
        return -1;
    }
    machine->files_root = fd;
    return 0;
}

int weft_machine_open(struct weft_machine *machine, const struct weft_config *config,
                      struct weft_error *error)
{
    const struct weft_clock clock = weft_clock_linux();
    struct weft_node_options options;
    memset(machine, 0, sizeof(*machine));
    memset(machine->cpu_claims, 0xff, sizeof(machine->cpu_claims));
    machine->config = config;
    int result = make_workers(machine);
    if (result != 0) weft_error_set(error, 203, "no memory for %u workers", config->cores.workers);
    if (result == 0) result = open_files(machine, error);
    if (result == 0) result = open_io(machine, error);
    if (result == 0) result = open_disk(machine, error);
    if (result == 0) result = weft_machine_mesh_options(machine, &clock, error);
    if (result == 0) result = open_eal(machine, error);
    if (result == 0) result = open_ports(machine, error);
    if (result == 0) {
        weft_machine_node_options(machine, &options);
        result = weft_node_init(&machine->node, &options, error);
        machine->has_node = result == 0;
    }
    if (result == 0) prepare_for_crashes(machine, &clock);
    if (result == 0) result = open_pool(machine, error);
    if (result == 0) result = weft_machine_pin(machine, error);
    if (result == 0) {
        result = weft_sleeper_epoll_open(&machine->control_sleeper);
        machine->has_control_sleeper = result == 0;
        if (result != 0) weft_error_set(error, 202, "epoll: %s", strerror(-result));
    }
    if (result != 0) weft_machine_close(machine);
    return result;
}

// ---- The workers' threads.

static int open_worker_io(struct weft_machine_worker *worker, struct weft_uring *uring)
{
    struct weft_node_worker *of_node = &worker->machine->node.workers[worker->number];
    return weft_worker_io_open(&worker->io, &of_node->ports, &of_node->core, uring,
                               worker->machine->node.actors.pool);
}

static int enter_io(struct weft_core *core, struct weft_machine_worker *worker)
{
    struct weft_machine *machine = worker->machine;
    (void)weft_eal_thread_enter(); // Without an lcore id the pools only lack their caches.
    if (!machine->use_uring) {
        int result = weft_sleeper_epoll_open(&worker->epoll_sleeper);
        if (result != 0) return result;
        core->sleeper = weft_sleeper_epoll_interface(&worker->epoll_sleeper);
        if (worker->number == 0 && machine->disk_thread != NULL)
            result = core->sleeper.watch(core->sleeper.self,
                                         weft_disk_thread_doorbell_fd(machine->disk_thread));
        return result == 0 ? open_worker_io(worker, NULL) : result;
    }
    int result = weft_uring_init(&worker->uring);
    if (result != 0) return result;
    result = weft_uring_sleeper_open(&worker->uring_sleeper, &worker->uring);
    if (result != 0) {
        weft_uring_destroy(&worker->uring);
        return result;
    }
    core->sleeper = weft_uring_sleeper_interface(&worker->uring_sleeper);
    if (worker->number == 0 && machine->uring_disk != NULL)
        weft_uring_disk_attach(machine->uring_disk, &worker->uring);
    result = open_worker_io(worker, &worker->uring);
    const struct weft_poller poller = weft_uring_poller(&worker->uring);
    return result == 0 ? weft_core_add_poller(core, &poller) : result;
}

static void leave(struct weft_core *core, void *self)
{
    struct weft_machine_worker *worker = self;
    struct weft_machine *machine = worker->machine;
    weft_containment_leave(&machine->containment, core->index);
    if (machine->node.actors.pool != NULL) weft_offload_quiet(machine->node.actors.pool);
    weft_worker_io_close(&worker->io);
    if (machine->use_uring) {
        if (worker->number == 0 && machine->uring_disk != NULL) {
            weft_uring_disk_close(machine->uring_disk);
            machine->uring_disk = NULL;
        }
        weft_uring_sleeper_close(&worker->uring_sleeper);
        weft_uring_destroy(&worker->uring);
    } else {
        weft_sleeper_epoll_close(&worker->epoll_sleeper);
    }
    weft_eal_thread_leave();
}

static int enter(struct weft_core *core, void *self)
{
    struct weft_machine_worker *worker = self;
    struct weft_machine *machine = worker->machine;
    int result = enter_io(core, worker);
    if (result != 0) return result;
    result = weft_containment_enter(&machine->containment,
                                    &machine->node.workers[worker->number].actors);
    if (result != 0) leave(core, worker);
    return result;
}

// The control core is the process's first thread: it pins itself.
static int pin_control(const struct weft_core *control)
{
    cpu_set_t cpus;
    if (control->cpu < 0) return 0;
    CPU_ZERO(&cpus);
    CPU_SET((unsigned)control->cpu, &cpus);
    return sched_setaffinity(0, sizeof(cpus), &cpus) == 0 ? 0 : -errno;
}

int weft_machine_start(struct weft_machine *machine, struct weft_error *error)
{
    machine->node.control.sleeper = weft_sleeper_epoll_interface(&machine->control_sleeper);
    machine->node.control.idle_polls = 0;
    machine->node.control.idle_sleep_max_ns = WEFT_NS_PER_S;
    int result = weft_shared_ports_follow(&machine->shared, &machine->node.control);
    if (result == 0) result = weft_core_watch_doorbells(&machine->node.control);
    // Before the workers' threads are: they find what the watchdog has written for them.
    if (result == 0)
        result = weft_containment_start(&machine->containment, &machine->node.group,
                                        machine->node.actors.core_mask);
    for (uint16_t i = 0; result == 0 && i < machine->config->cores.workers; i++) {
        struct weft_machine_worker *worker = &machine->workers[i];
        worker->thread = (struct weft_core_thread){
            .core = &machine->node.workers[i].core, .enter = enter, .leave = leave, .self = worker};
        if (machine->config->cores.idle == WEFT_CONFIG_IDLE_ECO)
            machine->node.workers[i].core.idle_polls = 0;
        result = weft_core_thread_start(&worker->thread);
        worker->is_running = result == 0;
    }
    if (result == 0) { // This thread's own crashes leave a report too.
        machine->control_fault = weft_fault_enter(&machine->node.actors, NULL);
        result = machine->control_fault != NULL ? 0 : -ENOMEM;
    }
    if (result == 0) result = pin_control(&machine->node.control); // Last: threads inherit it.
    if (result == 0) return 0;
    weft_error_set(error, 202, "a worker's thread did not start: %s", strerror(-result));
    weft_machine_stop(machine);
    return result;
}

void weft_machine_stop(struct weft_machine *machine)
{
    // Relaxed: who is stuck in an actor's endless loop looks every millisecond.
    if (machine->has_node)
        atomic_store_explicit(&machine->node.actors.stopping, true, memory_order_relaxed);
    // All halt before the first closes its bell: they ring each other's.
    for (uint16_t i = 0; i < machine->config->cores.workers; i++) {
        if (machine->workers[i].is_running) weft_core_thread_halt(&machine->workers[i].thread);
    }
    for (uint16_t i = (uint16_t)machine->config->cores.workers; i-- > 0;) {
        if (!machine->workers[i].is_running) continue;
        weft_core_thread_stop(&machine->workers[i].thread);
        machine->workers[i].is_running = false;
    }
    weft_containment_stop(&machine->containment);
    if (machine->control_fault != NULL) weft_fault_leave(machine->control_fault);
    machine->control_fault = NULL;
}

void weft_machine_close(struct weft_machine *machine)
{
    weft_offload_free(machine->pool); // Before what its work would tell.
    if (machine->has_node) weft_node_destroy(&machine->node);
    machine->has_node = false;
    if (machine->files_root > 0) close(machine->files_root);
    weft_machine_unpin(machine);
    if (machine->has_control_sleeper) weft_sleeper_epoll_close(&machine->control_sleeper);
    weft_shared_ports_close(&machine->shared);
    for (size_t i = 0; i < WEFT_NODE_PORTS_MAX; i++) {
        weft_netport_close(machine->ports[i]);
        free(machine->nets[i]);
    }
    for (uint16_t i = 0; machine->workers != NULL && i < machine->config->cores.workers; i++) {
        weft_pool_free(machine->workers[i].pool);
        free(machine->workers[i].capture_memory);
    }
    if (machine->eal_started) weft_eal_stop();
    if (machine->uring_disk != NULL) weft_uring_disk_close(machine->uring_disk);
    if (machine->disk_thread != NULL) weft_disk_thread_close(machine->disk_thread);
    if (machine->has_identity) weft_mesh_identity_destroy(&machine->identity);
    free(machine->workers);
    free((void *)machine->captures);
    free((void *)machine->port_drops);
    memset(machine, 0, sizeof(*machine));
}

// ---- What the control core asks.

static bool link_of(void *self, uint32_t port, bool *is_up, uint32_t *speed_mbps)
{
    const struct weft_machine *machine = self;
    if (machine->ports[port] == NULL) return false;
    const struct weft_netport_link link = weft_netport_link(machine->ports[port]);
    *is_up = link.up;
    *speed_mbps = link.speed_mbps;
    return true;
}

static int fault_set(void *self, const struct weft_admin_fault *fault, struct weft_error *error)
{
    struct weft_machine *machine = self;
    const struct weft_fault_options options = {
        .rx = true,
        .tx = true,
        .loss_ppm = weft_machine_ppm(fault->loss_ratio),
        .duplicate_ppm = weft_machine_ppm(fault->duplicate_ratio),
        .reorder_ppm = weft_machine_ppm(fault->reorder_ratio),
        .corrupt_ppm = weft_machine_ppm(fault->corrupt_ratio),
        .delay_ns = fault->delay_ns,
        .jitter_ns = fault->jitter_ns,
        .partition_all = fault->partition};
    bool found = false;
    for (uint32_t i = 0; i < machine->config->port_count; i++) {
        if (fault->port[0] != '\0' && strcmp(fault->port, machine->config->ports[i].name) != 0)
            continue;
        found = true;
        const int result = weft_node_fault_set(&machine->node, i, &options);
        if (result != 0)
            return weft_error_set(error, result == -EOPNOTSUPP ? 503 : 505, "port %s: %s",
                                  machine->config->ports[i].name,
                                  result == -EOPNOTSUPP ? "a real card has no fault layer"
                                                        : strerror(-result));
        machine->faults[i] = *fault;
        snprintf(machine->faults[i].port, sizeof(machine->faults[i].port), "%s",
                 machine->config->ports[i].name);
    }
    if (!found) return weft_error_set(error, 503, "there is no port '%s'", fault->port);
    return 0;
}

// As the configuration has them, until somebody sets others.
static void faults_of_config(struct weft_machine *machine)
{
    for (size_t i = 0; i < machine->config->port_count; i++) {
        const struct weft_config_fault *from = &machine->config->ports[i].fault;
        machine->faults[i] = (struct weft_admin_fault){.loss_ratio = from->loss,
                                                       .duplicate_ratio = from->duplicate,
                                                       .reorder_ratio = from->reorder,
                                                       .corrupt_ratio = from->corrupt,
                                                       .delay_ns = from->delay_ns,
                                                       .jitter_ns = from->jitter_ns,
                                                       .seed = from->seed};
    }
}

static bool fault_get(void *self, uint32_t index, struct weft_admin_fault *fault)
{
    const struct weft_machine *machine = self;
    if (index >= machine->config->port_count) return false;
    *fault = machine->faults[index];
    snprintf(fault->port, sizeof(fault->port), "%s", machine->config->ports[index].name);
    return true;
}

struct weft_control_machine weft_machine_control(struct weft_machine *machine)
{
    faults_of_config(machine);
    return (struct weft_control_machine){.link = link_of,
                                         .fault_set = fault_set,
                                         .fault_get = fault_get,
                                         .captures = machine->captures,
                                         .port_drops = machine->port_drops,
                                         .io = machine->use_uring ? "uring" : "epoll",
                                         .eal = machine->eal.memory,
                                         .self = machine};
}

void weft_machine_log(struct weft_machine *machine)
{
    struct weft_log *log = &machine->node.control.log;
    char line[WEFT_EAL_LINE_MAX];
    weft_log(log, WEFT_LOG_INFO, "eal", "%s, started in %llu ms", machine->eal.memory,
             (unsigned long long)(machine->eal.start_ns / WEFT_NS_PER_MS));
    while (weft_eal_take_line(line)) {
        weft_log(log, WEFT_LOG_WARN, "eal", "%s", line);
    }
    if (!machine->use_uring)
        weft_log(log, WEFT_LOG_WARN, "io", "epoll and a disk thread, not io_uring: %s",
                 machine->io_reason);
    for (size_t i = 0; i < machine->config->port_count; i++) {
        const struct weft_net_info *info = weft_netport_info(machine->ports[i]);
        weft_log(log, WEFT_LOG_INFO, "port", "%s: %s, %s, %u queue pairs%s", info->name,
                 info->device, info->driver, info->queue_count,
                 info->has_doorbell ? "" : "; no doorbell: up to 500 us late when idle");
        if (machine->config->ports[i].kernel[0] != '\0')
            weft_log(log, WEFT_LOG_INFO, "port", "%s: shared with the kernel, as %s", info->name,
                     machine->config->ports[i].kernel);
    }
    if (machine->crashed_path[0] != '\0')
        weft_log(log, WEFT_LOG_WARN, "node", "the process before this one crashed: see %s",
                 machine->crashed_path);
    const struct weft_stacks_view stacks = weft_stacks_view(machine->node.workers[0].actors.stacks);
    weft_log(log, WEFT_LOG_INFO, "actor", "stacks are guarded by %s",
             weft_stack_guard_name(stacks.guard));
    if (!machine->has_identity)
        weft_log(log, WEFT_LOG_WARN, "mesh", "off: mesh.key_file is not set");
    for (uint16_t i = 1; i <= machine->config->cores.workers; i++) {
        const int16_t cpu = weft_node_core(&machine->node, i)->cpu;
        if (cpu >= 0)
            weft_log(log, WEFT_LOG_INFO, "core", "%u: pinned to CPU %d", i, cpu);
        else
            weft_log(log, WEFT_LOG_INFO, "core", "%u: floats", i);
    }
}
