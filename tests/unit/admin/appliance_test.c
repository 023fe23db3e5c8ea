// Releases over the admin port: what is sent reaches the program that writes, through a pipe that
// is smaller than it; what that says is the answer; and the first process is told to restart.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/admin/appliance.h"
#include "runtime/admin/client.h"
#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "tests/support/cmocka.h"

// Stands for the tool: the shell, whose first argument is the file that it runs, so it is called as
// the tool's command is. (The image's kernel runs no file that begins with #!.) What it gets is in
// DIR/got, its words in DIR/words.
static const char program_text[] =
    "dir=$2\n"
    "[ \"$2\" = --force ] && dir=$3\n"
    "echo \"$0 $*\" >\"$dir/words\"\n"
    "if [ -e \"$dir/refuse\" ]; then\n"
    "    echo '{\"code\":\"W0904\",\"detail\":\"too old\",\"hint\":\"\"}'\n"
    "    exit 1\n"
    "fi\n"
    "cat >\"$dir/got\"\n"
    "[ -e \"$dir/silent\" ] || echo '{\"apiVersion\":\"v1\",\"items\":[]}'\n";

struct world {
    char directory[64], init_path[96], socket[96], boot[96], try_file[96];
    const char *extra[2];
    struct weft_appliance appliance;
    struct weft_admin_events events;
    struct weft_admin_server *server;
    pthread_t server_thread, init_thread;
    int init_fd;
    char told[64];     // What the first process was told last.
    _Atomic bool stop; // Set by the test, read by the thread that turns; nothing else hangs on it.
};

static void *turn(void *self)
{
    struct world *world = self;
    const struct weft_poller poller = weft_appliance_poller(&world->appliance);
    const struct weft_clock clock = weft_clock_linux();

    while (!atomic_load(&world->stop)) {
        weft_admin_server_turn(world->server, 2);
        poller.poll(poller.self, weft_clock_now_ns(&clock));
    }
    return NULL;
}

// The first process: a line in, a line out.
static void *answer_as_init(void *self)
{
    struct world *world = self;
    int fd;

    while ((fd = accept(world->init_fd, NULL, NULL)) >= 0) {
        const ssize_t count = read(fd, world->told, sizeof(world->told) - 1);
        world->told[count > 0 ? count : 0] = '\0';
        const char *answer = strcmp(world->told, "reset\n") == 0
                                 ? "{\"ok\":false,\"error\":\"not today\"}\n"
                                 : "{\"ok\":true}\n";
        (void)!write(fd, answer, strlen(answer));
        close(fd);
    }
    return NULL;
}

static void start_init(struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, world->init_path);
    world->init_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(world->init_fd >= 0);
    assert_int_equal(bind(world->init_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(world->init_fd, 4), 0);
    assert_int_equal(pthread_create(&world->init_thread, NULL, answer_as_init, world), 0);
}

static void write_file(const struct world *world, const char *name, const char *text, mode_t mode)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", world->directory, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    struct weft_error error = {0};

    weft_assert(world != NULL);
    strcpy(world->directory, "/tmp/weft-appliance-XXXXXX");
    weft_assert(mkdtemp(world->directory) != NULL);
    snprintf(world->init_path, sizeof(world->init_path), "%s/init.sock", world->directory);
    snprintf(world->socket, sizeof(world->socket), "%s/admin.sock", world->directory);
    snprintf(world->boot, sizeof(world->boot), "%s/boot.json", world->directory);
    snprintf(world->try_file, sizeof(world->try_file), "%s/try.toml", world->directory);
    write_file(world, "__update", program_text, 0600);
    weft_assert(chdir(world->directory) == 0);
    world->extra[0] = world->directory;
    weft_admin_events_init(&world->events, 0);
    weft_appliance_init(&world->appliance,
                        &(struct weft_appliance_options){.program = "/bin/sh",
                                                         .init_socket = world->init_path,
                                                         .boot_file = world->boot,
                                                         .log_dir = world->directory,
                                                         .data_dir = world->directory,
                                                         .try_file = world->try_file,
                                                         .config_file = world->boot,
                                                         .extra = world->extra,
                                                         .clock = weft_clock_linux(),
                                                         .events = &world->events});
    const struct weft_admin_options options = {.clock = weft_clock_linux(),
                                               .routes = weft_appliance_routes,
                                               .route_self = &world->appliance};
    signal(SIGPIPE, SIG_IGN); // As weftd does.
    world->server = weft_admin_server_create(&options);
    weft_assert(world->server != NULL);
    weft_assert(weft_admin_listen_unix(world->server, world->socket, &error) == 0);
    start_init(world);
    weft_assert(pthread_create(&world->server_thread, NULL, turn, world) == 0);
    *state = world;
    return 0;
}

static void stop_init(struct world *world)
{
    if (world->init_fd < 0) return;
    shutdown(world->init_fd, SHUT_RDWR);
    pthread_join(world->init_thread, NULL);
    close(world->init_fd);
    unlink(world->init_path);
    world->init_fd = -1;
}

static int teardown(void **state)
{
    struct world *world = *state;
    char command[128];

    atomic_store(&world->stop, true);
    pthread_join(world->server_thread, NULL);
    stop_init(world);
    weft_appliance_destroy(&world->appliance);
    weft_admin_server_free(world->server);
    weft_assert(chdir("/") == 0);
    snprintf(command, sizeof(command), "rm -rf %s", world->directory);
    const int result = system(command);
    free(world);
    return result;
}

static struct weft_client_target target_of(const struct world *world)
{
    struct weft_client_target target = {.name = "n1"};

    snprintf(target.path, sizeof(target.path), "%s", world->socket);
    return target;
}

struct source {
    uint64_t given;
};

// The same byte at the same place, always.
static int64_t read_source(void *self, char *bytes, size_t limit)
{
    struct source *source = self;

    for (size_t i = 0; i < limit; i++)
        bytes[i] = (char)((source->given + i) * 2654435761u >> 13);
    source->given += limit;
    return (int64_t)limit;
}

// Sends a bundle of that length; the status, with the document in `answer`.
static unsigned send_bundle(const struct world *world, const char *path, uint64_t bytes,
                            uint64_t *given, struct weft_client_answer *answer)
{
    struct source source = {.given = 0};
    const struct weft_client_target target = target_of(world);
    const struct weft_client_upload upload = {.bytes = bytes, .read = read_source, .self = &source};
    const struct weft_client_call call = {.method = "POST", .path = path, .upload = &upload};
    struct weft_error error = {0};

    if (weft_client_ask(&target, &call, answer, &error) != 0) fail_msg("%s", error.text);
    *given = source.given;
    return answer->status;
}

static unsigned ask(const struct world *world, const char *method, const char *path,
                    struct weft_client_answer *answer)
{
    const struct weft_client_target target = target_of(world);
    const struct weft_client_call call = {.method = method, .path = path};
    struct weft_error error = {0};

    if (weft_client_ask(&target, &call, answer, &error) != 0) fail_msg("%s", error.text);
    return answer->status;
}

#define BUNDLE_BYTES (5 * 32768 * 32) // 5 MiB, more than any pipe holds.

static void a_bundle_arrives_whole(void **state)
{
    struct world *world = *state;
    struct weft_client_answer answer;
    char path[128], bytes[4096], wanted[4096];
    uint64_t given;

    assert_int_equal(
        send_bundle(world, "/api/v1/node/upgrade?force=true", BUNDLE_BYTES, &given, &answer), 200);
    assert_non_null(strstr(answer.body, "\"apiVersion\""));
    weft_client_answer_destroy(&answer);
    assert_int_equal(given, BUNDLE_BYTES);
    snprintf(path, sizeof(path), "%s/got", world->directory);
    FILE *got = fopen(path, "re");
    assert_non_null(got);
    struct source source = {.given = 0};
    size_t count, total = 0;
    while ((count = fread(bytes, 1, sizeof(bytes), got)) > 0) {
        read_source(&source, wanted, count);
        assert_memory_equal(bytes, wanted, count);
        total += count;
    }
    fclose(got);
    assert_int_equal(total, BUNDLE_BYTES);
    snprintf(path, sizeof(path), "%s/words", world->directory);
    FILE *words = fopen(path, "re");
    assert_non_null(fgets(bytes, sizeof(bytes), words));
    fclose(words);
    assert_int_equal(strncmp(bytes, "__update apply --force ", 23), 0);
    assert_string_equal(weft_admin_events_after(&world->events, 0)->type, "update.written");
}

// The program refuses after its first look: the answer is its own, and comes although most of the
// bundle was never taken.
static void a_refusal_is_its_answer(void **state)
{
    struct world *world = *state;
    struct weft_client_answer answer;
    uint64_t given;

    write_file(world, "refuse", "", 0600);
    assert_int_equal(send_bundle(world, "/api/v1/node/upgrade", BUNDLE_BYTES, &given, &answer),
                     409);
    assert_non_null(strstr(answer.body, "W0904"));
    assert_non_null(strstr(answer.body, "too old"));
    weft_client_answer_destroy(&answer);
    assert_string_equal(weft_admin_events_after(&world->events, 0)->type, "update.refused");
}

static void silence_is_an_error(void **state)
{
    struct world *world = *state;
    struct weft_client_answer answer;
    uint64_t given;

    write_file(world, "silent", "", 0600);
    assert_int_equal(send_bundle(world, "/api/v1/node/upgrade", 32768, &given, &answer), 500);
    assert_non_null(strstr(answer.body, "W0906"));
    weft_client_answer_destroy(&answer);
}

// A client that leaves in the middle ends the program's input; the next update finds it free.
static void who_leaves_is_forgotten(void **state)
{
    static const char request[] = "POST /api/v1/node/upgrade HTTP/1.1\r\nHost: w\r\n"
                                  "Content-Length: 100000\r\n\r\nhalf of it";
    struct world *world = *state;
    struct weft_client_answer answer;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t given;
    unsigned status;

    strcpy(address.sun_path, world->socket);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
    do { // Until the server has read it: then it says that an update is under way.
        status = send_bundle(world, "/api/v1/node/upgrade", 32768, &given, &answer);
        if (status != 200) assert_non_null(strstr(answer.body, "W0905"));
        weft_client_answer_destroy(&answer);
    } while (status == 200);
    assert_int_equal(status, 409);
    close(fd);
    do {
        status = send_bundle(world, "/api/v1/node/upgrade", 32768, &given, &answer);
        weft_client_answer_destroy(&answer);
    } while (status == 409);
    assert_int_equal(status, 200);
}

static void the_first_process_is_told(void **state)
{
    static const struct {
        const char *path, *told;
        unsigned status;
    } cases[] = {{"/api/v1/node/reboot", "reboot\n", 202},
                 {"/api/v1/node/poweroff", "poweroff\n", 202},
                 {"/api/v1/node/reset", "reset\n", 409}};
    struct world *world = *state;
    struct weft_client_answer answer;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        assert_int_equal(ask(world, "POST", cases[i].path, &answer), cases[i].status);
        assert_string_equal(world->told, cases[i].told);
        if (cases[i].status == 409) assert_non_null(strstr(answer.body, "not today"));
        weft_client_answer_destroy(&answer);
    }
}

// What the first process reads is one line: a disk's name that would make it two is refused.
static void a_disk_is_one_word(void **state)
{
    static const struct {
        const char *body, *told; // NULL: nothing.
    } cases[] = {
        {"{\"disk\":\"/dev/sda\"}", "install /dev/sda\n"},
        {"{\"disk\":\"auto\",\"erase\":true}", "install auto erase\n"},
        {"{\"disk\":\"sda\\nreset\"}", NULL},
        {"{\"disk\":\"sda erase\"}", NULL},
        {"{\"disk\":\"\"}", NULL},
        {"{\"erase\":true}", NULL},
        {"sda", NULL},
        {"", NULL},
    };
    struct world *world = *state;
    const struct weft_client_target target = target_of(world);

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        const struct weft_client_call call = {.method = "POST",
                                              .path = "/api/v1/node/install",
                                              .body = cases[i].body,
                                              .body_length = strlen(cases[i].body)};
        struct weft_client_answer answer;

        world->told[0] = '\0';
        assert_int_equal(weft_client_ask(&target, &call, &answer, NULL), 0);
        if ((answer.status == 202) != (cases[i].told != NULL)) fail_msg("%s", cases[i].body);
        weft_client_answer_destroy(&answer);
        assert_string_equal(world->told, cases[i].told != NULL ? cases[i].told : "");
    }
}

// A configuration to be tried is written whole, with its time, before the restart is asked for.
static void a_configuration_is_tried(void **state)
{
    static const char body[] = "[node]\nname = \"n1\"\n";
    struct world *world = *state;
    const struct weft_client_target target = target_of(world);
    struct weft_client_call call = {
        .method = "POST", .path = "/api/v1/config/try?seconds=90", .body = body};
    struct weft_client_answer answer;
    char text[256];

    call.body_length = strlen(body);
    assert_int_equal(weft_client_ask(&target, &call, &answer, NULL), 0);
    assert_int_equal(answer.status, 202);
    weft_client_answer_destroy(&answer);
    assert_string_equal(world->told, "reboot\n");
    FILE *file = fopen(world->try_file, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, "# weft try 90\n[node]\nname = \"n1\"\n");

    // What runs is the file that was chosen, if the first process says which.
    write_file(world, "boot.json", "{}", 0600);
    assert_int_equal(ask(world, "GET", "/api/v1/config", &answer), 200);
    assert_string_equal(answer.body, "{}");
    weft_client_answer_destroy(&answer);
    write_file(world, "chosen.toml", "# chosen\n", 0600);
    snprintf(text, sizeof(text), "{\"config\":{\"path\":\"%s/chosen.toml\"}}", world->directory);
    write_file(world, "boot.json", text, 0600);
    assert_int_equal(ask(world, "GET", "/api/v1/config", &answer), 200);
    assert_string_equal(answer.body, "# chosen\n");
    weft_client_answer_destroy(&answer);

    call.path = "/api/v1/config/try?seconds=5";
    assert_int_equal(weft_client_ask(&target, &call, &answer, NULL), 0);
    assert_int_equal(answer.status, 400);
    weft_client_answer_destroy(&answer);
    assert_int_equal(ask(world, "POST", "/api/v1/config/confirm", &answer), 202);
    assert_string_equal(world->told, "confirm\n");
    weft_client_answer_destroy(&answer);
}

static void what_is_kept_can_be_read(void **state)
{
    struct world *world = *state;
    struct weft_client_answer answer;

    assert_int_equal(ask(world, "GET", "/api/v1/node/panic", &answer), 404);
    weft_client_answer_destroy(&answer);
    write_file(world, "boot.json", "{\"slot\":\"a\"}\n", 0600);
    write_file(world, "panic-20260101T000000Z-x", "old", 0600);
    write_file(world, "panic-20260201T000000Z-x", "it fell over", 0600);
    assert_int_equal(ask(world, "GET", "/api/v1/node/boot", &answer), 200);
    assert_string_equal(answer.body, "{\"slot\":\"a\"}\n");
    weft_client_answer_destroy(&answer);
    assert_int_equal(ask(world, "GET", "/api/v1/node/panic", &answer), 200);
    assert_string_equal(answer.body, "it fell over");
    weft_client_answer_destroy(&answer);

    assert_int_equal(ask(world, "GET", "/api/v1/node/crash", &answer), 404);
    weft_client_answer_destroy(&answer);
    write_file(world, "crash-20260101T000000Z-7.txt", "a bad pointer", 0600);
    write_file(world, "crash-20260201T000000Z-8.new", "", 0600); // Of the node that runs.
    assert_int_equal(ask(world, "GET", "/api/v1/node/crash", &answer), 200);
    assert_string_equal(answer.body, "a bad pointer");
    weft_client_answer_destroy(&answer);
}

static void the_log_goes_back_over_boots(void **state)
{
    static const struct {
        const char *query;
        unsigned status;
        const char *body;
    } cases[] = {
        {"", 200, "a tail\n== boot 1\none\n== boot 2\ntwo\nmore\n== boot 3\nthree\n"},
        {"?boot=0", 200, "== boot 3\nthree\n"},
        {"?boot=-1", 200, "== boot 2\ntwo\nmore\n"},
        {"?boot=-1&tail=1", 200, "more\n"},
        {"?boot=-2&tail=99", 200, "== boot 1\none\n"},
        {"?boot=-3", 200, "a tail\n"},
        {"?boot=-4", 404, "W0503"},
        {"?tail=2", 200, "== boot 3\nthree\n"},
        {"?tail=0", 400, "W0504"},
        {"?boot=last", 400, "W0504"},
        {"?boot=-", 400, "W0504"},
    };
    struct world *world = *state;
    struct weft_client_answer answer;
    char path[64];

    assert_int_equal(ask(world, "GET", "/api/v1/node/log", &answer), 404);
    weft_client_answer_destroy(&answer);
    write_file(world, "weftd.log.old", "a tail\n== boot 1\none\n== boot 2\ntwo\n", 0600);
    write_file(world, "weftd.log", "more\n== boot 3\nthree\n", 0600);
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        snprintf(path, sizeof(path), "/api/v1/node/log%s", cases[i].query);
        assert_int_equal(ask(world, "GET", path, &answer), cases[i].status);
        if (cases[i].status == 200)
            assert_string_equal(answer.body, cases[i].body);
        else
            assert_non_null(strstr(answer.body, cases[i].body));
        weft_client_answer_destroy(&answer);
    }
}

struct reader {
    struct world *world;
    char text[256];
    size_t length;
};

// Each piece that comes makes the log longer: a line, then a file of its own, then the end.
static int take_log(void *self, const char *bytes, size_t length)
{
    struct reader *reader = self;
    char from[128], to[128];

    assert_true(length < sizeof(reader->text) - reader->length);
    memcpy(reader->text + reader->length, bytes, length);
    reader->length += length;
    if (strstr(reader->text, "last\n") != NULL) return -1;
    if (strstr(reader->text, "next\n") != NULL) {
        snprintf(from, sizeof(from), "%s/weftd.log", reader->world->directory);
        snprintf(to, sizeof(to), "%s/weftd.log.old", reader->world->directory);
        assert_int_equal(rename(from, to), 0);
        write_file(reader->world, "weftd.log", "last\n", 0600);
    } else {
        write_file(reader->world, "weftd.log", "== boot 1\nfirst\nnext\n", 0600);
    }
    return 0;
}

static void the_log_is_followed_into_its_next_file(void **state)
{
    struct world *world = *state;
    struct reader reader = {.world = world};
    const struct weft_client_target target = target_of(world);
    const struct weft_client_call call = {.method = "GET",
                                          .path = "/api/v1/node/log?boot=0&tail=1&follow=true"};
    struct weft_error error = {0};

    write_file(world, "weftd.log", "== boot 1\nfirst\n", 0600);
    assert_int_equal(weft_client_stream(&target, &call, take_log, &reader, NULL, &error), 0);
    assert_string_equal(reader.text, "first\nnext\nlast\n");
}

// Nobody reads at that socket any more.
static void a_first_process_that_is_gone_is_said(void **state)
{
    struct world *world = *state;
    struct weft_client_answer answer;

    stop_init(world);
    write_file(world, "init.sock", "", 0600);
    assert_int_equal(ask(world, "POST", "/api/v1/node/reboot", &answer), 500);
    assert_non_null(strstr(answer.body, "W0906"));
    weft_client_answer_destroy(&answer);
}

// It may take its time, but not for ever; and the control core does not wait for it.
static void a_first_process_that_is_silent_is_given_up(void **state)
{
    struct world *world = *state;
    struct weft_init_ask ask = {.command = NULL};
    struct weft_admin_command *command = calloc(1, sizeof(*command));

    stop_init(world);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, world->init_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    weft_init_ask_start(&ask, world->init_path, "confirm", command, 100);
    assert_false(weft_init_ask_poll(&ask, 99));
    assert_ptr_equal(ask.command, command);
    assert_true(weft_init_ask_poll(&ask, 100));
    assert_null(ask.command);
    assert_false(weft_init_ask_poll(&ask, 101));
    close(fd);
    unlink(world->init_path);
}

static void without_an_image_all_say_so(void **state)
{
    struct world *world = *state;
    struct weft_client_answer answer;
    uint64_t given;

    stop_init(world);
    for (const struct weft_admin_route *route = weft_appliance_routes; route->method != NULL;
         route++) {
        if (strcmp(route->path, "/api/v1/config") == 0) continue;     // Every node has one,
        if (strcmp(route->path, "/api/v1/node/crash") == 0) continue; // and may crash.
        const unsigned status = route->intake != NULL
                                    ? send_bundle(world, route->path, BUNDLE_BYTES, &given, &answer)
                                    : ask(world, route->method, route->path, &answer);
        assert_int_equal(status, 409);
        assert_non_null(strstr(answer.body, "W0901"));
        if (route->intake != NULL) assert_int_equal(given, 0); // Refused at its headers.
        weft_client_answer_destroy(&answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bundle_arrives_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refusal_is_its_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(who_leaves_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_process_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_disk_is_one_word, setup, teardown),
        cmocka_unit_test_setup_teardown(a_configuration_is_tried, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_can_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_goes_back_over_boots, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_is_followed_into_its_next_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_first_process_that_is_gone_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_first_process_that_is_silent_is_given_up, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_an_image_all_say_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
