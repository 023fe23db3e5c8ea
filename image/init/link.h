// link.h: the kernel's own network interfaces: up, with an address and a way out.
//
// By ioctl (netdevice(7)): IPv4 only, as the rest of Weft, and no more than four calls.
// Addresses are in host order: 10.42.0.1 is 0x0a2a0001.
#ifndef WEFT_IMAGE_LINK_H
#define WEFT_IMAGE_LINK_H

#include <stdbool.h>
#include <stdint.h>

// All return 0 or a negative errno.
int weft_link_up(const char *name); // With ARP.
// Up without ARP and IPv6: nobody learns from it where this machine is.
int weft_link_up_silent(const char *name);
int weft_link_set_address(const char *name, uint32_t ip, uint32_t prefix);
// The route to everything else; one through another gateway on this interface goes.
int weft_link_set_gateway(const char *name, uint32_t gateway);
int weft_link_mac(const char *name, uint8_t mac[6]);
int weft_link_index(const char *name, int *index);

// A TAP interface that lasts, with this MAC address or, for NULL, one by lot: the kernel's side of
// a port that it shares. It has a carrier while weftd has it open (dataplane/tap.h).
int weft_link_make_tap(const char *name, const uint8_t mac[6]);
int weft_link_remove_tap(const char *name);

// Has it a carrier? Without one, DHCP has nobody to talk to.
bool weft_link_has_carrier(const char *name);

#endif // WEFT_IMAGE_LINK_H
