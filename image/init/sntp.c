#include "image/init/sntp.h"

#include <errno.h>
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/base/units.h"

enum {
    AT_MODE = 0,
    AT_STRATUM = 1,
    AT_POLL = 2,
    AT_PRECISION = 3,
    AT_DISPERSION = 8,
    AT_REFERENCE_ID = 12,
    AT_REFERENCE = 16,
    AT_ORIGIN = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40
};
#define MODE_CLIENT    3
#define MODE_SERVER    4
#define VERSION        4
#define UNSYNCHRONISED 3
#define EPOCH_S        INT64_C(2208988800) // From 1900 to 1970.
#define ERA_S          (INT64_C(1) << 32)  // The seconds wrap in 2036.

void weft_sntp_request(uint8_t packet[WEFT_SNTP_BYTES], uint64_t chance)
{
    memset(packet, 0, WEFT_SNTP_BYTES);
    packet[AT_MODE] = VERSION << 3 | MODE_CLIENT;
    weft_le64_put(packet + AT_TRANSMIT, chance);
}

// In the era that is nearest to `floor_s`: each second comes again after 136 years.
static int64_t wall_ns(const uint8_t *stamp, int64_t floor_s)
{
    int64_t seconds = (int64_t)weft_be32_get(stamp) - EPOCH_S;
    while (floor_s - seconds > ERA_S / 2) {
        seconds += ERA_S;
    }
    const uint64_t fraction = weft_be32_get(stamp + 4);
    return seconds * (int64_t)WEFT_NS_PER_S + (int64_t)(fraction * WEFT_NS_PER_S >> 32);
}

int weft_sntp_offset(const uint8_t *bytes, size_t length, uint64_t chance, int64_t sent_ns,
                     int64_t received_ns, int64_t floor_s, int64_t *offset_ns)
{
    if (length < WEFT_SNTP_BYTES || (bytes[AT_MODE] & 7) != MODE_SERVER) return -EINVAL;
    if (weft_le64_get(bytes + AT_ORIGIN) != chance) return -EINVAL;
    if (bytes[AT_MODE] >> 6 == UNSYNCHRONISED) return -EAGAIN;
    if (bytes[AT_STRATUM] == 0 || bytes[AT_STRATUM] > 15) return -EAGAIN;
    if (weft_be32_get(bytes + AT_TRANSMIT) == 0) return -EAGAIN;
    const int64_t arrived_ns = wall_ns(bytes + AT_RECEIVE, floor_s);
    const int64_t left_ns = wall_ns(bytes + AT_TRANSMIT, floor_s);
    // Both count: our clock will stand between them.
    if (arrived_ns < floor_s * (int64_t)WEFT_NS_PER_S || left_ns < arrived_ns) return -ERANGE;
    // Each of the two differences has half of the way in it, with opposite signs.
    *offset_ns = (arrived_ns - sent_ns) / 2 + (left_ns - received_ns) / 2;
    return 0;
}

uint8_t weft_sntp_stratum(const uint8_t *bytes)
{
    return bytes[AT_STRATUM];
}

bool weft_sntp_is_from(const uint8_t *bytes, uint32_t ip)
{
    // Of the first stratum it is not an address but four letters.
    return bytes[AT_STRATUM] > 1 && weft_be32_get(bytes + AT_REFERENCE_ID) == ip;
}

// ---- Telling.

static void put_stamp(uint8_t *stamp, int64_t ns)
{
    const int64_t second = (int64_t)WEFT_NS_PER_S;
    weft_be32_put(stamp, (uint32_t)(ns / second + EPOCH_S));
    weft_be32_put(stamp + 4, (uint32_t)(((uint64_t)(ns % second) << 32) / WEFT_NS_PER_S));
}

bool weft_sntp_answer(const uint8_t *bytes, size_t length, const struct weft_sntp_clock *clock,
                      int64_t arrived_ns, int64_t now_ns, uint8_t answer[WEFT_SNTP_BYTES])
{
    if (length < WEFT_SNTP_BYTES || (bytes[AT_MODE] & 7) != MODE_CLIENT) return false;
    const uint8_t version = bytes[AT_MODE] >> 3 & 7;
    if (version == 0 || version > VERSION) return false;
    const bool knows = clock->stratum > 0 && clock->stratum < 16;
    memset(answer, 0, WEFT_SNTP_BYTES);
    answer[AT_MODE] = (uint8_t)((knows ? 0 : UNSYNCHRONISED) << 6 | version << 3 | MODE_SERVER);
    answer[AT_STRATUM] = knows ? clock->stratum : 0;
    answer[AT_POLL] = bytes[AT_POLL];
    answer[AT_PRECISION] = (uint8_t)-10;             // A millisecond: the loop's turn is in it.
    weft_be32_put(answer + AT_DISPERSION, 1u << 13); // An eighth of a second, to be modest.
    if (knows && clock->set_by != 0)
        weft_be32_put(answer + AT_REFERENCE_ID, clock->set_by);
    else
        memcpy(answer + AT_REFERENCE_ID, knows ? "LOCL" : "INIT", 4);
    memcpy(answer + AT_ORIGIN, bytes + AT_TRANSMIT, 8);
    if (!knows) return true; // Without a time in it.
    put_stamp(answer + AT_REFERENCE, now_ns);
    put_stamp(answer + AT_RECEIVE, arrived_ns);
    put_stamp(answer + AT_TRANSMIT, now_ns);
    return true;
}
