// weft: the tool. Its own commands, and those of the laptop swarm.
#include "runtime/tool/command.h"

int main(int argc, char **argv)
{
    static const struct weft_tool_command *const tables[] = {
#ifdef WEFT_HAVE_LAB
        weft_lab_commands,
#endif
        weft_tool_commands,
        weft_image_commands,
        NULL,
    };

    return weft_tool_main(argc, argv, tables);
}
