// What is made from the table of keys: JSON that a parser takes, help for every key, the man page.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/toml.h"

// The text that `print` writes. The caller frees it.
static char *text_of(void (*print)(FILE *out))
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    print(out);
    fclose(out);
    return text;
}

static void the_schema_has_every_key(void **state)
{
    (void)state;
    char *text = text_of(weft_schema_json);
    json_error_t error;
    json_t *schema = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!schema) fail_msg("%d: %s", error.column, error.text);
    const struct weft_schema_key *key;
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        char path[128], *step, *rest = path;
        json_t *at = schema;
        snprintf(path, sizeof(path), "%s", key->path);
        while ((step = strsep(&rest, ".")) && at) {
            json_t *items = json_object_get(at, "items");
            if (strcmp(step, "*") == 0)
                at = items ? items : json_object_get(at, "additionalProperties");
            else
                at = json_object_get(json_object_get(at, "properties"), step);
        }
        if (!json_object_get(at, "description")) fail_msg("the schema has no %s", key->path);
    }
    json_decref(schema);
    free(text);
}

static void the_report_is_json(void **state)
{
    static const char text[] = "\"a\\u0001\\\"\\\\\" = 1\nnode.name = 1\n[mesh]\nprot = 1\n";
    struct weft_config config;
    struct weft_config_report report;
    char *printed;
    size_t length;
    (void)state;
    assert_int_equal(weft_config_parse(&config, text, strlen(text), "a\"b\\c\n", &report), -EINVAL);
    FILE *out = open_memstream(&printed, &length);
    weft_config_report_json(&report, out);
    fclose(out);
    json_error_t error;
    json_t *json = json_loads(printed, JSON_REJECT_DUPLICATES, &error);
    if (!json) fail_msg("%d: %s in %s", error.column, error.text, printed);
    assert_string_equal(json_string_value(json_object_get(json, "file")), "a\"b\\c\n");
    json_t *errors = json_object_get(json, "errors");
    assert_int_equal(json_array_size(errors), 3);
    const json_t *last = json_array_get(errors, 2);
    assert_string_equal(json_string_value(json_object_get(last, "code")), "W0101");
    assert_int_equal(json_integer_value(json_object_get(last, "line")), 4);
    assert_string_equal(json_string_value(json_object_get(last, "hint")), "did you mean `port`?");
    json_decref(json);
    free(printed);
    weft_config_report_free(&report);
}

static void every_key_is_explained(void **state)
{
    (void)state;
    const struct weft_schema_key *key;
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        char *text;
        size_t length;
        FILE *out = open_memstream(&text, &length);
        assert_int_equal(weft_schema_explain(key->path, out), 0);
        fclose(out);
        assert_non_null(strstr(text, key->path));
        assert_non_null(strstr(text, key->meaning));
        if (strcmp(key->path, "mesh.timeout") == 0)
            assert_non_null(strstr(text, "range    \"20ms\" to \"10m\"\n"));
        free(text);
    }
    assert_int_equal(weft_schema_explain("mesh.prot", stderr), -ENOENT);
    assert_ptr_equal(weft_schema_find("ports.p0.mtu"), weft_schema_find("ports.*.mtu"));
    assert_null(weft_schema_find("ports.p0"));
}

static void the_man_page_is_the_table(void **state)
{
    static char shipped[65536];
    (void)state;
    char *text = text_of(weft_schema_man);
    FILE *file = fopen(WEFT_MAN, "r");
    assert_non_null(file);
    fread(shipped, 1, sizeof(shipped) - 1, file);
    fclose(file);
    assert_string_equal(text, shipped); // Made by `config_schema_test --man`.
    free(text);
}

static int load(const char *text, size_t length, struct weft_config *config,
                struct weft_config_report *report)
{
    char path[] = "/tmp/weft-config-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
    const int result = weft_config_load(config, path, report);
    unlink(path);
    return result;
}

static void a_file_is_loaded(void **state)
{
    static const char text[] = "mesh.key_file = 'k'\n[[unit]]\nname = 'u'\nfile = 'd/u.fth'\n"
                               "[[unit]]\nname = 'v'\nfile = '/v.fth'\n";
    struct weft_config config;
    struct weft_config_report report;
    (void)state;
    assert_int_equal(load(text, strlen(text), &config, &report), 0);
    assert_string_equal(config.mesh.key_file, "/tmp/k");
    assert_string_equal(config.unit[0].file, "/tmp/d/u.fth");
    assert_string_equal(config.unit[1].file, "/v.fth");
    weft_config_free(&config);
    weft_config_report_free(&report);

    assert_int_equal(weft_config_load(&config, "/nowhere/weft.toml", &report), -ENOENT);
    assert_int_equal(report.error_count, 1);
    assert_int_equal(report.errors[0].code, 107);
    weft_config_report_free(&report);
}

// The limits of toml.h hold, and what is one below them is taken.
static void too_much_is_refused(void **state)
{
    struct weft_config config;
    struct weft_config_report report;
    char *text = malloc(WEFT_TOML_BYTES_MAX + 1);
    (void)state;
    memset(text, '#', WEFT_TOML_BYTES_MAX + 1);
    assert_int_equal(load(text, WEFT_TOML_BYTES_MAX, &config, &report), 0);
    weft_config_free(&config);
    weft_config_report_free(&report);
    assert_int_equal(load(text, WEFT_TOML_BYTES_MAX + 1, &config, &report), -EINVAL);
    assert_string_equal(report.errors[0].text, "the text is longer than 1 MiB");
    weft_config_report_free(&report);

    size_t length = (size_t)snprintf(text, 16, "mesh.seeds = [");
    for (size_t i = 0; i < WEFT_TOML_NODES_MAX; i++) {
        text[length++] = '1';
        text[length++] = ',';
    }
    text[length++] = ']';
    assert_int_equal(weft_config_parse(&config, text, length, "x", &report), -EINVAL);
    assert_non_null(strstr(report.errors[0].text, "more than 65536 values"));
    weft_config_report_free(&report);

    length = 0;
    for (size_t i = 0; i < 1000; i++) {
        length += (size_t)sprintf(text + length, "unknown%zu = 1\n", i);
    }
    assert_int_equal(weft_config_parse(&config, text, length, "x", &report), -EINVAL);
    assert_int_equal(report.error_count, 1000);
    assert_int_equal(report.errors[WEFT_CONFIG_ERRORS_MAX - 1].line, WEFT_CONFIG_ERRORS_MAX);
    FILE *nowhere = fopen("/dev/null", "w");
    weft_config_report_print(&report, nowhere, true);
    fclose(nowhere);
    weft_config_report_free(&report);
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_has_every_key), cmocka_unit_test(the_report_is_json),
        cmocka_unit_test(every_key_is_explained),   cmocka_unit_test(the_man_page_is_the_table),
        cmocka_unit_test(a_file_is_loaded),         cmocka_unit_test(too_much_is_refused),
    };
    if (argc > 1 && strcmp(argv[1], "--man") == 0) return weft_schema_man(stdout), 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
