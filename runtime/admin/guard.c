#include "runtime/admin/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool weft_guard_host(const char *host, uint16_t port)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    char suffix[8];

    if (host == NULL) return false;
    snprintf(suffix, sizeof(suffix), ":%u", (unsigned)port);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const size_t length = strlen(names[i]);
        if (strncasecmp(host, names[i], length) != 0) continue;
        if (strcmp(host + length, suffix) == 0) return true;
        if (port == 80 && host[length] == '\0') return true; // The scheme's own port is left out.
    }
    return false;
}

bool weft_guard_origin(const char *origin, uint16_t port)
{
    if (origin == NULL) return true;
    return strncmp(origin, "http://", 7) == 0 && weft_guard_host(origin + 7, port);
}

bool weft_guard_write(const struct weft_guard_peer *peer)
{
    if (peer->uid == peer->overflow_uid && !peer->overflow_mapped) return false;
    return peer->uid == 0 || peer->uid == peer->own_uid;
}

static bool uid_mapped(uint32_t uid)
{
    unsigned inside, outside, count;
    bool mapped = false;
    FILE *map = fopen("/proc/self/uid_map", "re");

    if (map == NULL) return false;
    while (fscanf(map, "%u %u %u", &inside, &outside, &count) == 3) {
        if (uid >= inside && uid - inside < count) mapped = true;
    }
    fclose(map);
    return mapped;
}

void weft_guard_peer_init(struct weft_guard_peer *peer)
{
    FILE *overflow = fopen("/proc/sys/kernel/overflowuid", "re");

    *peer = (struct weft_guard_peer){.own_uid = geteuid(), .overflow_uid = 65534};
    if (overflow != NULL) {
        unsigned uid;
        if (fscanf(overflow, "%u", &uid) == 1) peer->overflow_uid = uid;
        fclose(overflow);
    }
    peer->overflow_mapped = uid_mapped(peer->overflow_uid);
}
