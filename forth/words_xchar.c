// words_xchar.c: extended characters in UTF-8: how many bytes, their value, their width.
#include "forth/compile.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/xchar.h"

enum { MALFORMED = -77 };

// By its first byte alone; what can begin no character stands for itself.
static uint32_t size_by_lead(uint8_t lead)
{
    return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1;
}

static uint32_t size_of(uint64_t xchar)
{
    if (xchar > WEFT_XCHAR_MAX) return 0;
    return xchar < 0x80 ? 1 : xchar < 0x800 ? 2 : xchar < 0x10000 ? 3 : 4;
}

int64_t weft_xchar_get(const void *from, uint64_t length, uint32_t *bytes)
{
    const uint8_t *at = from;
    if (length == 0) return -1;
    *bytes = size_by_lead(at[0]);
    if (at[0] < 0x80) return at[0];
    if (*bytes == 1 || *bytes > length) return -1;
    uint64_t value = at[0] & (0x7fu >> *bytes);
    for (uint32_t n = 1; n < *bytes; n++) {
        if ((at[n] & 0xc0) != 0x80) return -1;
        value = value << 6 | (at[n] & 0x3fu);
    }
    return size_of(value) == *bytes ? (int64_t)value : -1; // Longer than it need be is malformed.
}

uint32_t weft_xchar_put(uint64_t xchar, uint8_t to[WEFT_XCHAR_BYTES_MAX])
{
    const uint32_t bytes = size_of(xchar);
    for (uint32_t n = bytes; n-- > 1; xchar >>= 6)
        to[n] = (uint8_t)(0x80 | (xchar & 0x3f));
    if (bytes == 1) to[0] = (uint8_t)xchar;
    if (bytes > 1) to[0] = (uint8_t)(0xff00u >> bytes | xchar);
    return bytes;
}

// The bytes of the xchar on top, which goes.
static uint32_t pop_bytes(struct weft_unit *unit, uint8_t bytes[WEFT_XCHAR_BYTES_MAX])
{
    return weft_xchar_put((uint64_t)weft_pop(unit->block), bytes);
}

// XC-SIZE ( xchar -- u )
int32_t weft_op_xc_size(struct weft_unit *unit)
{
    const uint32_t size = size_of((uint64_t)*weft_top(unit->block));
    *weft_top(unit->block) = size;
    return size == 0 ? MALFORMED : WEFT_NEXT;
}

// X-SIZE ( xc-addr u1 -- u2 )
int32_t weft_op_x_size(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const uint8_t *lead = weft_address_read(unit, (uint64_t)*weft_top(unit->block), 1);
    if (lead == NULL && length != 0) return -9;
    const uint32_t size = length == 0 ? 0 : size_by_lead(*lead);
    *weft_top(unit->block) = size < length ? size : (weft_cell)length;
    return WEFT_NEXT;
}

// XC@+ ( xc-addr1 -- xc-addr2 xchar )
int32_t weft_op_xc_fetch(struct weft_unit *unit)
{
    const uint64_t address = (uint64_t)*weft_top(unit->block);
    const uint8_t *lead = weft_address_read(unit, address, 1);
    if (lead == NULL) return -9;
    const uint8_t *from = weft_address_read(unit, address, size_by_lead(*lead));
    uint32_t bytes;
    const int64_t xchar = from == NULL ? -1 : weft_xchar_get(from, size_by_lead(*lead), &bytes);
    if (xchar < 0) return MALFORMED;
    *weft_top(unit->block) += bytes;
    weft_push(unit->block, xchar);
    return WEFT_NEXT;
}

// XC!+ ( xchar xc-addr1 -- xc-addr2 )
int32_t weft_op_xc_store(struct weft_unit *unit)
{
    const weft_cell address = weft_pop(unit->block);
    uint8_t bytes[WEFT_XCHAR_BYTES_MAX];
    const uint32_t count = pop_bytes(unit, bytes);
    if (count == 0) return MALFORMED;
    void *to = weft_address_write(unit, (uint64_t)address, count);
    if (to == NULL) return -9;
    memcpy(to, bytes, count);
    weft_push(unit->block, address + count);
    return WEFT_NEXT;
}

// XC, ( xchar -- )
int32_t weft_op_xc_comma(struct weft_unit *unit)
{
    uint8_t bytes[WEFT_XCHAR_BYTES_MAX];
    const uint32_t count = pop_bytes(unit, bytes);
    return count == 0 ? MALFORMED : weft_data_append(unit, bytes, count);
}

// XEMIT ( xchar -- )
int32_t weft_op_xemit(struct weft_unit *unit)
{
    uint8_t bytes[WEFT_XCHAR_BYTES_MAX];
    const uint32_t count = pop_bytes(unit, bytes);
    if (count == 0) return MALFORMED;
    weft_output(unit, bytes, count);
    return WEFT_NEXT;
}

// XHOLD ( xchar -- )
int32_t weft_op_xhold(struct weft_unit *unit)
{
    uint8_t bytes[WEFT_XCHAR_BYTES_MAX];
    const uint32_t count = pop_bytes(unit, bytes);
    int32_t code = count == 0 ? MALFORMED : WEFT_NEXT;
    for (uint32_t n = count; n-- > 0 && code == WEFT_NEXT;) {
        weft_push(unit->block, bytes[n]);
        code = weft_op_hold(unit);
    }
    return code;
}

// XC-WIDTH ( xchar -- n ): columns of a terminal: marks that join take none, East Asian ones two.
int32_t weft_op_xc_width(struct weft_unit *unit)
{
    static const struct {
        uint32_t first, last;
        uint8_t width;
    } ranges[] = {
        {0x0, 0x1f, 0},        {0x7f, 0x9f, 0},       {0x300, 0x36f, 0},     {0x483, 0x489, 0},
        {0x591, 0x5bd, 0},     {0x610, 0x61a, 0},     {0x64b, 0x65f, 0},     {0x1100, 0x115f, 2},
        {0x200b, 0x200f, 0},   {0x20d0, 0x20ff, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0x4dbf, 2},
        {0x4e00, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},
        {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},   {0xffe0, 0xffe6, 2},
        {0x1f300, 0x1f64f, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
    };
    const uint64_t xchar = (uint64_t)*weft_top(unit->block);
    weft_cell width = 1;
    for (size_t n = 0; n < sizeof(ranges) / sizeof(ranges[0]); n++) {
        if (xchar >= ranges[n].first && xchar <= ranges[n].last) width = ranges[n].width;
    }
    *weft_top(unit->block) = width;
    return WEFT_NEXT;
}
