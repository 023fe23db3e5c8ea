// Bodies of requests: any bytes give a checked command or one error, never
// more.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/body.h"
#include "runtime/admin/text.h"
#include "runtime/base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_unit(const struct weft_body_unit *unit)
{
    weft_assert(unit->text[unit->text_length] == '\0');
    weft_assert(strlen(unit->file) < SIZE_MAX);
}

// The first byte chooses the kind of body.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_body_unit unit;
    struct weft_body_actor actor;
    struct weft_admin_fault fault;
    struct weft_error error = {0};

    if (size == 0) return 0;
    const char *body = (const char *)data + 1;
    const size_t length = size - 1;
    switch (data[0] % 5) {
    case 0:
        if (weft_body_load(body, length, &unit, &error) == 0) {
            check_unit(&unit);
            weft_assert(weft_admin_name_valid(unit.name, strlen(unit.name)));
            weft_body_unit_destroy(&unit);
            return 0;
        }
        break;
    case 1:
        if (weft_body_eval(body, length, &unit, &error) == 0) {
            check_unit(&unit);
            weft_body_unit_destroy(&unit);
            return 0;
        }
        break;
    case 3:
        if (weft_body_module(body, length, &actor, &error) == 0) {
            weft_assert(actor.file[0] == '/' &&
                        weft_admin_name_valid(actor.name, strlen(actor.name)));
            weft_body_actor_destroy(&actor);
            return 0;
        }
        break;
    case 4:
        if (weft_body_message(body, length, &actor, &error) == 0) {
            weft_assert(actor.payload_length <= WEFT_ADMIN_PAYLOAD_MAX);
            weft_body_actor_destroy(&actor);
            return 0;
        }
        break;
    default:
        if (weft_body_fault(body, length, &fault, &error) == 0) {
            weft_assert(fault.loss_ratio >= 0 && fault.loss_ratio <= 1);
            weft_assert(strlen(fault.port) < sizeof(fault.port));
            return 0;
        }
    }
    weft_assert(error.code == 504 && error.text[0] != '\0');
    return 0;
}
