// fake_source.h: a node of constants, for tests of what the admin port makes of one.
#ifndef WEFT_TESTS_UNIT_ADMIN_FAKE_SOURCE_H
#define WEFT_TESTS_UNIT_ADMIN_FAKE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/admin/events.h"
#include "runtime/admin/logs.h"
#include "runtime/admin/source.h"

struct fake_node {
    struct weft_admin_source source;
    struct weft_admin_events events;
    struct weft_admin_logs logs;
    bool ready, stalled, draining;
    bool hold;                       // Keep commands instead of ending them.
    struct weft_admin_command *held; // The last one kept.
    struct weft_admin_fault fault;   // As last set.
    uint32_t captures_open;
    uint32_t capture_reads;
    uint32_t traces_open;
    uint32_t trace_reads;
    char eval_output[64];
};

// Two cores, one port, two peers, one unit "counter"; submit answers at once, unless `hold` is set.
// A trace of "counter" has a message after the second read, and its end. An evaluation of "bad"
// fails like Forth source; of anything else prints "8 ".
void fake_node_init(struct fake_node *fake);

#endif // WEFT_TESTS_UNIT_ADMIN_FAKE_SOURCE_H
