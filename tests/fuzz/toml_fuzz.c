// Any bytes as a configuration: they are refused or understood, and never read past their end.
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_config config;
    struct weft_config_report report;
    weft_config_parse(&config, (const char *)data, size, "fuzz", &report);
    weft_config_free(&config);
    weft_config_report_free(&report);
    return 0;
}
