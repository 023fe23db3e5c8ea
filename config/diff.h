// diff.h: which keys differ between two configurations, and what a change of each takes.
#ifndef WEFT_CONFIG_DIFF_H
#define WEFT_CONFIG_DIFF_H

#include "config/config.h"

// Prints `- KEY = OLD` and `+ KEY = NEW (reload class)` lines for what differs outside ports and
// units, whose tables are compared as a whole. Returns how many keys differ, or -ENOMEM.
int weft_config_diff(const struct weft_config *before, const struct weft_config *after, FILE *out);

#endif // WEFT_CONFIG_DIFF_H
