// registry.h: names for actors, and groups of them. Known on every core of the node.
#ifndef WEFT_REGISTRY_H
#define WEFT_REGISTRY_H

#include <weft/types.h>

#define WEFT_NAME_MAX 63 // Bytes of a name: 1 to 63, none of them below 33.

// Gives `pid` (0: the caller) a name, which it keeps until it ends. 0; -EEXIST: taken; -EINVAL: no
// such name can be; -ENOSPC: the table is full; -ESRCH: no such actor; -ENOMEM.
int weft_register(struct weft_actor *self, const char *name, weft_pid pid);
int weft_unregister(struct weft_actor *self, const char *name);         // 0, -ENOENT.
weft_pid weft_whereis(const struct weft_actor *self, const char *name); // 0: nobody.
// As weft_send; -ESRCH: nobody has that name.
int weft_send_named(struct weft_actor *self, const char *name, uint16_t type, const void *bytes,
                    size_t length);

// Joins the group, which is made by its first member and gone with its last. Leaving is by itself
// when an actor ends. 0; -EEXIST: it is a member; -EINVAL, -ENOSPC, -ENOMEM.
int weft_group_join(struct weft_actor *self, const char *group);
int weft_group_leave(struct weft_actor *self, const char *group); // 0, -ENOENT.
// Up to `limit` members into `pids`; how many there are.
size_t weft_group_members(const struct weft_actor *self, const char *group, weft_pid *pids,
                          size_t limit);
// Sends to each member but the caller. How many it went to.
size_t weft_group_send(struct weft_actor *self, const char *group, uint16_t type, const void *bytes,
                       size_t length);

#endif // WEFT_REGISTRY_H
