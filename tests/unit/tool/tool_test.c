// The tool as its users see it: what it prints, what it refuses, how it ends.
#include "tests/support/cmocka.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/admin/server.h"
#include "runtime/base/units.h"
#include "runtime/tool/help.h"
#include "runtime/tool/nearest.h"
#include "runtime/tool/output.h"
#include "tests/unit/tool/tool_run.h"

static struct tool_world *world;
static struct tool_result result;

static int setup(void **state)
{
    (void)state;
    world = tool_world_create();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tool_world_free(world);
    return 0;
}

static void tables(void **state)
{
    static const struct {
        const char *words, *out;
    } cases[] = {
        {"version", "weft " WEFT_VERSION "\n"},
        {"swarm status",
         "NODE  STATE  ADDRESS               AGE      RTT    LOAD  UNITS  ID\n"
         "n1    alive  10.77.0.11/24           -        -  12.5 %      1  00000000000000a1\n"
         "n2    alive  10.77.0.12:7400  400.0 ms  35.0 us  50.0 %      2  00000000000000b0\n"
         "n3    dead   10.77.0.13:7400  800.0 ms        -  50.0 %      2  00000000000000b1\n"
         "3 nodes, 2 alive, as n1 sees it\n"},
        {"node ls", "NODE  STATE  MESH     UPTIME  PROCESS  IO     VERSION  ID\n"
                    "n1    ready  joined  1 d 2 h     4242  uring  0.1.0    00000000000000a1\n"},
        {"node show n1", "name      n1\n"
                         "id        00000000000000a1\n"
                         "ready     yes\n"
                         "mesh      joined\n"
                         "version   0.1.0\n"
                         "uptime    1 d 2 h\n"
                         "started   2023-11-14 22:13:20.000\n"
                         "process   4242\n"
                         "config    /etc/weft/weft.toml\n"
                         "io        uring\n"
                         "memory    transparent huge pages\n"
                         "eal       in-memory\n"
                         "cpus      2\n"
                         "draining  no\n"},
        {"drops", "NODE  STAGE  REASON   CORE  COUNT  MEANING\n"
                  "n1    eth    type        1      3  an EtherType that Weft does not speak\n"
                  "n1    udp    no_port     1      2  nobody has bound that UDP port here\n"
                  "n1: received 10 = delivered 5 + dropped 5 + in flight 0 (holds)\n"},
        {"mesh ls n1",
         "NODE  PEER  STATE  ADDRESS               AGE      RTT    LOAD  UNITS  SEED  ID\n"
         "n1    n2    alive  10.77.0.12:7400  400.0 ms  35.0 us  50.0 %      2  yes   "
         "00000000000000b0\n"
         "n1    n3    dead   10.77.0.13:7400  800.0 ms        -  50.0 %      2  no    "
         "00000000000000b1\n"},
        {"unit eval n1/counter '5 add total .'", "8 \n"},
        {"unit eval /counter '5 add total .'", "8 \n"}, // The only node.
        {"api GET /livez", "ok\n"},
        {"mesh ls n1 -o jsonl",
         "{\"node\":\"n1\",\"id\":\"00000000000000b0\",\"name\":\"n2\",\"address\":"
         "\"10.77.0.12:7400\",\"state\":\"alive\",\"age_ns\":400000000,\"rtt_ns\":35000,"
         "\"load_ratio\":0.5,\"units\":2,\"seed\":true}\n"
         "{\"node\":\"n1\",\"id\":\"00000000000000b1\",\"name\":\"n3\",\"address\":"
         "\"10.77.0.13:7400\",\"state\":\"dead\",\"age_ns\":800000000,\"rtt_ns\":0,"
         "\"load_ratio\":0.5,\"units\":2,\"seed\":false}\n"},
        {"unit eval n1/counter x -o json",
         "{\n  \"apiVersion\": \"v1\",\n  \"unit\": \"counter\",\n  \"pid\": "
         "\"0000000000000001\",\n  \"core\": 1,\n  \"throw\": 0,\n  \"output\": \"8 \",\n  "
         "\"output_cut\": false,\n  \"compiling\": false,\n  \"asks\": false,\n  "
         "\"reductions\": 9\n}\n"},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        tool_run(&result, cases[i].words);
        if (result.code != 0 || strcmp(result.out, cases[i].out) != 0) {
            fail_msg("%s: %d\n%s%s", cases[i].words, result.code, result.out, result.err);
        }
        assert_string_equal(result.err, "");
    }
}

// Every list as JSON, and the same items as JSON lines.
static void json(void **state)
{
    static const char *const lists[] = {"swarm status", "node ls", "core ls", "port show", "drops",
                                        "mesh ls",      "unit ls", "events",  "logs"};
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(lists); i++) {
        char words[64];
        snprintf(words, sizeof(words), "%s -o json", lists[i]);
        tool_run(&result, words);
        assert_int_equal(result.code, 0);
        json_t *document = json_loads(result.out, 0, NULL);
        assert_non_null(document);
        assert_string_equal(json_string_value(json_object_get(document, "apiVersion")), "v1");
        const size_t count = json_array_size(json_object_get(document, "items"));
        json_decref(document);

        snprintf(words, sizeof(words), "-o jsonl %s", lists[i]); // Options may come first.
        tool_run(&result, words);
        size_t lines = 0;
        for (char *line = strtok(result.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            json_t *item = json_loads(line, 0, NULL);
            assert_non_null(item);
            json_decref(item);
            lines++;
        }
        assert_int_equal(lines, count);
    }
    tool_run(&result, "unit ls -o json");
    assert_non_null(strstr(result.out, "\"pid\": \"0000000101000000\""));
    assert_non_null(strstr(result.out, "\"memory_bytes\": 65536"));
}

static void refusals(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *err;
    } cases[] = {
        {"", 64, "weft talks to"},
        {"uint ls", 64, "there is no command \"uint\"; did you mean \"unit\"?"},
        {"unit evla", 64, "did you mean \"weft unit eval\"?"},
        {"unit", 64, "unit load"},
        {"unit ls --nod x", 64, "unknown option --nod; did you mean --node?"},
        {"unit ls -o yaml", 64, "table, json and jsonl"},
        {"unit ls --timeout soon", 64, "--timeout soon"},
        {"unit ls --timeout", 64, "--timeout needs TIME"},
        {"unit ls one two", 64, "one word too many: two"},
        {"unit eval n1/counter", 64, "NODE/UNIT TEXT is missing"},
        {"unit eval n1 x", 64, "say NODE/UNIT"},
        {"unit eval n1/a/b x", 64, "cannot be the name of a unit"},
        {"node show n9", 69, "error[W0501] n9 cannot be reached"},
        {"node show ../n1", 65, "cannot be the name of a node"},
        {"node show --socket /nonexistent/x.sock", 69, "error[W0501]"},
        {"unit eval n1/nobody x", 1, "error[W0402] n1 has no unit \"nobody\""},
        {"unit kill n1/nobody", 1, "docs: weft help W0402"},
        {"unit eval n1/counter bad", 65, "eval:1:1: undefined word: bad\n"},
        {"unit load n1 /nonexistent.fth", 65, "No such file"},
        {"api GET /nope", 1, ""},
        {"help nonsense", 1, "there is no help on \"nonsense\""},
        {"completion tcsh", 64, "bash, zsh and fish"},
        {"events --since soon", 64, "--since soon"},
        {"logs --tail many", 64, "that is not a number"},
        {"pcap n1", 64, "-w FILE is missing"},
        {"actor trace n1", 64, "say NODE/ACTOR"},
        {"actor trace n1/nobody", 1, "error[W0801]"},
        {"actor trace n1/counter --for soon", 64, "--for soon"},
        {"actor trace n1/counter --count many", 64, "--count many"},
        {"core trace n1 --actor nobody", 1, "error[W0801]"},
        {"core trace n1 --limit all", 64, "--limit all"},
        {"config check /nonexistent.toml", 78, "nonexistent.toml"},
        {"config explain mesh.gosip_k", 1, "W0101"},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        tool_run(&result, cases[i].words);
        if (result.code != cases[i].code || strstr(result.err, cases[i].err) == NULL) {
            fail_msg("%s: %d\n%s\n%s", cases[i].words, result.code, result.out, result.err);
        }
    }
}

static void no_node_is_said(void **state)
{
    char empty[] = "/tmp/weft-tool-XXXXXX";
    (void)state;

    assert_non_null(mkdtemp(empty));
    setenv("WEFT_RUN_DIR", empty, 1);
    tool_run(&result, "node ls");
    assert_int_equal(result.code, 69);
    assert_non_null(strstr(result.err, "weft lab up"));
    setenv("WEFT_RUN_DIR", tool_world_run(world), 1);
    rmdir(empty);
}

static void a_machines_only_node_is_found(void **state)
{
    char path[128];
    (void)state;

    snprintf(path, sizeof(path), "%s/n1", tool_world_run(world)); // As RUN: n1 is its only node.
    setenv("WEFT_RUN_DIR", path, 1);
    tool_run(&result, "unit eval n1/counter x");
    assert_int_equal(result.code, 0);
    assert_string_equal(result.out, "8 \n");
    tool_run(&result, "node ls");
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.out, "\nn1    ready"));
    tool_run(&result, "node show n2");
    assert_int_equal(result.code, 69);
    setenv("WEFT_RUN_DIR", tool_world_run(world), 1);
}

static void a_dead_node_is_listed(void **state)
{
    char path[128];
    struct weft_error error;
    (void)state;

    // A socket file that nobody serves any more.
    snprintf(path, sizeof(path), "%s/n2", tool_world_run(world));
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/n2/admin.sock", tool_world_run(world));
    const int fd = weft_admin_open_unix(path, &error);
    assert_true(fd >= 0);
    close(fd);
    tool_run(&result, "node ls");
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.out, "\nn2    unreachable  -"));
    tool_run(&result, "unit ls"); // Goes on with those that answer.
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.out, "counter"));
    assert_non_null(strstr(result.err, "n2 cannot be reached"));
    tool_run(&result, "node show"); // Which?
    assert_int_equal(result.code, 64);
    assert_non_null(strstr(result.err, "which node? say n1, n2"));
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static void slow_nodes_time_out(void **state)
{
    struct fake_node *fake = tool_world_node(world);
    (void)state;

    fake->hold = true;
    tool_run(&result, "unit eval n1/counter x --timeout 50ms");
    assert_int_equal(result.code, 124);
    assert_non_null(strstr(result.err, "W0505"));
    fake->hold = false;
    weft_admin_complete(fake->held); // Its client has left.
}

static void units_load_from_files(void **state)
{
    char path[] = "/tmp/weft-unit-XXXXXX", words[128];
    const int fd = mkstemp(path);
    (void)state;

    assert_int_equal(write(fd, ": add + ;\xff\n", 11), 11);
    snprintf(words, sizeof(words), "unit load n1 %s --name mine", path);
    tool_run(&result, words);
    assert_int_equal(result.code, 65);
    assert_non_null(strstr(result.err, "not valid UTF-8"));
    assert_int_equal(ftruncate(fd, 9), 0);
    close(fd);
    snprintf(words, sizeof(words), "unit load n1 %s --name mine --recovery none", path);
    tool_run(&result, words);
    assert_int_equal(result.code, 0);
    assert_string_equal(result.err, "loaded n1/mine\n");
    snprintf(words, sizeof(words), "unit load %s --name counter", path);
    tool_run(&result, words);
    assert_int_equal(result.code, 1);
    assert_non_null(strstr(result.err, "W0403"));
    snprintf(words, sizeof(words), "unit load %s --name x --recovery maybe", path);
    tool_run(&result, words);
    assert_int_equal(result.code, 65);
    unlink(path);
    tool_run(&result, "unit unload n1/counter");
    assert_int_equal(result.code, 0);
    assert_string_equal(result.err, "unloaded n1/counter\n");
}

static void events_merge_in_order(void **state)
{
    struct fake_node *fake = tool_world_node(world);
    (void)state;

    weft_admin_events_add(&fake->events, 2000000000, "node.dead", "n3", "later");
    weft_admin_events_add(&fake->events, 1000000000, "node.up", "n2", "sooner\033[31m");
    tool_run(&result, "events");
    assert_int_equal(result.code, 0);
    const char *sooner = strstr(result.out, "sooner"), *later = strstr(result.out, "later");
    assert_non_null(sooner);
    assert_true(sooner < later);
    tool_run(&result, "events --since 5m"); // Those were in 1970.
    assert_string_equal(result.out, "");
}

static void captures_are_written(void **state)
{
    char path[] = "/tmp/weft-pcap-XXXXXX", words[128], bytes[16] = "";
    close(mkstemp(path));
    (void)state;

    snprintf(words, sizeof(words), "pcap n1 --write=%s -p p0", path);
    tool_run(&result, words);
    assert_int_equal(result.code, 0);
    FILE *file = fopen(path, "r");
    assert_int_equal(fread(bytes, 1, sizeof(bytes), file), 8);
    assert_string_equal(bytes, "PCAPPCAP");
    fclose(file);
    unlink(path);
    tool_run(&result, "pcap n1/p9 -w /tmp/none.pcap");
    assert_int_equal(result.code, 1);
    unlink("/tmp/none.pcap");
}

static void traces_are_lines(void **state)
{
    (void)state;
    tool_run(&result, "actor trace n1/counter");
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.err, "tracing n1/counter, 0000000000000005\nmissed 12: "));
    assert_non_null(strstr(result.out, ".000001  c1  receive  call type 3, 40 bytes from "
                                       "0000000000000006\n"));
    assert_non_null(strstr(result.out, ".000003  c2  0000000000000007  spawn    by "
                                       "0000000000000005\n"));
    assert_non_null(strstr(result.out, ".000004  c2  exit     reason 1 (killed)\n"));
    tool_run(&result, "actor trace n1/counter -c 1 -o json");
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.out, "\"event\":\"begin\""));
    assert_non_null(strstr(result.out, "\"length\":40}\n"));
    assert_null(strstr(result.out, "spawn"));
    tool_run(&result, "core trace n1");
    assert_int_equal(result.code, 0);
    assert_non_null(strstr(result.out, ".000004  c2  0000000000000005  exit     reason 1 "
                                       "(killed)\n"));
    tool_run(&result, "core trace n1 --limit 1 -o jsonl");
    assert_non_null(strstr(result.out, "\"text\":\"killed\"}\n"));
    assert_null(strstr(result.out, "spawn"));
}

static void keys_are_private_and_never_overwritten(void **state)
{
    char directory[] = "/tmp/weft-key-XXXXXX", path[64], words[96];
    struct stat status;
    (void)state;

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/cluster.key", directory);
    snprintf(words, sizeof(words), "mesh keygen %s", path);
    tool_run(&result, words);
    assert_int_equal(result.code, 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 65);
    tool_run(&result, words);
    assert_int_equal(result.code, 78);
    assert_non_null(strstr(result.err, "W0301"));
    unlink(path);
    rmdir(directory);
}

static void every_command_has_help(void **state)
{
    const struct weft_tool_command *command;
    (void)state;

    for (size_t i = 0; (command = &weft_tool_commands[i])->noun != NULL; i++) {
        char words[64];
        if (command->noun[0] == '_') continue;
        snprintf(words, sizeof(words), "%s %s --help", command->noun,
                 command->verb != NULL ? command->verb : "");
        tool_run(&result, words);
        if (result.code != 0 || strstr(result.out, command->summary) == NULL) {
            fail_msg("%s: %d %s", words, result.code, result.out);
        }
        assert_non_null(strstr(result.out, "usage: weft "));
        tool_run(&result, "help");
        assert_non_null(strstr(result.out, command->summary));
    }
    tool_run(&result, "help exit-codes");
    assert_non_null(strstr(result.out, "124"));
    tool_run(&result, "help W0401");
    assert_non_null(strstr(result.out, "the unit's source has an error"));
    tool_run(&result, "help errors");
    assert_non_null(strstr(result.out, "W0701"));
    tool_run(&result, "help unit");
    assert_non_null(strstr(result.out, "unit eval"));
}

static void completion_knows_words_and_names(void **state)
{
    static const struct {
        const char *words, *out;
    } cases[] = {
        {"__complete un", "unit\n"},
        {"__complete unit e", "eval\n"},
        {"__complete node show ''", "n1\n"},
        {"__complete unit eval n", "n1/\n"},
        {"__complete unit eval n1/", "n1/counter\n"},
        {"__complete unit ls --output j", "json\njsonl\n"},
        {"__complete unit ls -n ''", "n1\n"},
        {"__complete pcap n1 --wr", "--write\n"},
        {"__complete completion z", "zsh\n"},
        {"__complete help exit", "exit-codes\n"},
        {"__complete nonsense x", ""},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        tool_run(&result, cases[i].words);
        if (result.code != 0 || strcmp(result.out, cases[i].out) != 0) {
            fail_msg("%s: %s", cases[i].words, result.out);
        }
    }
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < WEFT_COUNT_OF(shells); i++) {
        char words[32];
        snprintf(words, sizeof(words), "completion %s", shells[i]);
        tool_run(&result, words);
        assert_non_null(strstr(result.out, "weft __complete"));
    }
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(weft_nearest_distance("unit", "unit"), 0);
    assert_int_equal(weft_nearest_distance("uint", "unit"), 1); // A swap.
    assert_int_equal(weft_nearest_distance("", "abc"), 3);
    assert_int_equal(weft_nearest_distance("kitten", "sitting"), 3);
}

static void durations(void **state)
{
    uint64_t ns;
    (void)state;

    assert_true(weft_duration_parse("500ms", &ns) && ns == 500 * WEFT_NS_PER_MS);
    assert_true(weft_duration_parse("1.5s", &ns) && ns == 1500 * WEFT_NS_PER_MS);
    assert_true(weft_duration_parse("2h", &ns) && ns == 7200 * WEFT_NS_PER_S);
    assert_true(weft_duration_parse("7", &ns) && ns == 7 * WEFT_NS_PER_S);
    assert_false(weft_duration_parse("", &ns));
    assert_false(weft_duration_parse("-1s", &ns));
    assert_false(weft_duration_parse("1e300s", &ns));
    assert_false(weft_duration_parse("5 apples", &ns));
}

static void cells_do_not_speak_to_the_terminal(void **state)
{
    static const struct weft_column columns[] = {{"A", "a", WEFT_COLUMN_TEXT}, {.title = NULL}};
    char out[128] = "";
    FILE *file = fmemopen(out, sizeof(out), "w");
    const struct weft_tool tool = {.out = file};
    json_t *document = json_pack("{s:[{s:s}]}", "items", "a", "x\033[2J\ny");
    (void)state;

    weft_output_list(&tool, document, columns);
    fclose(file);
    json_decref(document);
    assert_string_equal(out, "A\nx?[2J?y\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables, setup, teardown),
        cmocka_unit_test_setup_teardown(json, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(no_node_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_machines_only_node_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dead_node_is_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_nodes_time_out, setup, teardown),
        cmocka_unit_test_setup_teardown(units_load_from_files, setup, teardown),
        cmocka_unit_test_setup_teardown(events_merge_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(captures_are_written, setup, teardown),
        cmocka_unit_test_setup_teardown(traces_are_lines, setup, teardown),
        cmocka_unit_test(keys_are_private_and_never_overwritten),
        cmocka_unit_test_setup_teardown(every_command_has_help, setup, teardown),
        cmocka_unit_test_setup_teardown(completion_knows_words_and_names, setup, teardown),
        cmocka_unit_test(distances),
        cmocka_unit_test(durations),
        cmocka_unit_test(cells_do_not_speak_to_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
