// rows.c: what hash and tree have in common: their memory, counted as the table's.
#include <errno.h>

#include "runtime/table/internal.h"

static size_t bytes_of(const struct weft_message *block)
{
    return sizeof(*block) + weft_message_room(block);
}

static void count_bytes(const struct weft_op *op, size_t bytes)
{
    weft_counter_add(&op->stripe->bytes, bytes);
}

struct weft_message *weft_table_op_alloc(struct weft_op *op, size_t hidden)
{
    op->error = -ENOMEM;
    if (hidden > UINT32_MAX / 2) return NULL;
    struct weft_message *block = weft_message_alloc_hidden(op->system, (uint32_t)hidden);
    if (block == NULL) return NULL;
    if (op->memory_max != 0 && weft_rows_bytes(op->rows) + bytes_of(block) > op->memory_max) {
        op->error = -ENOSPC;
        weft_limbo_free(op->core, block);
        return NULL;
    }
    count_bytes(op, bytes_of(block));
    return block;
}

void weft_table_op_discard(struct weft_op *op, struct weft_message *block)
{
    count_bytes(op, -bytes_of(block));
    weft_limbo_free(op->core, block);
}

void weft_table_op_retire(struct weft_op *op, struct weft_message *block)
{
    count_bytes(op, -bytes_of(block));
    weft_limbo_put(op->core, block);
}

// ---- Cells.

static struct weft_row *make_row(struct weft_op *op, const struct weft_key *key, const void *value,
                                 size_t length)
{
    struct weft_message *block = weft_table_op_alloc(op, weft_row_key_bytes(key->length) + length);
    if (block == NULL) return NULL;
    struct weft_row *row = (struct weft_row *)(void *)block;
    row->prefix = key->prefix;
    row->hash = key->hash;
    row->key_length = key->length;
    row->value_length = (uint32_t)length;
    if (key->length > WEFT_KEY_SHORT) memcpy(row->payload, key->bytes, key->length);
    if (length > 0 && value != NULL) memcpy(weft_row_value(row), value, length);
    return row;
}

int weft_cell_make(struct weft_op *op, const struct weft_key *key, const void *value, size_t length,
                   struct weft_cell *cell)
{
    *cell = (struct weft_cell){.value_length = (uint8_t)length};
    if (likely(key->length <= WEFT_KEY_SHORT && length <= sizeof(cell->value))) {
        if (length == sizeof(cell->value))
            memcpy(&cell->value, value, sizeof(cell->value));
        else if (length > 0)
            memcpy(&cell->value, value, length);
        return 0;
    }
    if (length > WEFT_TABLE_VALUE_MAX) return -EINVAL;
    cell->row = make_row(op, key, value, length);
    return cell->row != NULL ? 0 : op->error;
}

void weft_cell_discard(struct weft_op *op, struct weft_cell *cell)
{
    if (cell->row != NULL) weft_table_op_discard(op, weft_row_block(cell->row));
}

// ---- Rows.

uint64_t weft_rows_count(const struct weft_rows *rows)
{
    uint64_t count = 0;
    for (uint16_t i = 0; i < rows->stripe_count; i++)
        count += weft_counter_get(&rows->stripes[i].row_count);
    return (int64_t)count < 0 ? 0 : count; // Cores are added up one after the other.
}

size_t weft_rows_bytes(const struct weft_rows *rows)
{
    uint64_t bytes = 0;
    for (uint16_t i = 0; i < rows->stripe_count; i++)
        bytes += weft_counter_get(&rows->stripes[i].bytes);
    return (int64_t)bytes < 0 ? 0 : bytes;
}

int weft_rows_make(struct weft_op *op, const struct weft_rows *like, size_t struct_bytes)
{
    struct weft_actor_system *system = op->system;
    const size_t stripe_bytes = like->stripe_count * sizeof(struct weft_table_stripe);
    struct weft_message *block = weft_message_alloc_hidden(system, (uint32_t)struct_bytes);
    struct weft_message *stripes =
        weft_message_alloc_hidden(system, (uint32_t)stripe_bytes + WEFT_CORE_ALIGN);
    if (block == NULL || stripes == NULL) {
        if (block != NULL) weft_message_release_block(system, block);
        if (stripes != NULL) weft_message_release_block(system, stripes);
        return -ENOMEM;
    }
    memset(block->payload, 0, struct_bytes);
    struct weft_rows *rows = (struct weft_rows *)(void *)block->payload;
    *rows = *like;
    rows->stripe_block = stripes;
    rows->stripes =
        (struct weft_table_stripe *)weft_round_up((uintptr_t)stripes->payload, WEFT_CORE_ALIGN);
    memset((void *)rows->stripes, 0, stripe_bytes);
    op->rows = rows;
    op->stripe = &rows->stripes[0];
    count_bytes(op, bytes_of(block) + bytes_of(stripes));
    return 0;
}

void weft_rows_discard(struct weft_op *op)
{
    weft_limbo_free(op->core, op->rows->stripe_block);
    weft_limbo_free(op->core, weft_block_of(op->rows));
}

void weft_rows_retire(struct weft_table_core *core, struct weft_rows *rows)
{
    struct weft_message *block = weft_block_of(rows);
    block->type = WEFT_LIMBO_ROWS;
    weft_limbo_put(core, block);
}
