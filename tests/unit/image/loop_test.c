// The loop, and what hangs in it: timers, the control socket, a question to weftd's socket, a child
// that is started again.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/init/daemon.h"
#include "image/init/init_socket.h"
#include "image/init/node_log.h"
#include "image/init/panic_log.h"
#include "image/init/probe.h"
#include "image/init/run.h"
#include "image/init/text_file.h"
#include "runtime/base/file.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/weft-loop.XXXXXX");
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static void path_of(char path[108], const char *name)
{
    snprintf(path, 108, "%s/%s", directory, name);
}

static struct sockaddr_un address_of(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    path_of(address.sun_path, name);
    return address;
}

// ---- Timers.

struct order {
    struct weft_loop *loop;
    struct weft_loop_timer timers[3];
    char fired[8];
};

static void fire(struct order *order, char letter)
{
    order->fired[strlen(order->fired)] = letter;
}

static void fire_a(void *self)
{
    struct order *order = self;
    fire(order, 'a');
    weft_loop_cancel(&order->timers[2]);
}

static void fire_b(void *self)
{
    fire(self, 'b');
}

static void fire_c(void *self)
{
    fire(self, 'c');
}

static void timers_fire_in_their_order(void **state)
{
    (void)state;
    struct weft_loop loop;
    struct order order = {.loop = &loop};
    weft_loop_init(&loop);
    weft_loop_timer_init(&order.timers[0], fire_a, &order);
    weft_loop_timer_init(&order.timers[1], fire_b, &order);
    weft_loop_timer_init(&order.timers[2], fire_c, &order);
    weft_loop_after(&loop, &order.timers[1], 2 * WEFT_NS_PER_MS);
    weft_loop_after(&loop, &order.timers[2], 3 * WEFT_NS_PER_MS);
    weft_loop_after(&loop, &order.timers[0], 60 * WEFT_NS_PER_S);
    weft_loop_after(&loop, &order.timers[0], 1 * WEFT_NS_PER_MS); // Moved.
    // However long these calls took: they are in the list in another order than they are due.
    for (size_t i = 0; i < 3; i++) {
        order.timers[i].at_ns = loop.now_ns + (i + 1) * WEFT_NS_PER_MS;
    }
    while (!strchr(order.fired, 'b')) {
        weft_loop_turn(&loop);
    }
    assert_string_equal(order.fired, "ab"); // c was called off by a.
    assert_false(weft_loop_is_set(&order.timers[2]));
}

static void there_are_only_so_many_watches(void **state)
{
    (void)state;
    struct weft_loop loop;
    weft_loop_init(&loop);
    for (int fd = 100; fd < 100 + WEFT_LOOP_WATCHES_MAX; fd++) {
        assert_int_equal(weft_loop_watch(&loop, fd, POLLIN, NULL, NULL), 0);
    }
    assert_int_equal(weft_loop_watch(&loop, 99, POLLIN, NULL, NULL), -ENOSPC);
    assert_int_equal(weft_loop_watch(&loop, 100, POLLIN, NULL, NULL), 0); // One that is there.
    weft_loop_unwatch(&loop, 110);
    assert_int_equal(weft_loop_watch(&loop, 99, POLLIN, NULL, NULL), 0);
}

// ---- The control socket.

struct asked {
    enum weft_init_socket_verb verbs[8];
    char words[32];
    size_t count;
};

static void act(void *self, enum weft_init_socket_verb verb, const char *words, FILE *answer)
{
    struct asked *asked = self;
    asked->verbs[asked->count++] = verb;
    snprintf(asked->words, sizeof(asked->words), "%s", words);
    fputs("{\"ok\":true}", answer);
}

static void a_line_is_answered(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum weft_init_socket_verb verb;
    } cases[] = {
        {"status\n", WEFT_INIT_SOCKET_STATUS},
        {"confirm\n", WEFT_INIT_SOCKET_CONFIRM},
        {"reboot\n", WEFT_INIT_SOCKET_REBOOT},
        {"reset\n", WEFT_INIT_SOCKET_RESET},
        {"install sda erase\n", WEFT_INIT_SOCKET_INSTALL},
        {"reboot now\n", WEFT_INIT_SOCKET_UNKNOWN},
        {"\n", WEFT_INIT_SOCKET_UNKNOWN},
    };
    struct weft_loop loop;
    struct weft_init_socket server;
    struct asked asked = {.count = 0};
    const struct sockaddr_un address = address_of("init.sock");
    weft_loop_init(&loop);
    assert_int_equal(weft_init_socket_open(&server, &loop, address.sun_path, act, &asked), 0);
    struct stat status;
    assert_int_equal(stat(address.sun_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char answer[32] = "";
        const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_true(write(fd, cases[i].line, strlen(cases[i].line)) > 0);
        while (asked.count == i) {
            weft_loop_turn(&loop);
        }
        assert_int_equal(asked.verbs[i], cases[i].verb);
        const bool has_words = asked.verbs[i] == WEFT_INIT_SOCKET_INSTALL;
        assert_string_equal(asked.words, has_words ? "sda erase" : "");
        assert_int_equal(read(fd, answer, sizeof(answer)), 12);
        assert_string_equal(answer, "{\"ok\":true}\n");
        assert_int_equal(read(fd, answer, sizeof(answer)), 0); // And then it is closed.
        close(fd);
    }
    weft_init_socket_close(&server);
}

static void a_line_without_an_end_is_let_go(void **state)
{
    (void)state;
    struct weft_loop loop;
    struct weft_init_socket server;
    struct asked asked = {.count = 0};
    char noise[200]; // Longer than any line.
    const struct sockaddr_un address = address_of("init.sock");
    weft_loop_init(&loop);
    assert_int_equal(weft_init_socket_open(&server, &loop, address.sun_path, act, &asked), 0);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    memset(noise, 'x', sizeof(noise));
    assert_int_equal(write(fd, noise, sizeof(noise)), sizeof(noise));
    weft_loop_turn(&loop);
    weft_loop_turn(&loop);
    char byte;
    assert_true(read(fd, &byte, 1) <= 0);
    assert_int_equal(asked.count, 0);
    close(fd);
    weft_init_socket_close(&server);
}

// ---- Questions to weftd.

static void answers_of_http(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\nready\n", 200},
        {"HTTP/1.0 503 No\r\n", 503},
        {"HTTP/1.1 20", -EPROTO},
        {"HTTP/1.1 2000 OK", -EPROTO},
        {"HTTP/2 200", -EPROTO},
        {"", -EPROTO},
        {"HTTP/1.1 099 x", -EPROTO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(weft_probe_status(cases[i].text), cases[i].status);
    }
    assert_string_equal(weft_probe_body(cases[0].text), "ready\n");
    assert_string_equal(weft_probe_body(cases[1].text), "");
}

static void note_status(void *self, int status)
{
    *(int *)self = status;
}

static void a_question_is_answered_or_given_up(void **state)
{
    (void)state;
    struct weft_loop loop;
    struct weft_probe probe;
    int status = 0;
    char request[256] = "";
    const struct sockaddr_un address = address_of("admin.sock");
    weft_loop_init(&loop);
    weft_probe_init(&probe, &loop, note_status, &status);
    weft_probe_get(&probe, address.sun_path, "/livez", WEFT_NS_PER_S);
    assert_int_equal(status, -ENOENT); // Nobody is there.

    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server, 1), 0);
    status = 0;
    weft_probe_get(&probe, address.sun_path, "/livez", 60 * WEFT_NS_PER_S);
    const int peer = accept(server, NULL, NULL);
    assert_true(read(peer, request, sizeof(request) - 1) > 0);
    assert_int_equal(strncmp(request, "GET /livez HTTP/1.0\r\n", 21), 0);
    assert_int_equal(write(peer, "HTTP/1.1 200 OK\r\n\r\nok\n", 22), 22);
    close(peer);
    while (status == 0) {
        weft_loop_turn(&loop);
    }
    assert_int_equal(status, 200);
    assert_string_equal(weft_probe_body(probe.answer), "ok\n");

    status = 0;
    weft_probe_get(&probe, address.sun_path, "/livez", WEFT_NS_PER_MS);
    while (status == 0) {
        weft_loop_turn(&loop);
    }
    assert_int_equal(status, -ETIMEDOUT);
    close(server);
}

// ---- A child.

struct household {
    struct weft_loop loop;
    struct weft_say say;
    struct weft_daemon daemon;
    int ready, bad, ended;
};

static void on_ready(void *self)
{
    ((struct household *)self)->ready++;
}

static void on_bad(void *self)
{
    ((struct household *)self)->bad++;
}

static void on_ended(void *self)
{
    ((struct household *)self)->ended++;
}

// The image's own kernel runs no file that begins with #!, and says so by ENOEXEC: there the test
// is skipped. Whatever else goes wrong is a failure.
static void need_scripts(void)
{
    char path[108];
    int status = 0;
    path_of(path, "script");
    assert_int_equal(weft_file_replace(path, "#!/bin/sh\nexit 3\n", 17, 0700), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, (char *)NULL);
        _exit(errno == ENOEXEC ? 126 : 127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 126) skip();
    assert_int_equal(WEXITSTATUS(status), 3);
}

static void settle(struct household *house, const char *script, char program[108])
{
    memset(house, 0, sizeof(*house));
    house->say.fd = -1;
    need_scripts();
    path_of(program, "weftd");
    assert_int_equal(weft_file_replace(program, script, strlen(script), 0700), 0);
    weft_loop_init(&house->loop);
    weft_daemon_init(&house->daemon, &house->loop, &house->say);
    house->daemon.program = program;
    house->daemon.config_path = "/nowhere";
    house->daemon.ready = on_ready;
    house->daemon.bad_config = on_bad;
    house->daemon.ended = on_ended;
    house->daemon.self = house;
    weft_daemon_start(&house->daemon);
}

static void reap(struct household *house)
{
    int status;
    const pid_t pid = waitpid(-1, &status, 0);
    assert_true(weft_daemon_reaped(&house->daemon, pid, status));
}

static void a_child_is_ready_and_stops(void **state)
{
    (void)state;
    struct household house;
    char program[108];
    settle(&house,
           "#!/bin/sh\n[ \"$1 $2 $3\" = '--config /nowhere --ready-fd' ] || exit 78\n"
           "echo an error of old\necho ready >&\"$4\"\neval \"exec $4>&-\"\nexec sleep 1000\n",
           program);
    while (house.ready == 0) {
        weft_loop_turn(&house.loop);
    }
    assert_int_equal(house.daemon.state, WEFT_DAEMON_READY);
    weft_daemon_stop(&house.daemon, 60 * WEFT_NS_PER_S);
    reap(&house);
    assert_int_equal(house.ended, 1);
    assert_int_equal(house.daemon.state, WEFT_DAEMON_STOPPED);
    assert_int_equal(house.say.error_count, 0); // It was asked to.
    assert_string_equal(weft_daemon_last_error(&house.daemon), "an error of old");
}

static void a_child_that_ends_is_started_again(void **state)
{
    (void)state;
    struct household house;
    char program[108];
    settle(&house, "#!/bin/sh\necho 'error[W0202] no card'\necho hint\nexit 70\n", program);
    reap(&house);
    assert_int_equal(house.daemon.state, WEFT_DAEMON_WAITING);
    assert_int_equal(house.say.error_count, 1);
    assert_string_equal(house.say.errors[0], "weftd ended with status 70: error[W0202] no card");
    while (house.daemon.start_count < 2) {
        weft_loop_turn(&house.loop);
    }
    reap(&house);
    assert_int_equal(house.daemon.end_count, 2);
    weft_daemon_stop(&house.daemon, 0);
    assert_int_equal(house.daemon.state, WEFT_DAEMON_STOPPED);
}

static void a_bad_configuration_is_told(void **state)
{
    (void)state;
    struct household house;
    char program[108];
    settle(&house, "#!/bin/sh\nexit 78\n", program);
    reap(&house);
    assert_int_equal(house.bad, 1);
    assert_int_equal(house.daemon.state, WEFT_DAEMON_STOPPED);
}

static void another_program_is_run_to_its_end(void **state)
{
    (void)state;
    char said[16];
    const char *const good[] = {"/bin/sh", "-c", "echo a long story with an end; exit 3", NULL};
    const char *const missing[] = {"/nowhere", NULL};
    assert_int_equal(weft_run(good, said, sizeof(said)), 3);
    assert_string_equal(said, "ry with an end");
    assert_int_equal(weft_run(missing, said, sizeof(said)), 127);
}

// ---- What a panic leaves.

static void panics_are_kept(void **state)
{
    (void)state;
    char from[108], to[108], path[300], newest[512];
    path_of(from, "pstore");
    path_of(to, "log");
    mkdir(from, 0700);
    mkdir(to, 0700);
    assert_int_equal(weft_panic_log_take(from, to, newest, sizeof(newest)), 0);
    assert_string_equal(newest, "");
    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof(path), "%s/dmesg-efi-%d", from, i);
        assert_int_equal(weft_file_replace(path, "Oops", 4, 0600), 0);
    }
    assert_int_equal(weft_panic_log_take(from, to, newest, sizeof(newest)), 10);
    assert_int_equal(rmdir(from), 0); // All have left it.
    assert_non_null(strstr(newest, "dmesg-efi-9"));
    const char *const count[] = {"/bin/sh", "-c", "ls \"$0\" | wc -l", to, NULL};
    assert_int_equal(weft_run(count, path, sizeof(path)), 0);
    assert_string_equal(path, "8");
}

// What the kernel's pstore shows after an oops and a panic, with EFI variables: a kilobyte each,
// the end of the text first. Between them lies a dump of an earlier boot, with the same number.
static void parts_of_a_panic_become_one_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        time_t at;
    } records[] = {
        {"dmesg-efi_pstore-176419840001001", "Oops#1 Part1\n<4>[    7.1] ---[ end trace ]---\n",
         1764198400},
        {"dmesg-efi_pstore-176419840101002",
         "Panic#2 Part1\n<0>[    8.2] Kernel panic - not syncing: VFS\n"
         "<0>[    8.3] ---[ end Kernel panic ]---",
         1764198401},
        {"dmesg-efi_pstore-176419840102002",
         "Panic#2 Part2\n<6>[    5.0] weft-init: Weft\n<4>[    8.1] Call trace:\n", 1764198401},
        {"dmesg-efi_pstore-176419840203002", "Panic#2 Part3\n<6>[    0.0] Booting Linux\n",
         1764198402},
        {"dmesg-efi_pstore-176400000001002", "Panic#2 Part1\n<0>[    3.0] another boot\n",
         1764000000},
        {"dmesg-ramoops-0", "no head at all\n", 1763000000},
    };
    char from[108], to[108], path[300], newest[512], text[512];
    path_of(from, "pstore");
    path_of(to, "log");
    mkdir(from, 0700);
    mkdir(to, 0700);
    for (size_t i = 0; i < WEFT_COUNT_OF(records); i++) {
        const struct timespec times[2] = {{.tv_sec = records[i].at}, {.tv_sec = records[i].at}};
        snprintf(path, sizeof(path), "%s/%s", from, records[i].name);
        assert_int_equal(weft_file_replace(path, records[i].text, strlen(records[i].text), 0600),
                         0);
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    }
    assert_int_equal(weft_panic_log_take(from, to, newest, sizeof(newest)), 4);
    assert_int_equal(rmdir(from), 0);
    snprintf(path, sizeof(path), "%s/panic-20251126T230641-Panic-2", to);
    assert_string_equal(newest, path);
    assert_true(weft_text_file_read(newest, text, sizeof(text)) > 0);
    assert_string_equal(text, "<6>[    0.0] Booting Linux\n<6>[    5.0] weft-init: Weft\n"
                              "<4>[    8.1] Call trace:\n"
                              "<0>[    8.2] Kernel panic - not syncing: VFS\n"
                              "<0>[    8.3] ---[ end Kernel panic ]---\n");
    const char *const list[] = {"/bin/sh", "-c", "cd \"$0\" && echo *", to, NULL};
    assert_int_equal(weft_run(list, text, sizeof(text)), 0);
    assert_string_equal(text, "panic-20251113T021320-dmesg-ramoops-0 "
                              "panic-20251124T160000-Panic-2 panic-20251126T230640-Oops-1 "
                              "panic-20251126T230641-Panic-2");
}

// ---- The log.

static void the_log_has_what_was_said_before_its_disk(void **state)
{
    (void)state;
    static struct weft_node_log log; // As in a boot: zero.
    struct weft_say say = {.fd = -1, .log = &log};
    char path[108], old[120], text[256], line[1024];
    struct stat status;
    path_of(path, "weftd.log");
    weft_say_line(&say, "early");
    weft_node_log_open(&log, path, "== boot 1");
    weft_say_error(&say, "late");
    assert_true(weft_text_file_read(path, text, sizeof(text)) > 0);
    assert_int_equal(strncmp(text, "== boot 1\n[", 11), 0);
    assert_non_null(strstr(text, "] weft-init: early\n["));
    assert_non_null(strstr(text, "] weft-init: error: late\n"));
    // Two files of a megabyte, whatever is said.
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    for (int i = 0; i < 2500; i++)
        weft_node_log_line(&log, line);
    snprintf(old, sizeof(old), "%s.old", path);
    assert_int_equal(stat(old, &status), 0);
    assert_in_range(status.st_size, WEFT_NODE_LOG_BYTES_MAX, WEFT_NODE_LOG_BYTES_MAX + 2048);
    assert_int_equal(stat(path, &status), 0);
    assert_in_range(status.st_size, 1, WEFT_NODE_LOG_BYTES_MAX);
    weft_node_log_close(&log);
    weft_node_log_line(&log, "to nobody");
    assert_int_equal(stat(path, &status), 0);
    // The next boot appends.
    const off_t before = status.st_size;
    log = (struct weft_node_log){.path = NULL};
    weft_node_log_open(&log, path, "== boot 2");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, before + 10);
    weft_node_log_close(&log);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
        cmocka_unit_test(timers_fire_in_their_order),
        cmocka_unit_test(there_are_only_so_many_watches),
        cmocka_unit_test(answers_of_http),
        cmocka_unit_test(another_program_is_run_to_its_end),
        IN_DIRECTORY(a_line_is_answered),
        IN_DIRECTORY(a_line_without_an_end_is_let_go),
        IN_DIRECTORY(a_question_is_answered_or_given_up),
        IN_DIRECTORY(a_child_is_ready_and_stops),
        IN_DIRECTORY(a_child_that_ends_is_started_again),
        IN_DIRECTORY(a_bad_configuration_is_told),
        IN_DIRECTORY(panics_are_kept),
        IN_DIRECTORY(parts_of_a_panic_become_one_text),
        IN_DIRECTORY(the_log_has_what_was_said_before_its_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
