// weft forth infer and weft forth verify, from words to output and exit code.
#include "tests/support/cmocka.h"

#include <string.h>

#include "runtime/base/units.h"
#include "tests/unit/tool/tool_run.h"

static struct tool_result result;

static void effects_are_told(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *out, *err; // err: a part of it.
    } cases[] = {
        {"forth infer 'dup *'", 0, "( x -- x )\n", ""},
        {"forth infer ''", 0, "( -- )\n", ""},
        {"forth infer -- '-1 +'", 0, "( x -- x )\n", ""},
        {"forth infer execute", 0, "cannot be told: EXECUTE of what is not known\n", ""},
        {"forth infer ': a ( n -- ) drop ; immediate : b ( n -- ) dup ; : c ?dup ;'", 0,
         "WORD  EFFECT            NEEDS  RETURN  COMMENT   AGREES   REASON\n"
         "a     ( x -- )              1       0  ( n -- )  holds    -\n"
         "b     ( x -- x x )          1       0  ( n -- )  differs  -\n"
         "c     ( x -- x x | x )      1       0  -         -        -\n",
         ""},
        {"forth infer 'code sq ( n -- n ) dup*, exit, end-code sq +'", 0,
         "WORD  EFFECT        NEEDS  RETURN  COMMENT     AGREES  REASON\n"
         "sq    ( x -- x )        1       0  ( n -- n )  holds   -\n"
         "-     ( x x -- x )      2       0  -           -       -\n",
         ""},
        {"forth verify 'code sq dup*, exit, end-code' '( n -- n )'", 0,
         "holds: it does ( x -- x )\n", ""},
        {"forth infer -o jsonl ': sq dup * ; sq >r r@ r>'", 0,
         "{\"word\":\"sq\",\"effect\":\"( x -- x )\",\"known\":true,\"in\":1,\"out\":[1],"
         "\"return_cells\":0,\"grow\":0,\"reason\":null,\"comment\":null,\"agrees\":null}\n"
         "{\"word\":null,\"effect\":\"( x -- x x )\",\"known\":true,\"in\":1,\"out\":[2],"
         "\"return_cells\":1,\"grow\":1,\"reason\":null,\"comment\":null,\"agrees\":null}\n",
         ""},
        {"forth infer 'dup zork'", 65, "",
         "text:1:5: error: undefined word: zork (THROW -13)\ndup zork\n    ^~~~\n"},
        {"forth infer ': a ; : b ; b zork'", 65, "", "text:1:15: error: undefined word: zork"},
        {"forth infer -o jsonl zork", 65,
         "{\"apiVersion\":\"v1\",\"error\":\"text:1:1: error: undefined word: zork (THROW "
         "-13)\"}\n",
         "undefined word"},
        {"forth infer ': a begin again ; immediate : b a ;'", 65, "", "do not end by themselves"},
        {"forth infer", 64, "", "one TEXT"},
        {"forth infer a b", 64, "", "one word too many: b"},
        {"forth verify 'dup *' '( n -- n )'", 0, "holds: it does ( x -- x )\n", ""},
        {"forth verify dup '( n -- n )'", 1, "differs: it does ( x -- x x )\n", ""},
        {"forth verify ': a dup ; : b a drop ;' '( n -- n )'", 0, "holds: it does ( x -- x )\n",
         ""},
        {"forth verify 'dup if true else drop false then' '( n -- n true | false )'", 0,
         "holds: it does ( x -- x x | x )\n", ""},
        {"forth verify '?dup' '( n -- n )'", 1, "cannot be told: it depends on data\n", ""},
        {"forth verify execute '( xt -- )'", 1, "cannot be told: EXECUTE of what is not known\n",
         ""},
        {"forth verify dup '( i*x -- j*x )'", 1, "cannot be told: it depends on data\n", ""},
        {"forth verify -o jsonl '-1 throw' '( -- n )'", 64, "", "unknown option -1 throw"},
        {"forth verify -o jsonl -- '-1 throw' '( -- n )'", 0,
         "{\"word\":null,\"effect\":\"( -- never returns )\",\"known\":true,\"in\":null,"
         "\"out\":[],\"return_cells\":null,\"grow\":null,\"reason\":null,\"apiVersion\":\"v1\","
         "\"expected\":\"( -- n )\",\"verdict\":\"holds\"}\n",
         ""},
        {"forth verify dup dup", 64, "", "dup: an EFFECT is like"},
        {"forth verify 'zork' '( -- )'", 65, "", "undefined word: zork"},
        {"forth verify dup", 64, "", "a TEXT and an EFFECT"},
    };
    (void)state;
    for (size_t n = 0; n < WEFT_COUNT_OF(cases); n++) {
        tool_run(&result, cases[n].words);
        if (result.code != cases[n].code || strcmp(result.out, cases[n].out) != 0 ||
            strstr(result.err, cases[n].err) == NULL ||
            (cases[n].err[0] == '\0' && result.err[0] != '\0'))
            fail_msg("%s: %d\n%s%s", cases[n].words, result.code, result.out, result.err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(effects_are_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
