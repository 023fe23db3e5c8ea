// Which CPU each core gets. A thread is pinned only to a CPU that no other Weft thread uses, else
// it floats: two pinned pollers on one CPU starve each other for a scheduler tick at a time.
//
// A CPU is claimed by binding an abstract unix socket named after it: the claim ends with the
// process, however it ends, and leaves no file.
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/node/machine.h"

static int claim(uint32_t cpu)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int length =
        snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "weft/cpu/%u", cpu);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    if (bind(fd, (struct sockaddr *)&address, size) == 0) return fd;
    close(fd);
    return -1;
}

static struct weft_core *core_at(struct weft_machine *machine, uint16_t index)
{
    return weft_node_core(&machine->node, index);
}

// Workers get CPUs of their own while one is left for the control core and one for everybody else.
static void pin_auto(struct weft_machine *machine, const cpu_set_t *allowed)
{
    const uint32_t workers = machine->config->cores.workers;
    uint16_t next = 1;
    if ((uint32_t)CPU_COUNT(allowed) < workers + 2) return;
    bool first_skipped = false;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE && next <= workers; cpu++) {
        if (!CPU_ISSET(cpu, allowed)) continue;
        if (!first_skipped) { // The lowest CPU takes most interrupts.
            first_skipped = true;
            continue;
        }
        machine->cpu_claims[next] = claim(cpu);
        if (machine->cpu_claims[next] >= 0) core_at(machine, next++)->cpu = (int16_t)cpu;
    }
}

// A list names the workers' CPUs in order; one entry more pins the control core, last.
static int pin_list(struct weft_machine *machine, const cpu_set_t *allowed,
                    struct weft_error *error)
{
    const struct weft_config_cpus *list = &machine->config->cores.pin;
    for (size_t i = 0; i < list->count && i <= machine->config->cores.workers; i++) {
        const uint16_t index = i < machine->config->cores.workers ? (uint16_t)(i + 1) : (uint16_t)0;
        if (list->items[i] >= CPU_SETSIZE || !CPU_ISSET(list->items[i], allowed)) {
            weft_error_set(error, 104, "cores.pin: CPU %u is not there, or not ours",
                           list->items[i]);
            return -EINVAL;
        }
        machine->cpu_claims[index] = claim(list->items[i]);
        if (machine->cpu_claims[index] < 0) {
            weft_error_set(error, 106, "cores.pin: CPU %u belongs to another Weft thread",
                           list->items[i]);
            return -EBUSY;
        }
        core_at(machine, index)->cpu = (int16_t)list->items[i];
    }
    return 0;
}

int weft_machine_pin(struct weft_machine *machine, struct weft_error *error)
{
    cpu_set_t allowed;
    for (uint32_t i = 0; i < WEFT_CORE_MAX; i++) {
        machine->cpu_claims[i] = -1;
    }
    if (machine->config->cores.pin.mode == WEFT_CONFIG_PIN_OFF) return 0;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return 0; // Then nobody is pinned.
    if (machine->config->cores.pin.mode == WEFT_CONFIG_PIN_LIST)
        return pin_list(machine, &allowed, error);
    pin_auto(machine, &allowed);
    return 0;
}

void weft_machine_unpin(struct weft_machine *machine)
{
    for (uint32_t i = 0; i < WEFT_CORE_MAX; i++) {
        if (machine->cpu_claims[i] >= 0) close(machine->cpu_claims[i]);
        machine->cpu_claims[i] = -1;
    }
}
