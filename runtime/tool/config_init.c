// weft config init: a configuration from the hardware of this machine: network cards by PCI
// address, CPUs, memory. It only reads sysfs and /proc.
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/base/units.h"
#include "runtime/tool/handlers.h"

#define CARDS_MAX     16
#define WORKERS_MAX   62
#define CLASS_ETHER   0x0200
#define VENDOR_NVIDIA 0x15b3

struct card {
    char pci[32];       // "0000:01:00.0".
    char interface[16]; // "eth0"; empty: no driver of the kernel's has it.
    char mac[24], driver[32];
    unsigned vendor, device;
    bool has_group;   // An IOMMU stands in front of it.
    bool has_default; // The machine's default route goes out there.
};

static void read_word(const char *directory, const char *name, char *text, size_t size)
{
    char path[2 * PATH_MAX];

    text[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    if (fgets(text, (int)size, file) == NULL) text[0] = '\0';
    text[strcspn(text, " \n")] = '\0';
    fclose(file);
}

static unsigned read_hex(const char *directory, const char *name)
{
    char text[16];

    read_word(directory, name, text, sizeof(text));
    return (unsigned)strtoul(text, NULL, 16);
}

// The last part of where a link leads: a driver's name. Empty if there is none.
static void read_link_name(const char *directory, const char *name, char *text, size_t size)
{
    char path[2 * PATH_MAX], target[PATH_MAX];

    text[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    const ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length <= 0) return;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(text, size, "%.31s", slash != NULL ? slash + 1 : target);
}

// The interface that the kernel made of a card. virtio has one more directory in between.
static void find_interface(const char *directory, char *interface, size_t size, int depth)
{
    char path[2 * PATH_MAX];
    struct dirent *entry;

    interface[0] = '\0';
    snprintf(path, sizeof(path), "%s/net", directory);
    DIR *net = opendir(path);
    while (net != NULL && (entry = readdir(net)) != NULL) {
        if (entry->d_name[0] != '.') snprintf(interface, size, "%.15s", entry->d_name);
    }
    if (net != NULL) closedir(net);
    DIR *children = interface[0] == '\0' && depth > 0 ? opendir(directory) : NULL;
    while (children != NULL && interface[0] == '\0' && (entry = readdir(children)) != NULL) {
        if (strncmp(entry->d_name, "virtio", 6) != 0) continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        find_interface(path, interface, size, depth - 1);
    }
    if (children != NULL) closedir(children);
}

static void default_interface(const char *root, char interface[16])
{
    char path[PATH_MAX + 32], line[256], name[16], destination[16];

    interface[0] = '\0';
    snprintf(path, sizeof(path), "%s/proc/net/route", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%15s %15s", name, destination) == 2 &&
            strcmp(destination, "00000000") == 0) {
            memcpy(interface, name, sizeof(name));
            break;
        }
    }
    if (file != NULL) fclose(file);
}

static bool read_card(const char *root, const char *address, const char *admin, struct card *card)
{
    char directory[PATH_MAX + 300], path[PATH_MAX + 320];

    memset(card, 0, sizeof(*card));
    snprintf(directory, sizeof(directory), "%s/sys/bus/pci/devices/%s", root, address);
    if (read_hex(directory, "class") >> 8 != CLASS_ETHER) return false;
    snprintf(card->pci, sizeof(card->pci), "%.31s", address);
    card->vendor = read_hex(directory, "vendor");
    card->device = read_hex(directory, "device");
    read_link_name(directory, "driver", card->driver, sizeof(card->driver));
    find_interface(directory, card->interface, sizeof(card->interface), 1);
    if (card->interface[0] != '\0') {
        snprintf(path, sizeof(path), "%s/sys/class/net/%s", root, card->interface);
        read_word(path, "address", card->mac, sizeof(card->mac));
    }
    snprintf(path, sizeof(path), "%s/iommu_group", directory);
    card->has_group = access(path, F_OK) == 0;
    card->has_default = card->interface[0] != '\0' && strcmp(card->interface, admin) == 0;
    return true;
}

static int by_address(const void *a, const void *b)
{
    return strcmp(((const struct card *)a)->pci, ((const struct card *)b)->pci);
}

static size_t find_cards(const char *root, struct card cards[CARDS_MAX])
{
    char path[PATH_MAX + 32], admin[16];
    size_t count = 0;

    default_interface(root, admin);
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", root);
    DIR *devices = opendir(path);
    for (struct dirent *entry;
         devices != NULL && count < CARDS_MAX && (entry = readdir(devices)) != NULL;) {
        if (entry->d_name[0] != '.' && read_card(root, entry->d_name, admin, &cards[count]))
            count++;
    }
    if (devices != NULL) closedir(devices);
    qsort(cards, count, sizeof(cards[0]), by_address);
    return count;
}

// "0-3,8" to 5.
static unsigned count_cpus(const char *list)
{
    unsigned count = 0, first, last;
    int used;

    while (sscanf(list, "%u%n", &first, &used) == 1) {
        list += used;
        last = first;
        if (*list == '-' && sscanf(list + 1, "%u%n", &last, &used) == 1) list += used + 1;
        if (last >= first) count += last - first + 1;
        if (*list++ != ',') break;
    }
    return count > 0 ? count : 1;
}

// DPDK opens cards of this vendor beside the kernel's driver, which guards memory for it. One
// without that driver is of no use to either.
static const char *terms_of(const struct card *card)
{
    if (card->vendor == VENDOR_NVIDIA)
        return strcmp(card->driver, "mlx5_core") == 0 ? ", beside which DPDK opens it"
                                                      : ", no port without mlx5_core";
    return card->has_group ? "" : ", no IOMMU in front of it";
}

static void describe(const struct card *card, FILE *out)
{
    fprintf(out, "# %04x:%04x%s%s%s%s%s%s%s\n", card->vendor, card->device,
            card->interface[0] != '\0' ? ", " : "", card->interface,
            card->mac[0] != '\0' ? ", " : "", card->mac, card->driver[0] != '\0' ? ", driver " : "",
            card->driver, terms_of(card));
}

// The card that the machine's own traffic goes over stays the kernel's. Without a default route
// that is the first of several; an only card is left to it, too.
static size_t choose_admin(const struct card *cards, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (cards[i].has_default) return i;
    }
    return 0;
}

static void print_cards(const struct card *cards, size_t count, FILE *out)
{
    const size_t admin = choose_admin(cards, count);
    unsigned port = 0;

    if (count == 0) {
        fputs("\n# No network card on the PCI bus. af_packet:IFACE takes one of the kernel's.\n",
              out);
        return;
    }
    fputs("\n# The card of the admin port, which stays the kernel's:\n", out);
    describe(&cards[admin], out);
    fprintf(out, "[admin]\ninterface = \"%s\"\n", cards[admin].pci);
    if (count == 1)
        fprintf(out,
                "\n# There is no other card for packets. DPDK and the kernel can share it "
                "(docs/hardware.md):\n# [ports.p0]\n# device = \"pci:%s\"\n# kernel = "
                "\"weft0\"\n# address = \"10.42.0.1/24\"\n",
                cards[admin].pci);
    for (size_t i = 0; i < count; i++) {
        if (i == admin) continue;
        fputc('\n', out);
        describe(&cards[i], out);
        fprintf(out, "[ports.p%u]\ndevice = \"pci:%s\"\n# address = \"10.42.0.1/24\"\n", port++,
                cards[i].pci);
    }
}

static void print_machine(const char *root, FILE *out)
{
    char path[PATH_MAX + 32], cpus[128], memory[64], name[64] = "weft";
    unsigned long long total_kib = 0;

    snprintf(path, sizeof(path), "%s/sys/devices/system/cpu", root);
    read_word(path, "online", cpus, sizeof(cpus));
    snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(memory, sizeof(memory), file) != NULL)
        (void)!sscanf(memory, "MemTotal: %llu", &total_kib);
    if (file != NULL) fclose(file);
    snprintf(path, sizeof(path), "%s/proc/sys/kernel", root);
    read_word(path, "hostname", name, 28); // A node's name has 27 characters at most.
    name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")] = '\0';
    const unsigned count = count_cpus(cpus);
    const unsigned workers = count > WORKERS_MAX ? WORKERS_MAX : count > 1 ? count - 1 : 1;
    fprintf(out,
            "# Made by weft config init: %u CPU%s, %llu MiB of memory.\n[node]\nname = \"%s\"\n\n"
            "[cores]\nworkers = %u\n",
            count, count == 1 ? "" : "s", total_kib / 1024, name[0] != '\0' ? name : "weft",
            workers);
}

int weft_run_config_init(struct weft_tool_call *call)
{
    const char *root = weft_tool_value(call, "root");
    struct card cards[CARDS_MAX];
    const size_t count = find_cards(root != NULL ? root : "", cards);

    print_machine(root != NULL ? root : "", call->tool->out);
    print_cards(cards, count, call->tool->out);
    return WEFT_EXIT_DONE;
}
