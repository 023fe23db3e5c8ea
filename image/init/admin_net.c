#include "image/init/admin_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "image/init/boot.h"
#include "image/init/link.h"
#include "image/init/net_time.h"
#include "image/init/report.h"

#define CARRIER_NS  (100 * WEFT_NS_PER_MS)
#define ANNOUNCE_NS (1 * WEFT_NS_PER_S) // RFC 6762, section 8.3: twice, a second apart.

static struct sockaddr_in endpoint(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(ip)};
}

static void address_text(uint32_t ip, char text[INET_ADDRSTRLEN])
{
    const struct in_addr address = {htonl(ip)};
    inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static uint64_t chance(void)
{
    uint64_t bits = 0;
    // Before the kernel has any it gives what it has: enough against an accident.
    if (getrandom(&bits, sizeof(bits), GRND_INSECURE) != (ssize_t)sizeof(bits))
        bits = (uint64_t)time(NULL) << 32 ^ (uint64_t)(uintptr_t)&bits;
    return bits;
}

static int open_udp(const char *interface, uint16_t port)
{
    const int on = 1;
    const struct sockaddr_in own = endpoint(0, port);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1) ==
            0 &&
        bind(fd, (const struct sockaddr *)&own, sizeof(own)) == 0)
        return fd;
    const int failure = -errno;
    close(fd);
    return failure;
}

// ---- The name.

static void send_to_group(struct weft_admin_net *net, const uint8_t *packet, size_t length)
{
    const struct sockaddr_in group = endpoint(WEFT_MDNS_GROUP, WEFT_MDNS_PORT);
    (void)!sendto(net->mdns_fd, packet, length, 0, (const struct sockaddr *)&group, sizeof(group));
}

static void announce(void *self)
{
    struct weft_admin_net *net = self;
    uint8_t packet[WEFT_MDNS_PACKET_MAX];
    if (!weft_link_has_carrier(net->interface)) { // A fixed address is there before anybody hears.
        weft_loop_after(&net->boot->loop, &net->mdns_timer, CARRIER_NS);
        return;
    }
    send_to_group(net, packet, weft_mdns_announce(&net->mdns, false, packet));
    if (net->announcements_left-- > 1)
        weft_loop_after(&net->boot->loop, &net->mdns_timer, ANNOUNCE_NS);
}

static void take_query(void *self, short events)
{
    struct weft_admin_net *net = self;
    uint8_t bytes[1500], packet[WEFT_MDNS_PACKET_MAX];
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    bool unicast = false;
    (void)events;
    const ssize_t length =
        recvfrom(net->mdns_fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
    if (length <= 0) return;
    const size_t answer =
        weft_mdns_answer(&net->mdns, bytes, (size_t)length, ntohs(from.sin_port), packet, &unicast);
    if (answer == 0) return;
    if (unicast)
        (void)!sendto(net->mdns_fd, packet, answer, 0, (const struct sockaddr *)&from, size);
    else
        send_to_group(net, packet, answer);
}

static void close_fd(struct weft_admin_net *net, int *fd)
{
    if (*fd < 0) return;
    weft_loop_unwatch(&net->boot->loop, *fd);
    close(*fd);
    *fd = -1;
}

static int open_mdns(struct weft_admin_net *net)
{
    const int ttl = 255; // RFC 6762, section 11.
    struct ip_mreqn group = {.imr_multiaddr.s_addr = htonl(WEFT_MDNS_GROUP)};
    const int fd = open_udp(net->interface, WEFT_MDNS_PORT);
    if (fd < 0) return fd;
    weft_link_index(net->interface, &group.imr_ifindex);
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof(group));
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
    setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
        const int failure = -errno;
        close(fd);
        return failure;
    }
    net->mdns_fd = fd;
    return weft_loop_watch(&net->boot->loop, fd, POLLIN, take_query, net);
}

static void start_mdns(struct weft_admin_net *net)
{
    const struct weft_boot *boot = net->boot;
    const uint32_t port = boot->config->admin.listen_endpoint.port;
    net->mdns.ip = net->ip;
    net->mdns.port = port > 0 ? (uint16_t)port : 9338;
    snprintf(net->mdns.host, sizeof(net->mdns.host), "%s", boot->hostname);
    snprintf(net->mdns.version, sizeof(net->mdns.version), "%s", boot->version);
    if (net->mdns_fd < 0) {
        const int result = open_mdns(net);
        if (result != 0)
            weft_say_error(&net->boot->say, "no mDNS on %s: %s", net->interface, strerror(-result));
    }
    net->announcements_left = 2;
    if (net->mdns_fd >= 0) announce(net);
}

// ---- The address.

// Each side of a shared card answers for its own address.
static void check_twin(struct weft_admin_net *net, uint32_t ip)
{
    const struct weft_config *config = net->boot->config;
    for (size_t i = 0; i < config->port_count; i++) {
        if (config->ports[i].address.ip == ip)
            weft_say_error(&net->boot->say,
                           "%s has got the address of port %s: give the port one that the network "
                           "does not hand out",
                           net->interface, config->ports[i].name);
    }
}

static void use_address(struct weft_admin_net *net, uint32_t ip, uint32_t prefix, uint32_t gateway,
                        const char *how)
{
    struct weft_boot *boot = net->boot;
    char text[INET_ADDRSTRLEN];
    const uint8_t *mac = net->mac;
    int result = weft_link_set_address(net->interface, ip, prefix);
    if (result == 0) result = weft_link_set_gateway(net->interface, gateway);
    if (result != 0) {
        weft_say_error(&boot->say, "%s takes no address: %s", net->interface, strerror(-result));
        return;
    }
    net->ip = ip;
    net->prefix = prefix;
    address_text(ip, text);
    snprintf(boot->address, sizeof(boot->address),
             "%s/%u %s on %s (%02x:%02x:%02x:%02x:%02x:%02x), %s.local", text, prefix, how,
             net->interface, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], boot->hostname);
    check_twin(net, ip);
    weft_say_line(&boot->say, "admin port: %s", boot->address);
    start_mdns(net);
    weft_net_time_start(boot, ip, net->dhcp.lease.time_servers, net->dhcp.lease.time_server_count);
    weft_report_soon(boot);
}

static void lose_address(struct weft_admin_net *net)
{
    weft_say_error(&net->boot->say, "%s has lost its address: the lease has ended", net->interface);
    weft_link_set_address(net->interface, 0, 0);
    close_fd(net, &net->mdns_fd);
    weft_loop_cancel(&net->mdns_timer);
    weft_net_time_stop(net->boot);
    net->ip = 0;
    net->boot->address[0] = '\0';
    weft_report_soon(net->boot);
}

static void follow(struct weft_admin_net *net, enum weft_dhcp_event event, const uint8_t *packet,
                   size_t length, uint32_t to)
{
    const struct weft_dhcp_lease *lease = &net->dhcp.lease;
    if (event == WEFT_DHCP_LOST) lose_address(net);
    if (length > 0) {
        const struct sockaddr_in address = endpoint(to, 67);
        (void)!sendto(net->dhcp_fd, packet, length, 0, (const struct sockaddr *)&address,
                      sizeof(address));
    }
    if (event == WEFT_DHCP_CONFIGURED)
        use_address(net, lease->ip, lease->prefix, lease->gateway, "by DHCP");
    const uint64_t now_ns = net->boot->loop.now_ns;
    weft_loop_after(&net->boot->loop, &net->dhcp_timer,
                    net->dhcp.due_ns > now_ns ? net->dhcp.due_ns - now_ns : 0);
}

// With the carrier comes the MAC address, if it is that of a card whose kernel driver we lack.
static void begin_dhcp(struct weft_admin_net *net)
{
    struct weft_boot *boot = net->boot;
    weft_link_mac(net->interface, net->mac);
    weft_dhcp_init(&net->dhcp, net->mac, boot->hostname, (uint32_t)chance(), boot->loop.now_ns);
    net->dhcp_begun = true;
}

static void tick(void *self)
{
    struct weft_admin_net *net = self;
    uint8_t packet[WEFT_DHCP_PACKET_MAX];
    size_t length;
    uint32_t to;
    if (!weft_link_has_carrier(
            net->interface)) { // Nobody would hear it, and the wait would double.
        weft_loop_after(&net->boot->loop, &net->dhcp_timer, CARRIER_NS);
        return;
    }
    if (!net->dhcp_begun) begin_dhcp(net);
    const enum weft_dhcp_event event =
        weft_dhcp_tick(&net->dhcp, net->boot->loop.now_ns, packet, &length, &to);
    follow(net, event, packet, length, to);
}

static void take_reply(void *self, short events)
{
    struct weft_admin_net *net = self;
    uint8_t bytes[1500], packet[WEFT_DHCP_PACKET_MAX];
    size_t packet_length;
    uint32_t to;
    (void)events;
    const ssize_t length = recv(net->dhcp_fd, bytes, sizeof(bytes), 0);
    if (length <= 0) return;
    const enum weft_dhcp_event event = weft_dhcp_receive(
        &net->dhcp, bytes, (size_t)length, net->boot->loop.now_ns, packet, &packet_length, &to);
    follow(net, event, packet, packet_length, to);
}

static void start_dhcp(struct weft_admin_net *net)
{
    struct weft_boot *boot = net->boot;
    net->dhcp_fd = open_udp(net->interface, 68);
    if (net->dhcp_fd < 0) {
        weft_say_error(&boot->say, "no DHCP on %s: %s", net->interface, strerror(-net->dhcp_fd));
        return;
    }
    weft_loop_watch(&boot->loop, net->dhcp_fd, POLLIN, take_reply, net);
    weft_loop_after(&boot->loop, &net->dhcp_timer, 0);
}

void weft_admin_net_start(struct weft_boot *boot)
{
    struct weft_admin_net *net = &boot->net;
    const struct weft_config_address *fixed = &boot->config->admin.static_address;
    *net = (struct weft_admin_net){.boot = boot, .dhcp_fd = -1, .mdns_fd = -1};
    weft_loop_timer_init(&net->dhcp_timer, tick, net);
    weft_loop_timer_init(&net->mdns_timer, announce, net);
    weft_net_time_init(boot);
    const struct weft_cards_choice *admin = &boot->admin;
    if (strcmp(boot->config->admin.address, "off") == 0) return;
    if (admin->card == NULL && admin->port == NULL) return;
    snprintf(net->interface, sizeof(net->interface), "%s",
             admin->port != NULL ? admin->port->kernel : admin->card->interface);
    int result = weft_link_up(net->interface);
    if (result == 0) result = weft_link_mac(net->interface, net->mac);
    if (result != 0)
        weft_say_error(&boot->say, "%s does not come up: %s", net->interface, strerror(-result));
    else if (fixed->ip != 0)
        use_address(net, fixed->ip, fixed->prefix, boot->config->admin.gateway, "fixed");
    else
        start_dhcp(net);
}

void weft_admin_net_stop(struct weft_boot *boot)
{
    struct weft_admin_net *net = &boot->net;
    close_fd(net, &net->dhcp_fd);
    close_fd(net, &net->mdns_fd);
    weft_loop_cancel(&net->dhcp_timer);
    weft_loop_cancel(&net->mdns_timer);
    weft_net_time_stop(boot);
    boot->address[0] = '\0';
}

void weft_admin_net_leave(struct weft_boot *boot)
{
    uint8_t packet[WEFT_MDNS_PACKET_MAX];
    if (boot->net.mdns_fd >= 0 && boot->net.ip != 0)
        send_to_group(&boot->net, packet, weft_mdns_announce(&boot->net.mdns, true, packet));
}
