#include "image/init/mdns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/endian.h"

#define SERVICE       "_weft._tcp.local"
#define SERVICES      "_services._dns-sd._udp.local"
#define HEAD_BYTES    12
#define NAME_MAX_TEXT 256
#define TTL_S         120
#define LEGACY_TTL_S  10 // RFC 6762, section 6.7.
#define QUESTIONS_MAX 16

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_TXT = 16, TYPE_SRV = 33, TYPE_ANY = 255 };
enum { CLASS_IN = 1, CLASS_ANY = 255, FLUSH = 0x8000, UNICAST = 0x8000 };

// ---- Reading names (RFC 1035, section 4.1.4).

// The name at `*at` as text with dots; `*at` moves behind it. A pointer has to point backwards, so
// that none can lead round in a circle. False if it is not whole, or longer than a name may be.
static bool read_name(const uint8_t *bytes, size_t length, size_t *at, char text[NAME_MAX_TEXT])
{
    size_t from = *at, used = 0, limit = *at;
    bool jumped = false;
    while (from < length) {
        const uint8_t size = bytes[from];
        if (size == 0) {
            if (!jumped) *at = from + 1;
            text[used > 0 ? used - 1 : 0] = '\0'; // Without the last dot.
            return true;
        }
        if ((size & 0xc0) == 0xc0) {
            if (from + 2 > length) return false;
            const size_t to = (size_t)(weft_be16_get(bytes + from) & 0x3fff);
            if (!jumped) *at = from + 2;
            jumped = true;
            if (to >= limit) return false;
            limit = from = to;
            continue;
        }
        if (size > 63 || from + 1 + size > length || used + size + 1 >= NAME_MAX_TEXT) return false;
        for (size_t i = 0; i < size; i++) {
            const char c = (char)bytes[from + 1 + i];
            text[used++] = c == '.' || c == '\0' ? '?' : (char)tolower((unsigned char)c);
        }
        text[used++] = '.';
        from += 1 + (size_t)size;
    }
    return false;
}

// ---- Writing records.

struct writing {
    const struct weft_mdns *mdns;
    uint8_t *bytes;
    size_t used;
    uint32_t ttl_s;
    uint16_t flush; // FLUSH, or 0 for who would not understand it.
    uint16_t answers;
};

static void put_name(struct writing *w, const char *text)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, ".");
        w->bytes[w->used++] = (uint8_t)length;
        memcpy(w->bytes + w->used, text, length);
        w->used += length;
        text += length + (text[length] == '.');
    }
    w->bytes[w->used++] = 0;
}

static void put_be16(struct writing *w, uint32_t value)
{
    weft_be16_put(w->bytes + w->used, (uint16_t)value);
    w->used += 2;
}

// Up to the length of its data, which is put in by end_record.
static size_t begin_record(struct writing *w, const char *name, uint16_t type, uint16_t class)
{
    put_name(w, name);
    put_be16(w, type);
    put_be16(w, class);
    weft_be32_put(w->bytes + w->used, w->ttl_s);
    w->used += 4;
    w->answers++;
    w->used += 2;
    return w->used;
}

static void end_record(struct writing *w, size_t data_at)
{
    weft_be16_put(w->bytes + data_at - 2, (uint16_t)(w->used - data_at));
}

static void host_name(const struct weft_mdns *mdns, char text[64])
{
    snprintf(text, 64, "%s.local", mdns->host);
}

static void instance_name(const struct weft_mdns *mdns, char text[64])
{
    snprintf(text, 64, "%s." SERVICE, mdns->host);
}

static void put_a(struct writing *w)
{
    char name[64];
    host_name(w->mdns, name);
    const size_t at = begin_record(w, name, TYPE_A, CLASS_IN | w->flush);
    weft_be32_put(w->bytes + w->used, w->mdns->ip);
    w->used += 4;
    end_record(w, at);
}

static void put_ptr(struct writing *w, const char *name, const char *to)
{
    const size_t at = begin_record(w, name, TYPE_PTR, CLASS_IN); // Shared: others have one as well.
    put_name(w, to);
    end_record(w, at);
}

static void put_srv(struct writing *w)
{
    char name[64], host[64];
    instance_name(w->mdns, name);
    host_name(w->mdns, host);
    const size_t at = begin_record(w, name, TYPE_SRV, CLASS_IN | w->flush);
    put_be16(w, 0); // Priority and weight: there is one.
    put_be16(w, 0);
    put_be16(w, w->mdns->port);
    put_name(w, host);
    end_record(w, at);
}

static void put_txt(struct writing *w)
{
    char name[64], text[80];
    instance_name(w->mdns, name);
    const size_t at = begin_record(w, name, TYPE_TXT, CLASS_IN | w->flush);
    const int length = snprintf(text, sizeof(text), "version=%s", w->mdns->version);
    w->bytes[w->used++] = (uint8_t)length;
    memcpy(w->bytes + w->used, text, (size_t)length);
    w->used += (size_t)length;
    end_record(w, at);
}

static void put_everything(struct writing *w)
{
    char instance[64];
    instance_name(w->mdns, instance);
    put_ptr(w, SERVICE, instance);
    put_srv(w);
    put_txt(w);
    put_a(w);
}

// All records have room: the longest names, once each in full, come to 500 bytes.
static size_t finish(struct writing *w, uint16_t id, uint16_t questions)
{
    weft_be16_put(w->bytes, id);
    weft_be16_put(w->bytes + 2, 0x8400); // A response, by who has authority.
    weft_be16_put(w->bytes + 4, questions);
    weft_be16_put(w->bytes + 6, w->answers);
    weft_be16_put(w->bytes + 8, 0);
    weft_be16_put(w->bytes + 10, 0);
    return w->used;
}

size_t weft_mdns_announce(const struct weft_mdns *mdns, bool leaves,
                          uint8_t packet[WEFT_MDNS_PACKET_MAX])
{
    struct writing w = {.mdns = mdns,
                        .bytes = packet,
                        .used = HEAD_BYTES,
                        .ttl_s = leaves ? 0 : TTL_S,
                        .flush = FLUSH};
    put_everything(&w);
    return finish(&w, 0, 0);
}

// ---- Answers.

enum { ASKS_HOST = 1, ASKS_SERVICE = 2, ASKS_INSTANCE = 4, ASKS_SERVICES = 8 };

struct question {
    char name[NAME_MAX_TEXT];
    uint16_t type, class;
};

static bool read_question(const uint8_t *bytes, size_t length, size_t *at,
                          struct question *question)
{
    if (!read_name(bytes, length, at, question->name) || *at + 4 > length) return false;
    question->type = weft_be16_get(bytes + *at);
    question->class = weft_be16_get(bytes + *at + 2);
    *at += 4;
    return true;
}

static unsigned subject_of(const struct weft_mdns *mdns, const struct question *question)
{
    char own[64];
    const uint16_t class = question->class & 0x7fff, type = question->type;
    if (class != CLASS_IN && class != CLASS_ANY) return 0;
    host_name(mdns, own);
    if (strcasecmp(question->name, own) == 0 && (type == TYPE_A || type == TYPE_ANY))
        return ASKS_HOST;
    instance_name(mdns, own);
    if (strcasecmp(question->name, own) == 0 &&
        (type == TYPE_SRV || type == TYPE_TXT || type == TYPE_ANY))
        return ASKS_INSTANCE;
    if (type != TYPE_PTR && type != TYPE_ANY) return 0;
    if (strcasecmp(question->name, SERVICE) == 0) return ASKS_SERVICE;
    return strcasecmp(question->name, SERVICES) == 0 ? ASKS_SERVICES : 0;
}

static void put_answers(struct writing *w, unsigned asked)
{
    if (asked & ASKS_SERVICES) put_ptr(w, SERVICES, SERVICE);
    if (asked & ASKS_SERVICE) {
        put_everything(w);
        return;
    }
    if (asked & ASKS_INSTANCE) {
        put_srv(w);
        put_txt(w);
    }
    if (asked & (ASKS_HOST | ASKS_INSTANCE)) put_a(w);
}

size_t weft_mdns_answer(const struct weft_mdns *mdns, const uint8_t *bytes, size_t length,
                        uint16_t from_port, uint8_t packet[WEFT_MDNS_PACKET_MAX], bool *unicast)
{
    struct question question;
    size_t at = HEAD_BYTES, first_end = 0;
    unsigned asked = 0;
    const bool is_legacy = from_port != WEFT_MDNS_PORT;
    *unicast = is_legacy;
    if (length < HEAD_BYTES || (weft_be16_get(bytes + 2) & 0xf800) != 0) return 0; // A query.
    const uint16_t count = weft_be16_get(bytes + 4);
    if (count > QUESTIONS_MAX) return 0;
    for (uint16_t i = 0; i < count; i++) {
        if (!read_question(bytes, length, &at, &question)) return 0;
        if (i == 0) first_end = at;
        const unsigned subject = subject_of(mdns, &question);
        asked |= subject;
        if (subject != 0 && (question.class & UNICAST) != 0) *unicast = true;
    }
    if (asked == 0) return 0;
    struct writing w = {.mdns = mdns,
                        .bytes = packet,
                        .used = HEAD_BYTES,
                        .ttl_s = is_legacy ? LEGACY_TTL_S : TTL_S,
                        .flush = is_legacy ? 0 : FLUSH};
    // An ordinary resolver knows its answer by its question. One of ours is not longer than 60
    // bytes.
    const bool echoes = is_legacy && count == 1 && first_end - HEAD_BYTES <= 60;
    if (is_legacy && !echoes) return 0;
    if (echoes) {
        memcpy(packet + HEAD_BYTES, bytes + HEAD_BYTES, first_end - HEAD_BYTES);
        w.used = first_end;
    }
    put_answers(&w, asked);
    return finish(&w, is_legacy ? weft_be16_get(bytes) : 0, echoes ? 1 : 0);
}
