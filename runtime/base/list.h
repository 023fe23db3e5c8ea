// list.h: an intrusive doubly linked ring. A link that is in no list points to itself.
// Owned by one core; nothing here allocates, locks or is atomic.
#ifndef WEFT_BASE_LIST_H
#define WEFT_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/units.h"

struct weft_list {
    struct weft_list *next;
    struct weft_list *prev;
};

static inline void weft_list_init(struct weft_list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool weft_list_empty(const struct weft_list *list)
{
    return list->next == list;
}

static inline void weft_list_append(struct weft_list *list, struct weft_list *link)
{
    struct weft_list *last = list->prev;
    link->prev = last;
    link->next = list;
    last->next = link;
    list->prev = link;
}

static inline void weft_list_prepend(struct weft_list *list, struct weft_list *link)
{
    weft_list_append(list->next, link);
}

// Takes `link` out of whatever list it is in; it is alone afterwards. Harmless when it is alone
// already.
static inline void weft_list_remove(struct weft_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    weft_list_init(link);
}

// The first link, taken out; NULL if there is none.
static inline struct weft_list *weft_list_pop(struct weft_list *list)
{
    if (weft_list_empty(list)) return NULL;
    struct weft_list *first = list->next;
    weft_list_remove(first);
    return first;
}

// Walks `list` with `link`; the current link may be removed in the body.
#define WEFT_LIST_FOR_EACH(link, list)                                                             \
    for (struct weft_list *link = (list)->next, *link##_next = link->next; link != (list);         \
         link = link##_next, link##_next = link->next)

#endif // WEFT_BASE_LIST_H
