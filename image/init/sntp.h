// sntp.h: the time from a server, one packet each way (RFC 4330, version 4).
#ifndef WEFT_IMAGE_SNTP_H
#define WEFT_IMAGE_SNTP_H

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

#endif // WEFT_IMAGE_SNTP_H
