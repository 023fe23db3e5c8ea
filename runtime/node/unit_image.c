// unit_image.c: a unit as the journal and files hold it: "WFUA", version, ports, id, ties, then the
// unit's own image (forth/unit.h).
#include <errno.h>
#include <string.h>

#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/node/unit_actor.h"
#include "runtime/node/unit_ties.h"

#define MAGIC    UINT32_C(0x41554657)
#define VERSION  2
#define HEAD_OLD (8 + 2 * WEFT_UNIT_PORTS_MAX) // Of version 1, which had no ties.
#define HEAD     (HEAD_OLD + 16)

enum { AT_ID = HEAD_OLD, AT_TIES = AT_ID + 8, AT_CRC = AT_TIES + 4 };

void weft_unit_flow_put(uint8_t *to, const struct weft_udp_flow *flow)
{
    weft_le32_put(to, flow->destination);
    weft_le16_put(to + 4, flow->destination_port);
    weft_le16_put(to + 6, flow->source_port);
}

void weft_unit_flow_get(const uint8_t *from, struct weft_udp_flow *flow)
{
    *flow = (struct weft_udp_flow){.destination = weft_le32_get(from),
                                   .destination_port = weft_le16_get(from + 4),
                                   .source_port = weft_le16_get(from + 6),
                                   .port = WEFT_UDP_ANY_PORT};
}

size_t weft_unit_actor_image_bytes(struct weft_unit_actor *unit)
{
    return HEAD + weft_unit_ties_bytes(unit) + weft_unit_image_bytes(unit->unit);
}

static uint32_t crc_of(const uint8_t *image, size_t ties_bytes)
{
    return weft_crc32c(weft_crc32c(0, image, AT_CRC), image + HEAD, ties_bytes);
}

int weft_unit_actor_image_write(struct weft_unit_actor *unit, uint8_t *to, size_t bytes)
{
    if (bytes < HEAD) return -ENOSPC;
    memset(to, 0, HEAD);
    weft_le32_put(to, MAGIC);
    weft_le16_put(to + 4, VERSION);
    weft_le16_put(to + 6, (uint16_t)unit->port_count);
    for (uint32_t i = 0; i < unit->port_count; i++) {
        weft_le16_put(to + 8 + 2 * i, unit->ports[i]);
    }
    const int64_t ties = weft_unit_ties_write(unit, to + HEAD, bytes - HEAD);
    if (ties < 0) return (int)ties;
    weft_le64_put(to + AT_ID, unit->id);
    weft_le32_put(to + AT_TIES, (uint32_t)ties);
    weft_le32_put(to + AT_CRC, crc_of(to, (size_t)ties));
    const size_t head = HEAD + (size_t)ties;
    const int64_t put = weft_unit_save(unit->unit, to + head, bytes - head);
    return put < 0 ? (int)put : 0;
}

// What version 2 has beside the ports. NULL, or what is wrong.
static const char *split(struct weft_span image, struct weft_unit_parts *parts)
{
    if (image.length < HEAD) return "it is cut off";
    const uint32_t ties = weft_le32_get(image.data + AT_TIES);
    if (ties > image.length - HEAD) return "it is cut off";
    if (crc_of(image.data, ties) != weft_le32_get(image.data + AT_CRC))
        return "its checksum is wrong";
    parts->id = weft_le64_get(image.data + AT_ID);
    if (parts->id >> 63 != 0) return "its id is none that a unit can have";
    parts->ties = weft_span_of(image.data + HEAD, ties);
    parts->unit = weft_span_of(image.data + HEAD + ties, image.length - HEAD - ties);
    return weft_unit_ties_quota(parts->ties, &parts->quota) == 0
               ? NULL
               : "it has a quota that none can have";
}

int weft_unit_actor_image_read(struct weft_span image, struct weft_unit_parts *parts,
                               const char **wrong)
{
    *parts = (struct weft_unit_parts){0};
    *wrong = "it is no unit's state";
    if (image.length < HEAD_OLD || weft_le32_get(image.data) != MAGIC) return -EBADMSG;
    const uint16_t version = weft_le16_get(image.data + 4);
    *wrong = "it is of another version";
    if (version < 1 || version > VERSION) return -EPROTONOSUPPORT;
    parts->unit = weft_span_of(image.data + HEAD_OLD, image.length - HEAD_OLD);
    *wrong = version == VERSION ? split(image, parts) : NULL;
    if (*wrong != NULL) return -EBADMSG;
    *wrong = "it has more UDP ports than a unit may bind";
    parts->port_count = weft_le16_get(image.data + 6);
    if (parts->port_count > WEFT_UNIT_PORTS_MAX) return -EBADMSG;
    for (uint32_t i = 0; i < parts->port_count; i++)
        parts->ports[i] = weft_le16_get(image.data + 8 + 2 * i);
    *wrong = NULL;
    return 0;
}

uint64_t weft_unit_actor_image_id(struct weft_span image)
{
    return image.length >= HEAD && weft_le16_get(image.data + 4) == VERSION
               ? weft_le64_get(image.data + AT_ID)
               : 0;
}

struct weft_unit_quota weft_unit_actor_image_quota(struct weft_span image)
{
    struct weft_unit_parts parts;
    const char *wrong;
    if (weft_unit_actor_image_read(image, &parts, &wrong) == 0) return parts.quota;
    return (struct weft_unit_quota){0};
}
