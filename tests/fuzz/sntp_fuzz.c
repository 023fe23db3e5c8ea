// Any answer of a time server, and any question to one: an offset that leads to no time before the
// floor, or none.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/init/sntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOOR_S INT64_C(1790000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[WEFT_SNTP_BYTES + 16];
    const uint64_t chance = UINT64_C(0x1122334455667788);
    const int64_t now_ns = FLOOR_S * INT64_C(1000000000);
    int64_t offset_ns = 0;
    weft_sntp_offset(data, size, chance, now_ns, now_ns, FLOOR_S, &offset_ns);
    const struct weft_sntp_clock clock = {2, 1};
    uint8_t answer[WEFT_SNTP_BYTES], again[WEFT_SNTP_BYTES];
    if (weft_sntp_answer(data, size, &clock, now_ns, now_ns, answer) &&
        weft_sntp_answer(answer, sizeof(answer), &clock, now_ns, now_ns, again))
        abort(); // Two servers would never end.
    if (size < WEFT_SNTP_BYTES || size > sizeof(bytes)) return 0;
    uint8_t request[WEFT_SNTP_BYTES]; // And as if it answered what was asked.
    weft_sntp_request(request, chance);
    memcpy(bytes, data, size);
    memcpy(bytes + 24, request + 40, 8);
    if (weft_sntp_offset(bytes, size, chance, now_ns, now_ns, FLOOR_S, &offset_ns) == 0 &&
        offset_ns < -INT64_C(4000000000) * 1000000000)
        abort();
    return 0;
}
