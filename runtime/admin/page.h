// page.h: the status page at `/`: plain HTML made from the JSON documents, no script, nothing from
// outside; it reloads itself.
#ifndef WEFT_ADMIN_PAGE_H
#define WEFT_ADMIN_PAGE_H

#include <stddef.h>

#include "runtime/admin/source.h"

// The page; the caller frees. NULL without memory.
char *weft_page_print(const struct weft_admin_source *source, size_t *length);

extern const char weft_page_style[]; // /weft.css

#endif // WEFT_ADMIN_PAGE_H
