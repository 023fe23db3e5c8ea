// Files as actors see them: at an offset, as streams, when the disk is full, when their owner goes.
#include "tests/support/cmocka.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/port/parts.h"

static char path[64];

static weft_pid open_it(struct weft_actor *self, int flags, const struct weft_port_options *options)
{
    struct weft_port_info info;
    weft_pid file;
    play_hop(self, &play);
    weft_assert(weft_file_open(self, path, flags, 0600, options, &file) == 0);
    weft_assert(weft_port_info(self, file, &info) == 0);
    weft_assert(info.kind == WEFT_PORT_KIND_FILE && info.owner == weft_self(self));
    return file;
}

static void at_any_place(struct weft_actor *self, void *state)
{
    enum { LENGTH = 600000 };
    static uint8_t bytes[LENGTH], back[LENGTH];
    weft_pid file;
    (void)state;
    weft_assert(weft_file_open(self, "/nowhere/at/all", O_RDONLY, 0, NULL, &file) == -ENOENT);
    weft_assert(file == 0);
    file = open_it(self, O_RDWR | O_CREAT | O_TRUNC, NULL);
    part_fill(bytes, LENGTH, 0);
    weft_assert(weft_file_read(self, file, 0, back, LENGTH) == 0);
    weft_assert(weft_file_write(self, file, 0, bytes, LENGTH) == LENGTH);
    play_hop(self, &play);
    weft_assert(weft_file_sync(self, file) == 0);
    weft_assert(weft_file_read(self, file, 0, back, LENGTH) == LENGTH);
    part_check(back, LENGTH, 0);
    weft_assert(weft_file_read(self, file, LENGTH - 10, back, 100) == 10);
    part_check(back, 10, LENGTH - 10);
    weft_assert(weft_file_read(self, file, LENGTH + 5, back, 100) == 0);
    weft_assert(weft_file_write(self, file, 100, "in the middle", 13) == 13);
    weft_assert(weft_file_read(self, file, 90, back, 30) == 30);
    weft_assert(memcmp(back + 10, "in the middle", 13) == 0);
    part_check(back, 10, 90);
    weft_assert(weft_file_read(self, file, 0, back, 0) == 0);
    weft_assert(weft_file_write(self, file, 0, back, 0) == 0);
    weft_assert(weft_udp_send_to(self, file, &(struct weft_address){0}, "x", 1) == -EINVAL);
    weft_assert(weft_port_close(self, file) == 0);
    weft_assert(weft_join(self, file, WEFT_FOREVER, NULL) == 0);
    weft_assert(weft_file_read(self, file, 0, back, 10) == -ESRCH);
    weft_assert(weft_file_sync(self, file) == -ESRCH);
}

static void as_streams(struct weft_actor *self, void *state)
{
    const struct weft_port_options lines = {.framing = WEFT_FRAMING_LINE};
    char line[64];
    (void)state;
    weft_pid file = open_it(self, O_RDWR | O_CREAT | O_TRUNC, NULL);
    for (int i = 0; i < 500; i++) {
        const int length = snprintf(line, sizeof(line), "line %d\n", i);
        play_hop(self, &play);
        weft_assert(weft_port_write(self, file, line, (size_t)length, WEFT_FOREVER) == 0);
    }
    part_write(self, file, "and the last, without an end");
    weft_assert(weft_port_close(self, file) == 0); // What was written goes out.
    weft_assert(weft_join(self, file, WEFT_FOREVER, NULL) == 0);

    file = open_it(self, O_RDONLY, &lines);
    for (int i = 0; i < 100; i++) {
        char expected[64];
        const int length = snprintf(expected, sizeof(expected), "line %d\n", i);
        weft_assert(weft_port_read(self, file, line, sizeof(line), WEFT_FOREVER) == length);
        weft_assert(memcmp(line, expected, (size_t)length) == 0);
    }
    weft_assert(weft_port_mode(self, file, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    for (int i = 100; i < 500; i++) {
        char expected[64];
        const int length = snprintf(expected, sizeof(expected), "line %d\n", i);
        const struct weft_message *message = part_await(self, file, WEFT_PORT_DATA);
        weft_assert(message->length == (uint32_t)length);
        weft_assert(memcmp(message->payload, expected, (size_t)length) == 0);
    }
    weft_assert(part_await(self, file, WEFT_PORT_DATA)->length == 28);
    part_await(self, file, WEFT_PORT_END);
    weft_assert(weft_port_close(self, file) == 0);

    if (play.kind == BACKEND_SIM) return; // Which knows no O_APPEND.
    file = open_it(self, O_WRONLY | O_APPEND, NULL);
    part_write(self, file, "\nappended");
    weft_assert(weft_port_close(self, file) == 0);
    weft_assert(weft_join(self, file, WEFT_FOREVER, NULL) == 0);
    file = open_it(self, O_RDONLY, &lines);
    int64_t got, last = 0;
    while ((got = weft_port_read(self, file, line, sizeof(line), WEFT_FOREVER)) > 0)
        last = got;
    weft_assert(got == -ENODATA && last == 8 && memcmp(line, "appended", 8) == 0);
}

// Many calls on one file at once, from several actors.
static void write_block(struct weft_actor *self, void *state)
{
    const struct play_role *role = state;
    const uint64_t number = (uintptr_t)role->argument;
    uint8_t bytes[3000];
    for (int i = 0; i < 10; i++) {
        const uint64_t place = (number * 10 + (uint64_t)i) * sizeof(bytes);
        part_fill(bytes, sizeof(bytes), place);
        weft_assert(weft_file_write(self, role->pid, place, bytes, sizeof(bytes)) == sizeof(bytes));
        play_hop(self, &play);
    }
}

static void by_many(struct weft_actor *self, void *state)
{
    enum { WRITERS = 30 };
    static uint8_t back[3000];
    weft_pid writers[WRITERS];
    (void)state;
    const weft_pid file = open_it(self, O_RDWR | O_CREAT | O_TRUNC, NULL);
    for (uintptr_t i = 0; i < WRITERS; i++) {
        const struct play_role role = {.part = write_block, .argument = (void *)i, .pid = file};
        writers[i] = play_spawn(self, &role, 0);
    }
    for (int i = 0; i < WRITERS; i++)
        weft_assert(weft_join(self, writers[i], WEFT_FOREVER, NULL) == 0);
    for (uint64_t place = 0; place < WRITERS * 10 * sizeof(back); place += sizeof(back)) {
        weft_assert(weft_file_read(self, file, place, back, sizeof(back)) == sizeof(back));
        part_check(back, sizeof(back), place);
    }
}

static void write_for_ever(struct weft_actor *self, void *state)
{
    static uint8_t bytes[200000];
    const struct play_role *role = state;
    int64_t result;
    while ((result = weft_file_write(self, role->pid, 0, bytes, sizeof(bytes))) > 0)
        continue;
    weft_assert(result == -EPIPE || result == -ESRCH);
    weft_send(self, weft_parent(self), 9, NULL, 0);
}

// A file that goes with calls under way answers all of them.
static void ends_under_way(struct weft_actor *self, void *state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        const weft_pid file = open_it(self, O_RDWR | O_CREAT | O_TRUNC, NULL);
        const struct play_role role = {.part = write_for_ever, .pid = file};
        for (int i = 0; i < 20; i++)
            play_spawn(self, &role, 0);
        weft_sleep(self, 5 * WEFT_NS_PER_MS);
        weft_assert((killed ? weft_kill(self, file) : weft_port_close(self, file)) == 0);
        for (int i = 0; i < 20; i++)
            weft_assert(weft_receive(self, WEFT_FOREVER)->type == 9);
        weft_assert(weft_join(self, file, WEFT_FOREVER, NULL) == 0);
    }
}

static void on_a_full_disk(struct weft_actor *self, void *state)
{
    static uint8_t bytes[30000];
    (void)state;
    play.world.disk_bytes = 50000;
    weft_pid file = open_it(self, O_RDWR | O_CREAT | O_TRUNC, NULL);
    weft_assert(weft_file_write(self, file, 0, bytes, 30000) == 30000);
    weft_assert(weft_file_write(self, file, 30000, bytes, 30000) == 20000); // So much went.
    weft_assert(weft_file_write(self, file, 50000, bytes, 30000) == -ENOSPC);
    weft_assert(weft_file_write(self, file, 100, bytes, 1000) == 1000);
    // A stream hears of it with a later write, and from then on.
    weft_assert(weft_port_write(self, file, bytes, 30000, WEFT_FOREVER) == 0);
    weft_assert(weft_port_write(self, file, bytes, 30000, WEFT_FOREVER) == 0);
    int result = 0;
    while (result == 0) {
        result = weft_port_write(self, file, bytes, 1, WEFT_FOREVER);
        weft_sleep(self, WEFT_NS_PER_MS);
    }
    weft_assert(result == -ENOSPC);
    weft_assert(weft_port_write(self, file, bytes, 1, WEFT_FOREVER) == -ENOSPC);
    weft_assert(weft_port_read(self, file, bytes, 10, WEFT_FOREVER) > 0); // Reading goes on.
    weft_assert(weft_port_close(self, file) == 0);
    // And one that cannot be read says so.
    io_sim_fail(&play.world, WEFT_IO_READ, 0, -EIO);
    file = open_it(self, O_RDONLY, NULL);
    weft_assert(weft_file_read(self, file, 0, bytes, 10) == -EIO);
    io_sim_fail(&play.world, WEFT_IO_SYNC, 0, -EIO);
    weft_assert(weft_file_sync(self, file) == -EIO);
    weft_assert(weft_file_sync(self, file) == 0);
    io_sim_fail(&play.world, WEFT_IO_READ, 0, -EIO);
    weft_assert(weft_port_mode(self, file, WEFT_PORT_MODE_ACTIVE, 0) == 0);
    weft_assert(weft_port_status(part_await(self, file, WEFT_PORT_CLOSED)) == -EIO);
}

static void run(void **state, play_part *part)
{
    const uintptr_t how = (uintptr_t)*state;
    const enum backend_kind kind = (enum backend_kind)(how & 15);
    if (part == on_a_full_disk && kind != BACKEND_SIM) skip();
    play_open(&play, kind, how & 16 ? 2 : 1);
    play.hops = (how & 16) != 0;
    play.world.piece_max = part == on_a_full_disk ? 0 : 7000;
    play.world.delay_max = 3;
    strcpy(path, kind == BACKEND_SIM ? "file" : "/tmp/weft-file-XXXXXX");
    if (kind != BACKEND_SIM) close(mkstemp(path));
    part_play(part);
    unlink(path);
}

PART_TEST(at_any_place)
PART_TEST(as_streams)
PART_TEST(by_many)
PART_TEST(ends_under_way)
PART_TEST(on_a_full_disk)

int main(void)
{
    int failed = 0;
    for (uintptr_t how = 0; how < 2 * BACKEND_KINDS; how++) {
        const uintptr_t kind = how / 2, cores = how % 2 * 16;
        if (!backend_is_there((enum backend_kind)kind)) continue;
#define CASE(name) cmocka_unit_test_prestate(test_##name, (void *)(kind | cores))
        const struct CMUnitTest tests[] = {
            CASE(at_any_place),   CASE(as_streams),     CASE(by_many),
            CASE(ends_under_way), CASE(on_a_full_disk),
        };
        failed +=
            cmocka_run_group_tests_name(backend_name((enum backend_kind)kind), tests, NULL, NULL);
    }
    return failed;
}
