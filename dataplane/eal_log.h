// eal_log.h: what DPDK says, line by line, instead of on our stderr.
//
// DPDK logs from any of its threads into a stdio stream. Here that stream ends in a small ring of
// lines under a mutex: nothing on a packet's way logs at the levels that are on.
#ifndef WEFT_DATAPLANE_EAL_LOG_H
#define WEFT_DATAPLANE_EAL_LOG_H

#include <stddef.h>

// Puts the stream in DPDK's place. Before rte_eal_init. 0 or -ENOMEM.
int weft_eal_log_open(void);

// Joins the lines that wait into `text` with "; ", as many as fit, and forgets them: for an error.
void weft_eal_log_join(char *text, size_t size);

#endif // WEFT_DATAPLANE_EAL_LOG_H
