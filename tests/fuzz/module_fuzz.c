// Files that want to be modules: any bytes are a module or one error that says why not.
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/assert.h"
#include "runtime/module/module_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weft_module_file file;
    struct weft_error error = {0};

    if (weft_module_file_check(data, size, "fuzz.so", &file, &error) != 0)
        weft_assert(error.code == 802 && error.text[0] != '\0');
    return 0;
}
