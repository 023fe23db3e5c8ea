// What TOML is taken and refused; what a config's errors say; the defaults file is the defaults.
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/diff.h"
#include "config/schema.h"
#include "config/toml.h"

static void toml_is_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t errors;
    } cases[] = {
        {"", 0},
        {"# only\n", 0},
        {"a = 1", 0},
        {"a.b.c = 1\na.b.d = 2\n", 0},
        {"a = 0xdead_beef\nb = 0o17\nc = 0b1\nd = -9223372036854775808\n", 0},
        {"a = 1e6\nb = -inf\nc = nan\nd = 6.62e-34\ne = 1_0.0_1\n", 0},
        {"a = [1, 2, # x\n 3,\n]\n", 0},
        {"a = {b = 1, c.d = 2}\n", 0},
        {"[[a]]\nb = 1\n[a.c]\n[[a]]\n[a.c]\n", 0},
        {"a = '''x\n''y'''\n", 0},
        {"a = \"\"\"x\\\n   y\"\"\"\"\"\n", 0},
        {"a = 1979-05-27 07:32:00.5Z\n", 0},
        {"a = 07:32:00\nb = 1979-05-27\n", 0},
        {"\"a b\".'c' = \"\\u00e9\"\r\n", 0},
        {"[a.b]\n[a]\n", 0},
        {"a=2000-02-29", 0},
        {"a = 01\n", 1},
        {"a = 1__0\n", 1},
        {"a = 0x\n", 1},
        {"a = 1.\n", 1},
        {"a = .5\n", 1},
        {"a = 9223372036854775808\n", 1},
        {"a = \"x\n", 1},
        {"a = \"\\q\"\n", 1},
        {"a = \"\\ud800\"\n", 1},
        {"a = 1\na = 2\n", 1},
        {"[a]\n[a]\n", 1},
        {"a = {b = 1,}\n", 1},
        {"a = {b = 1}\na.c = 2\n", 1},
        {"a = [1]\n[[a]]\n", 1},
        {"[[a]]\n[a]\n", 1},
        {"[a.b.c]\n[a]\nb.c.d = 1\n", 1},
        {"a.b = 1\n[a]\n", 1},
        {"a = 1 b = 2\n", 1},
        {"= 1\n", 1},
        {"a\n", 1},
        {"a = \n", 1},
        {"[a\n", 1},
        {"a = 2001-02-29\n", 1},
        {"a = 24:00:00\n", 1},
        {"a = \xff\n", 1},
        {"a = 1\r", 1},
        {"a = True\n", 1},
        {"a = [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", 1},
        {"a = 1 2\nb = 01\nc = [1\n2\n]\nd = x\n", 4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_config_pool *pool = weft_config_pool_create();
        struct weft_toml toml;
        weft_toml_parse(&toml, pool, cases[i].text, strlen(cases[i].text));
        if (toml.error_count != cases[i].errors)
            print_error("%s: %zu errors: %s\n", cases[i].text, toml.error_count,
                        toml.errors[0].text);
        assert_int_equal(toml.error_count, cases[i].errors);
        weft_config_pool_free(pool);
    }
}

static char *printed(const struct weft_config *config)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    weft_config_print(config, out);
    fclose(out);
    return text;
}

static void the_defaults_file_is_the_defaults(void **state)
{
    (void)state;
    struct weft_config built_in, read;
    struct weft_config_report report;
    char *text, shipped[32768] = "";
    size_t length;
    FILE *out = open_memstream(&text, &length);
    weft_schema_defaults(out);
    fclose(out);
    FILE *file = fopen(WEFT_TOML, "r");
    assert_non_null(file);
    assert_int_equal(fread(shipped, 1, sizeof(shipped) - 1, file), length);
    fclose(file);
    assert_string_equal(text, shipped);
    assert_int_equal(weft_config_defaults(&built_in), 0);
    assert_int_equal(weft_config_parse(&read, text, length, "x", &report), 0);
    assert_int_equal(weft_config_diff(&built_in, &read, stderr), 0);
    assert_int_equal(built_in.mesh.port, 4201);
    assert_int_equal(built_in.memory.arena_per_core, 64 << 20);
    weft_config_free(&read);
    weft_config_free(&built_in);
    weft_config_report_free(&report);
    free(text);
}

static void a_printed_config_reads_back(void **state)
{
    (void)state;
    static const char text[] =
        "cores.pin = [1]\n[ports.p0]\ndevice = 'null'\naddress = '10.42.0.1/24'\n"
        "gateway='10.42.0.9'\nmac='02:00:00:00:00:01'\nfault.loss=0.1\nfault.partition=['10.0.0.3']"
        "\n"
        "[mesh]\nseeds=['10.42.0.2:4201']\nheartbeat='0.7s'\n[[unit]]\nname='u'\nfile='u.fs'\n";
    struct weft_config first, second;
    struct weft_config_report report;
    assert_int_equal(weft_config_parse(&first, text, strlen(text), "x.toml", &report), 0);
    assert_int_equal(first.ports[0].address.ip, 0x0a2a0001);
    assert_int_equal(first.mesh.heartbeat_ns, 700000000);
    char *once = printed(&first);
    assert_int_equal(weft_config_parse(&second, once, strlen(once), "x.toml", &report), 0);
    char *twice = printed(&second);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    weft_config_free(&first);
    weft_config_free(&second);
}

static void ten_errors_are_ten_errors(void **state)
{
    (void)state;
    static const char text[] =
        "[mesh]\nprot = 1\nport = 0\nepoch = 'x'\ngossip_k = 99\ntimeout = '1'\n"
        "[ports.p0]\naddress = '10.0.0.1'\naddress6 = 'x'\nmtu = 1\n[nod]\n[unit]\n";
    struct weft_config config;
    struct weft_config_report report;
    assert_int_equal(weft_config_parse(&config, text, strlen(text), "x", &report), -22);
    weft_config_report_print(&report, stdout, false);
    assert_int_equal(report.error_count, 11);
    assert_string_equal(report.errors[0].hint, "did you mean `port`?");
    assert_int_equal(report.errors[0].line, 2);
    assert_int_equal(report.errors[1].column, 8);
    weft_config_report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toml_is_taken_or_refused),
        cmocka_unit_test(the_defaults_file_is_the_defaults),
        cmocka_unit_test(a_printed_config_reads_back),
        cmocka_unit_test(ten_errors_are_ten_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
