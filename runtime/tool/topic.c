#include "runtime/tool/topic.h"

#include <stddef.h>

const struct weft_topic weft_topics[] = {
    {"exit-codes", "what exit codes mean",
     "Every command ends with one of these:\n"
     "\n"
     "    0  done\n"
     "    1  the answer is no: no such unit, a check that failed\n"
     "   64  the command line is wrong\n"
     "   65  what was given to it is wrong: a Forth error, a malformed request\n"
     "   69  the node cannot be reached, or none runs\n"
     "   70  something failed inside\n"
     "   75  busy: try again\n"
     "   77  not permitted\n"
     "   78  the configuration is wrong\n"
     "  124  no answer in time (--timeout)\n"
     "\n"
     "weft forth ends with the number of the uncaught THROW instead (see weft help forth)."},
    {"output", "tables and JSON",
     "Results go to standard output, everything else to standard error.\n"
     "\n"
     "  -o table  for people; the same without colour on a pipe\n"
     "  -o json   the document that the node gave, or several joined\n"
     "  -o jsonl  one object a line: the items of a list, or a stream\n"
     "\n"
     "Keys in JSON bear their unit (rtt_ns, rx_bytes); integers are never strings; ids are 16 hex\n"
     "digits. Colour: --color auto|always|never, and NO_COLOR."},
    {"nodes", "which node a command means",
     "A node of this machine is named by its name, n1, a unit by NODE/UNIT, n1/counter. Without a\n"
     "name, lists ask every node and other commands the only one.\n"
     "\n"
     "Node NAME answers at RUN/NAME/admin.sock, a machine's only node at RUN/admin.sock. RUN is "
     "$WEFT_RUN_DIR, else /run/weft for root, "
     "else\n"
     "$XDG_RUNTIME_DIR/weft, else /tmp/weft-UID. --socket PATH asks whoever answers there.\n"
     "\n"
     "--socket https://HOST:PORT asks a node elsewhere, as its owner: WEFT_TOKEN is the token "
     "that\n"
     "stands in the node's owner.token, or WEFT_KEY the file of the key that its owner.key is "
     "the\n"
     "public half of; WEFT_FINGERPRINT the 64 digits of its certificate (they may be left out for\n"
     "127.0.0.1). `weft context add` keeps these under the node's name; where no node runs here,\n"
     "those added are asked.\n"
     "\n"
     "The same HTTP can be spoken by others: curl --unix-socket RUN/n1/admin.sock http://w/readyz"},
    {"errors", "the codes of errors", "weft help Wnnnn explains one of them."},
    {.name = NULL},
};
