// cards.h: network cards: which is which, and who drives them, the kernel or DPDK through vfio-pci.
//
// All of it is files of /sys; `sys` is where they are, so that a test can bring its own.
#ifndef WEFT_IMAGE_CARDS_H
#define WEFT_IMAGE_CARDS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "image/init/say.h"

#define WEFT_CARDS_MAX 32

struct weft_card {
    char interface[16]; // "eth0"
    char mac[18];       // "52:54:00:12:34:56", in small letters.
    char pci[16];       // "0000:00:02.0"; "" if it is none of PCI.
};

struct weft_cards {
    struct weft_card list[WEFT_CARDS_MAX]; // In the order of the bus.
    size_t count;
};

// The cards that the kernel drives now.
void weft_cards_find(struct weft_cards *cards, const char *sys);

// By PCI address, MAC address or name. NULL if there is none.
const struct weft_card *weft_cards_named(const struct weft_cards *cards, const char *name);

// The port of `config` that has this card as pci: or mac:. NULL if none has it.
const struct weft_config_port *weft_cards_port_of(const struct weft_config *config,
                                                  const struct weft_card *card);

struct weft_cards_choice {               // What carries the kernel's own traffic.
    const struct weft_card *card;        // NULL: none that the kernel drives,
    const struct weft_config_port *port; // unless it shares this port, by its `kernel`. Or NULL.
    bool contradiction; // The configuration names a card for both, which nobody can mean.
    char why[256];      // There is neither; else "".
};

// The card that [admin] names, by itself or by the interface of a port that the kernel shares; else
// the first that no port has; else the first port that is shared.
void weft_cards_admin(const struct weft_cards *cards, const struct weft_config *config,
                      struct weft_cards_choice *choice);

// Turns each mac: into pci:, in `devices`, to which `config` points then. Returns 0, or -ENODEV
// with `why` when no card has that address.
int weft_cards_resolve(const struct weft_cards *cards, struct weft_config *config,
                       char devices[WEFT_CONFIG_PORTS_MAX][32], char why[256]);

// Is every port that names a PCI address a network card? Another device would lose its driver: with
// that of its disk a machine loses its root, at each start again. One that is not there is for
// weft_cards_bind to tell. Returns 0, or -EINVAL with `why`.
int weft_cards_check(const char *sys, const struct weft_config *config, char why[256]);

// What weft_cards_bind has done when it returns no error.
enum {
    WEFT_CARDS_GUARDED, // vfio-pci has the card, behind an IOMMU.
    WEFT_CARDS_TRUSTED, // It has it, but only trust keeps it out of memory that is not its own.
    WEFT_CARDS_BESIDE,  // It stays with mlx5_core: DPDK opens such a card beside it.
};

// Gives the card at `pci` to vfio-pci, unless it is one that stays: for this boot, and by its
// address alone, so that its twins stay where they are. Returns one of the above or a negative
// errno: -ENODEV if there is no such card, -ENOTSUP if it is one to stay whose driver this kernel
// does not have.
int weft_cards_bind(const char *sys, const char *pci);
// Gives it back to the kernel's own driver. 0, also if vfio-pci does not have it; or a negative
// errno.
int weft_cards_unbind(const char *sys, const char *pci);

#endif // WEFT_IMAGE_CARDS_H
