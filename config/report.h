// report.h: collecting what is wrong with a configuration. Private to config/.
#ifndef WEFT_CONFIG_REPORT_H
#define WEFT_CONFIG_REPORT_H

#include "config/config.h"
#include "config/toml.h"

// Notes one more error, with its source line out of `text`. Returns NULL when it is only counted.
struct weft_config_issue *weft_report_add(struct weft_config_report *report, const char *text,
                                          size_t length, uint16_t code, struct weft_toml_place at,
                                          uint32_t chars);

// Puts the errors that are kept in the order of the file.
void weft_report_sort(struct weft_config_report *report);

#endif // WEFT_CONFIG_REPORT_H
