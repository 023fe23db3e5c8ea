// Errors at the edge: what failed, where, why, what to do, and an exit code that scripts can rely
// on.
#include "runtime/tool/command.h"

int weft_tool_exit_code(uint16_t code)
{
    switch (code) {
    case 301:
    case 106:
    case 107: return WEFT_EXIT_CONFIG;
    case 401:
    case 406:
    case 504:
    case 802:
    case 902:
    case 903: return WEFT_EXIT_INPUT;
    case 402:
    case 403:
    case 404:
    case 503:
    case 601:
    case 801:
    case 803:
    case 804:
    case 805:
    case 901:
    case 904:
    case 907: return WEFT_EXIT_NO;
    case 905:
    case 405: return WEFT_EXIT_AGAIN;
    case 501:
    case 602:
    case 604: return WEFT_EXIT_UNREACHABLE;
    case 502: return WEFT_EXIT_PERMISSION;
    case 505: return WEFT_EXIT_TIMEOUT;
    default: break;
    }
    return code / 100 == 1 ? WEFT_EXIT_CONFIG : WEFT_EXIT_INTERNAL;
}

int weft_tool_fail(const struct weft_tool *tool, const struct weft_error *error)
{
    fflush(tool->out); // What was said before stands before.
    fprintf(tool->err, "error[W%04u] %s\n", (unsigned)error->code, error->text);
    if (error->hint[0] != '\0') fprintf(tool->err, "hint: %s\n", error->hint);
    fprintf(tool->err, "docs: weft help W%04u\n", (unsigned)error->code);
    return weft_tool_exit_code(error->code);
}
