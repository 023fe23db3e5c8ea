// sntp.h: the time from a server, or told to others: one packet each way (RFC 4330, version 4).
#ifndef WEFT_IMAGE_SNTP_H
#define WEFT_IMAGE_SNTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_SNTP_BYTES 48

// A request. The stamp in it is chance, not our time: it comes back, and whoever cannot see it
// cannot answer; and it tells nobody what our clock says.
void weft_sntp_request(uint8_t packet[WEFT_SNTP_BYTES], uint64_t chance);

// What the answer says: how far our clock is behind the server's. `sent_ns` and `received_ns` are
// our wall clock (since 1970) at either end. Returns 0; -EINVAL if it is no answer to that request;
// -EAGAIN if the server says that it does not know the time, or wants to be left alone; -ERANGE if
// its time is before `floor_s`, which has passed for certain.
int weft_sntp_offset(const uint8_t *bytes, size_t length, uint64_t chance, int64_t sent_ns,
                     int64_t received_ns, int64_t floor_s, int64_t *offset_ns);

// Of an answer that was good: how far its server is from a clock (1: it has one itself).
uint8_t weft_sntp_stratum(const uint8_t *bytes);
// Of the same: whether its server was set by the node `ip` itself. Then nobody knows the time.
bool weft_sntp_is_from(const uint8_t *bytes, uint32_t ip);

#define WEFT_SNTP_ALONE 10 // The stratum of a clock that was set by nobody but has a battery.

struct weft_sntp_clock {
    uint8_t stratum; // 0, or past 15: it does not know the time, and the answer says so.
    uint32_t set_by; // The address of the server that set it; 0: none did.
};

// Answers a question. `arrived_ns` and `now_ns` are our wall clock when it came, and now. False if
// it is none: an answer to an answer would come back for ever.
bool weft_sntp_answer(const uint8_t *bytes, size_t length, const struct weft_sntp_clock *clock,
                      int64_t arrived_ns, int64_t now_ns, uint8_t answer[WEFT_SNTP_BYTES]);

#endif // WEFT_IMAGE_SNTP_H
