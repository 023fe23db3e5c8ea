// Any bytes as a frame that comes through the lab's switch: understood or left, never read beyond.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "runtime/lab/frame_probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_lab_frame_client client = {.mac = {2, 0x77, 0, 0, 0, 1},
                                           .ip = 0x0a4d0001,
                                           .peer_ip = 0x0a4d000b,
                                           .port = 42001,
                                           .peer_port = 4200};
    const uint8_t *payload = NULL;
    size_t length = 0;
    const enum weft_lab_frame_kind kind =
        weft_lab_frame_read(&client, data, size, &payload, &length);

    if (kind == WEFT_LAB_FRAME_UDP || kind == WEFT_LAB_FRAME_ECHO) {
        if (payload < data || length > size || payload + length > data + size) abort();
    }
    return 0;
}
