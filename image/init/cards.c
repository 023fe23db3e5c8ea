#include "image/init/cards.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/init/text_file.h"

// "0000:00:02.0"
static bool is_pci_address(const char *text)
{
    static const char form[] = "xxxx:xx:xx.x";
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i]) return false;
    }
    return text[12] == '\0';
}

// The last PCI address in the path of a device: a virtio card lies one below its PCI device.
static void find_pci(const char *sys, const char *interface, char pci[16])
{
    char path[PATH_MAX], whole[PATH_MAX];
    pci[0] = '\0';
    snprintf(path, sizeof(path), "%s/class/net/%s/device", sys, interface);
    if (realpath(path, whole) == NULL) return;
    for (char *part = strtok(whole, "/"); part != NULL; part = strtok(NULL, "/")) {
        if (is_pci_address(part)) snprintf(pci, 16, "%.15s", part);
    }
}

static int by_bus(const void *a, const void *b)
{
    const struct weft_card *one = a, *other = b;
    const int order = strcmp(one->pci, other->pci);
    return order != 0 ? order : strcmp(one->interface, other->interface);
}

void weft_cards_find(struct weft_cards *cards, const char *sys)
{
    char path[PATH_MAX], mac[64]; // InfiniBand's are longer; they are no one's port.
    cards->count = 0;
    snprintf(path, sizeof(path), "%s/class/net", sys);
    DIR *directory = opendir(path);
    if (directory == NULL) return;
    for (const struct dirent *entry;
         cards->count < WEFT_CARDS_MAX && (entry = readdir(directory)) != NULL;) {
        struct weft_card *card = &cards->list[cards->count];
        snprintf(path, sizeof(path), "%s/class/net/%s/device", sys, entry->d_name);
        if (entry->d_name[0] == '.' || access(path, F_OK) != 0) continue; // Loopback, tunnels.
        if (strlen(entry->d_name) >= sizeof(card->interface)) continue;
        snprintf(card->interface, sizeof(card->interface), "%.15s", entry->d_name);
        snprintf(path, sizeof(path), "%s/class/net/%s/address", sys, entry->d_name);
        weft_text_file_line(path, mac, sizeof(mac));
        snprintf(card->mac, sizeof(card->mac), "%.17s", mac);
        find_pci(sys, card->interface, card->pci);
        cards->count++;
    }
    closedir(directory);
    qsort(cards->list, cards->count, sizeof(cards->list[0]), by_bus);
}

// "pci:00:02.0" as lspci prints it, without the domain, means the same.
static bool is_pci(const char *text, const char *pci)
{
    if (pci[0] == '\0') return false;
    return strcasecmp(text, pci) == 0 ||
           (strncmp(pci, "0000:", 5) == 0 && strcasecmp(text, pci + 5) == 0);
}

const struct weft_card *weft_cards_named(const struct weft_cards *cards, const char *name)
{
    for (size_t i = 0; i < cards->count; i++) {
        const struct weft_card *card = &cards->list[i];
        if (strcmp(name, card->interface) == 0 || strcasecmp(name, card->mac) == 0 ||
            is_pci(name, card->pci))
            return card;
    }
    return NULL;
}

static bool is_card_of(const struct weft_card *card, const struct weft_config_port *port)
{
    const char *device = port->device;
    if (strncmp(device, "pci:", 4) == 0) return is_pci(device + 4, card->pci);
    return strncmp(device, "mac:", 4) == 0 && strcasecmp(device + 4, card->mac) == 0;
}

const struct weft_config_port *weft_cards_port_of(const struct weft_config *config,
                                                  const struct weft_card *card)
{
    for (size_t i = 0; i < config->port_count; i++) {
        if (is_card_of(card, &config->ports[i])) return &config->ports[i];
    }
    return NULL;
}

static void share(const struct weft_cards *cards, const struct weft_config_port *port,
                  struct weft_cards_choice *choice)
{
    choice->port = port;
    for (size_t i = 0; i < cards->count; i++) {
        if (is_card_of(&cards->list[i], port)) choice->card = &cards->list[i];
    }
}

static const struct weft_config_port *port_shared_as(const struct weft_config *config,
                                                     const char *interface)
{
    for (size_t i = 0; i < config->port_count; i++) {
        const struct weft_config_port *port = &config->ports[i];
        if (port->kernel[0] != '\0' && (interface == NULL || strcmp(port->kernel, interface) == 0))
            return port;
    }
    return NULL;
}

static void choose_by_name(const struct weft_cards *cards, const struct weft_config *config,
                           struct weft_cards_choice *choice)
{
    const char *name = config->admin.interface;
    const struct weft_card *card = weft_cards_named(cards, name);
    const struct weft_config_port *port =
        card != NULL ? weft_cards_port_of(config, card) : port_shared_as(config, name);
    if (port != NULL && port->kernel[0] != '\0') {
        share(cards, port, choice);
    } else if (card == NULL) {
        snprintf(choice->why, sizeof(choice->why), "admin.interface: there is no network card %s",
                 name);
    } else if (port == NULL) {
        choice->card = card;
    } else {
        choice->contradiction = true;
        snprintf(choice->why, sizeof(choice->why),
                 "the card %s (%s, %s) is both port %s and the admin port's: a card that DPDK "
                 "drives carries no admin traffic; name another, or let the kernel share the port "
                 "with ports.%s.kernel = \"weft0\"",
                 card->interface, card->pci, card->mac, port->name, port->name);
    }
}

void weft_cards_admin(const struct weft_cards *cards, const struct weft_config *config,
                      struct weft_cards_choice *choice)
{
    *choice = (struct weft_cards_choice){.why = ""};
    if (config->admin.interface[0] != '\0') {
        choose_by_name(cards, config, choice);
        return;
    }
    for (size_t i = 0; choice->card == NULL && i < cards->count; i++) {
        if (weft_cards_port_of(config, &cards->list[i]) == NULL) choice->card = &cards->list[i];
    }
    const struct weft_config_port *port = port_shared_as(config, NULL);
    if (choice->card == NULL && port != NULL) share(cards, port, choice);
    if (choice->card != NULL || choice->port != NULL) return;
    snprintf(choice->why, sizeof(choice->why), "%s",
             cards->count == 0 ? "there is no network card that the kernel drives: the admin port "
                                 "is not on any network"
                               : "every network card is a port: none is left for the admin port, "
                                 "which is not on any network; ports.NAME.kernel = \"weft0\" lets "
                                 "it share one");
}

int weft_cards_resolve(const struct weft_cards *cards, struct weft_config *config,
                       char devices[WEFT_CONFIG_PORTS_MAX][32], char why[256])
{
    for (size_t i = 0; i < config->port_count; i++) {
        struct weft_config_port *port = &config->ports[i];
        if (strncmp(port->device, "mac:", 4) != 0) continue;
        const struct weft_card *card = weft_cards_named(cards, port->device + 4);
        if (card == NULL || card->pci[0] == '\0') {
            snprintf(why, 256,
                     "port %s: no PCI card with a driver of the kernel's has the address %s",
                     port->name, port->device + 4);
            return -ENODEV;
        }
        snprintf(devices[i], sizeof(devices[i]), "pci:%s", card->pci);
        port->device = devices[i];
    }
    return 0;
}

// ---- Who drives it.

static bool driver_is(const char *sys, const char *pci, const char *driver)
{
    char path[PATH_MAX], target[PATH_MAX];
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sys, pci);
    const ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length <= 0) return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return strcmp(slash != NULL ? slash + 1 : target, driver) == 0;
}

static int set(const char *sys, const char *pci, const char *file, const char *text)
{
    char path[PATH_MAX];
    if (pci != NULL)
        snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", sys, pci, file);
    else
        snprintf(path, sizeof(path), "%s/bus/pci/%s", sys, file);
    return weft_text_file_set(path, text);
}

// `driver`: whose it is to be; "" for whoever of the kernel's takes it. 0 or a negative errno.
static int give_to(const char *sys, const char *pci, const char *driver)
{
    int result = set(sys, pci, "driver_override", driver[0] != '\0' ? driver : "\n");
    if (result != 0) return result;
    result = set(sys, pci, "driver/unbind", pci);
    if (result != 0 && result != -ENOENT) return result; // Nobody had it.
    return set(sys, NULL, "drivers_probe", pci);
}

static int give_to_vfio(const char *sys, const char *pci)
{
    const int result = give_to(sys, pci, "vfio-pci");
    if (result != 0) return result;
    return driver_is(sys, pci, "vfio-pci") ? 0 : -ENXIO;
}

// "00:02.0" becomes "0000:00:02.0". False: it is no card of this machine, and `*result` says why.
static bool find_device(const char *sys, const char *pci, char whole[32], int *result)
{
    char path[PATH_MAX];
    snprintf(whole, 32, "%s%.20s", strlen(pci) == 7 ? "0000:" : "", pci);
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", sys, whole);
    *result = !is_pci_address(whole) ? -EINVAL : access(path, F_OK) != 0 ? -ENODEV : 0;
    return *result == 0;
}

int weft_cards_check(const char *sys, const struct weft_config *config, char why[256])
{
    for (size_t i = 0; i < config->port_count; i++) {
        const struct weft_config_port *port = &config->ports[i];
        char path[PATH_MAX], class[16], whole[32];
        int result;
        if (strncmp(port->device, "pci:", 4) != 0) continue;
        if (!find_device(sys, port->device + 4, whole, &result)) continue;
        snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/class", sys, whole);
        // The base class of network controllers is 2 (PCI Code and ID Assignment, 1.2).
        if (weft_text_file_line(path, class, sizeof(class)) != 0 || strncmp(class, "0x02", 4) == 0)
            continue;
        snprintf(why, 256, "port %s: %s is no network card: its PCI class is %s", port->name,
                 port->device, class);
        return -EINVAL;
    }
    return 0;
}

int weft_cards_unbind(const char *sys, const char *pci)
{
    char whole[32];
    int result;
    if (!find_device(sys, pci, whole, &result)) return result;
    return driver_is(sys, whole, "vfio-pci") ? give_to(sys, whole, "") : 0;
}

// NVIDIA's cards (Mellanox's number at the PCI SIG). DPDK has no driver for them that vfio-pci
// could serve: its own goes through the kernel's, by InfiniBand's calls (DPDK's guide of mlx5,
// Design).
static bool stays_with_kernel(const char *sys, const char *pci)
{
    char path[PATH_MAX], vendor[16];
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/vendor", sys, pci);
    return weft_text_file_line(path, vendor, sizeof(vendor)) == 0 && strcmp(vendor, "0x15b3") == 0;
}

int weft_cards_bind(const char *sys, const char *pci)
{
    char path[PATH_MAX], whole[32];
    int result;
    if (!find_device(sys, pci, whole, &result)) return result;
    if (stays_with_kernel(sys, whole))
        return driver_is(sys, whole, "mlx5_core") ? WEFT_CARDS_BESIDE : -ENOTSUP;
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/iommu_group", sys, whole);
    const bool is_guarded = access(path, F_OK) == 0;
    if (!is_guarded) { // Else vfio-pci would refuse the card (CONFIG_VFIO_NOIOMMU).
        snprintf(path, sizeof(path), "%s/module/vfio/parameters/enable_unsafe_noiommu_mode", sys);
        result = weft_text_file_set(path, "Y");
        if (result != 0) return result;
    }
    result = driver_is(sys, whole, "vfio-pci") ? 0 : give_to_vfio(sys, whole);
    if (result != 0) return result;
    return is_guarded ? WEFT_CARDS_GUARDED : WEFT_CARDS_TRUSTED;
}
