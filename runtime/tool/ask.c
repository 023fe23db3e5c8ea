#include "runtime/tool/ask.h"

#include <string.h>

bool weft_ask_name(const struct weft_tool *tool, const char *name, const char *warning)
{
    char line[256];

    fprintf(tool->err, "%s\nType %s to go on: ", warning, name);
    fflush(tool->err);
    if (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, name) == 0) return true;
    } else {
        fputc('\n', tool->err);
    }
    fputs("nothing was done\n", tool->err);
    return false;
}
