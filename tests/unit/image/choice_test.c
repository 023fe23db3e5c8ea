// Which configuration a boot takes, and what it says of those that it does not; what of it is kept.
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/init/choice.h"
#include "image/init/node_config.h"
#include "image/init/text_file.h"
#include "runtime/base/file.h"

static char root[64], drive[128], kept[128];

static int make_root(void **state)
{
    (void)state;
    char path[128];
    snprintf(root, sizeof(root), "/tmp/weft-choice.XXXXXX");
    if (mkdtemp(root) == NULL) return -1;
    snprintf(path, sizeof(path), "%s/state", root);
    if (mkdir(path, 0700) != 0) return -1;
    snprintf(drive, sizeof(drive), "%s/weft.toml", root);
    snprintf(kept, sizeof(kept), "%s/state/weft.toml", root);
    return 0;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

static void put(const char *path, const char *text)
{
    assert_int_equal(weft_file_replace(path, text, strlen(text), 0600), 0);
}

#define GOOD   "[node]\nname = \"n1\"\n"
#define OTHER  "[node]\nname = \"older\"\n"
#define BROKEN "[node]\nnmae = \"n1\"\n"

static void the_sources_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *name, *on_drive, *on_data, *absent;
        const char *taken; // The node's name; NULL: maintenance.
        bool broken;
        const char *says; // In the problem, or in the first verdict.
    } cases[] = {
        {"both", GOOD, OTHER, "", "n1", false, "taken"},
        {"no file on the drive", NULL, OTHER, "", "older", false, "is not there"},
        {"no drive", NULL, OTHER, "there is no drive", "older", false, "there is no drive"},
        {"neither", NULL, NULL, "", NULL, false, "there is no configuration"},
        {"a broken one is not replaced", BROKEN, OTHER, "", NULL, true,
         "weft.toml:2:1: error[W0101]"},
        {"an empty one neither", "", OTHER, "", NULL, true, "is empty"},
        {"a broken copy", NULL, BROKEN, "", NULL, true, "state/weft.toml:2:1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weft_choice choice;
        unlink(drive);
        unlink(kept);
        if (cases[i].on_drive) put(drive, cases[i].on_drive);
        if (cases[i].on_data) put(kept, cases[i].on_data);
        weft_choice_make(&choice, drive, cases[i].absent, kept);
        if (choice.maintenance != (cases[i].taken == NULL)) fail_msg("%s", cases[i].name);
        assert_int_equal(choice.broken, cases[i].broken);
        if (cases[i].taken) assert_string_equal(choice.config.node.name, cases[i].taken);
        const char *said = choice.maintenance ? choice.problem : choice.sources[0].verdict;
        if (strstr(said, cases[i].says) == NULL) fail_msg("%s: %s", cases[i].name, said);
        weft_choice_free(&choice);
    }
}

static void what_is_no_file_is_not_read(void **state)
{
    (void)state;
    struct weft_choice choice;
    assert_int_equal(mkdir(drive, 0700), 0);
    weft_choice_make(&choice, drive, "", kept);
    assert_true(choice.maintenance && choice.broken);
    assert_non_null(strstr(choice.problem, "is not a plain file"));
    rmdir(drive);
    put(drive, "#");
    assert_int_equal(truncate(drive, 10000000), 0);
    weft_choice_make(&choice, drive, "", kept);
    assert_true(choice.maintenance && choice.broken);
    assert_non_null(strstr(choice.problem, "is too large"));
}

static void it_may_be_given_up(void **state)
{
    (void)state;
    struct weft_choice choice;
    put(drive, GOOD);
    weft_choice_make(&choice, drive, "", kept);
    weft_choice_give_up(&choice, "there is no card");
    assert_true(choice.maintenance && choice.broken);
    assert_string_equal(choice.problem, "there is no card");
    assert_string_equal(choice.sources[0].verdict, "there is no card");
    weft_choice_free(&choice);
}

static void what_it_names_is_kept_with_it(void **state)
{
    (void)state;
    struct weft_choice choice;
    char path[128], text[256];
    snprintf(path, sizeof(path), "%s/join.token", root);
    put(path, "secret\n");
    put(drive, "[mesh]\nkey_file = \"join.token\"\n");
    weft_choice_make(&choice, drive, "", kept);
    snprintf(path, sizeof(path), "%s/state", root);
    assert_int_equal(weft_node_config_keep(&choice.config, drive, path), 0);
    weft_choice_free(&choice);
    unlink(drive);
    weft_choice_make(&choice, drive, "", kept);
    assert_false(choice.maintenance);
    snprintf(path, sizeof(path), "%s/state/join.token", root);
    assert_string_equal(choice.config.mesh.key_file, path); // It is complete without the drive.
    assert_true(weft_text_file_read(path, text, sizeof(text)) > 0);
    assert_string_equal(text, "secret\n");
    weft_choice_free(&choice);
}

static void our_own_files_are_not_overwritten(void **state)
{
    (void)state;
    struct weft_choice choice;
    char path[128];
    put(drive, "[mesh]\nkey_file = \"good\"\n");
    weft_choice_make(&choice, drive, "", kept);
    snprintf(path, sizeof(path), "%s/state", root);
    assert_true(weft_node_config_keep(&choice.config, drive, path) < 0);
    assert_int_not_equal(access(kept, F_OK), 0);
    weft_choice_free(&choice);
}

static void weftd_reads_what_is_written_for_it(void **state)
{
    (void)state;
    struct weft_choice choice;
    struct weft_config config;
    struct weft_config_report report;
    const struct weft_node_places places = {"/data", "/run/weft"};
    char path[128];
    snprintf(path, sizeof(path), "%s/run.toml", root);
    put(drive, "[mesh]\nkey_file = \"join.token\"\n[ports.p0]\ndevice = \"null\"\n");
    weft_choice_make(&choice, drive, "", kept);
    assert_int_equal(weft_node_config_write(&choice.config, &places, path), 0);
    weft_choice_free(&choice);
    assert_int_equal(weft_config_load(&config, path, &report), 0);
    assert_string_equal(config.node.data_dir, "/data");
    assert_string_equal(config.admin.socket, "/run/weft/admin.sock");
    assert_string_not_equal(config.mesh.key_file, "join.token"); // Absolute by now.
    assert_int_equal(config.port_count, 1);
    weft_config_free(&config);
    assert_int_equal(weft_node_config_maintenance(&places, NULL, NULL, path), 0);
    assert_int_equal(weft_config_load(&config, path, &report), 0);
    assert_int_equal(config.port_count, 0);
    assert_false(config.journal.enabled);
    assert_string_equal(config.admin.owner_token, "");
    weft_config_free(&config);
    assert_int_equal(weft_node_config_maintenance(&places, "/conf/owner.token", NULL, path), 0);
    assert_int_equal(weft_config_load(&config, path, &report), 0);
    assert_string_equal(config.admin.owner_token, "/conf/owner.token");
    assert_string_equal(config.admin.owner_key, "");
    weft_config_free(&config);
    assert_int_equal(weft_node_config_maintenance(&places, NULL, "/conf/owner.key", path), 0);
    assert_int_equal(weft_config_load(&config, path, &report), 0);
    assert_string_equal(config.admin.owner_token, "");
    assert_string_equal(config.admin.owner_key, "/conf/owner.key");
    weft_config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_sources_in_their_order, make_root, remove_root),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_not_read, make_root, remove_root),
        cmocka_unit_test_setup_teardown(it_may_be_given_up, make_root, remove_root),
        cmocka_unit_test_setup_teardown(what_it_names_is_kept_with_it, make_root, remove_root),
        cmocka_unit_test_setup_teardown(our_own_files_are_not_overwritten, make_root, remove_root),
        cmocka_unit_test_setup_teardown(weftd_reads_what_is_written_for_it, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
