// The law of streams, over simulated sockets and many seeds: what a reader has got is the beginning
// of what its writer wrote, and all of it if nothing went wrong; every call is answered; and when
// all is over, nothing is left open, under way or in memory.
//
// A seed decides everything: pieces, delays, modes, who moves, who closes, kills, or resets what.
// With --seed N only that one.
#include "tests/support/cmocka.h"

#include <signal.h>

#include "tests/unit/port/parts.h"

enum { LINES_MAX = 6, SEEDS = 400 };

struct line { // One connection, and the two actors that talk over it.
    weft_pid client, server;
    uint64_t sent, offered, received;
    bool writer_done, reader_done; // In order.
};

static struct scene {
    struct weft_prng prng;
    struct line lines[LINES_MAX];
    unsigned count;
    bool breaks; // Things are made to go wrong.
} scene;

static uint64_t lines_played, lines_cut, bytes_played; // Over all seeds.

static uint32_t chance(uint32_t limit)
{
    return weft_prng_below(&scene.prng, limit);
}

static uint64_t some_time(void)
{
    return chance(3) == 0 ? WEFT_FOREVER : chance(2000) * WEFT_NS_PER_US;
}

static void rest(struct weft_actor *self)
{
    if (chance(4) == 0) play_hop(self, &play);
    if (chance(6) == 0) weft_sleep(self, chance(500) * WEFT_NS_PER_US);
}

// What may go wrong with a call when somebody breaks things.
static void check_failure(int64_t result)
{
    weft_assert(scene.breaks);
    if (result != -EPIPE && result != -ECONNRESET && result != -ESRCH && result != -EIO)
        fail_msg("an unexpected %lld", (long long)result);
}

static void write_line(struct weft_actor *self, void *state)
{
    struct line *line = ((struct play_role *)state)->argument;
    uint8_t bytes[9000];
    const uint64_t total = chance(60000);
    while (line->sent < total) {
        size_t length = 1 + chance(chance(2) == 0 ? 50 : sizeof(bytes));
        if (length > total - line->sent) length = (size_t)(total - line->sent);
        rest(self);
        part_fill(bytes, length, line->sent);
        line->offered = line->sent + length; // It may be read before the call has come back.
        const int result = weft_port_write(self, line->client, bytes, length, some_time());
        if (result == -EAGAIN || result == -ETIMEDOUT) continue; // Nothing of it was taken.
        if (result != 0) {
            check_failure(result);
            return;
        }
        line->sent += length;
        if (scene.breaks && chance(200) == 0) {
            weft_kill(self, line->client);
            return;
        }
    }
    line->writer_done = true;
    if (chance(3) == 0) return; // Its port goes with it, and sends what is left.
    const int result =
        chance(2) == 0 ? weft_port_finish(self, line->client) : weft_port_close(self, line->client);
    if (result != 0) check_failure(result);
}

static void got(struct line *line, const void *bytes, size_t length)
{
    part_check(bytes, length, line->received);
    line->received += length;
    weft_assert(line->received <= line->offered);
}

// False: it is over.
static bool read_some(struct weft_actor *self, struct line *line)
{
    uint8_t bytes[5000];
    const int64_t result =
        weft_port_read(self, line->server, bytes, 1 + chance(sizeof(bytes)), some_time());
    if (result > 0) {
        got(line, bytes, (size_t)result);
        return true;
    }
    if (result == -EAGAIN || result == -ETIMEDOUT) return true;
    line->reader_done = result == -ENODATA;
    if (result != -ENODATA) check_failure(result);
    return false;
}

static bool hear_some(struct weft_actor *self, struct line *line, enum weft_port_mode mode)
{
    const int result = weft_port_mode(self, line->server, mode, 1 + chance(20));
    if (result != 0) {
        check_failure(result);
        return false;
    }
    for (;;) {
        const struct weft_message *message = weft_receive(self, WEFT_FOREVER);
        if (message->tag == WEFT_MESSAGE_DOWN) { // Of the port: somebody has killed it.
            weft_assert(scene.breaks);
            return false;
        }
        weft_assert(message->tag == WEFT_MESSAGE_PORT && message->from == line->server);
        switch (message->type) {
        case WEFT_PORT_DATA: got(line, message->payload, message->length); break;
        case WEFT_PORT_PASSIVE: return true;
        case WEFT_PORT_END: line->reader_done = true; return false;
        default:
            weft_assert(message->type == WEFT_PORT_CLOSED);
            check_failure(weft_port_status(message));
            return false;
        }
        rest(self);
    }
}

static void read_line(struct weft_actor *self, void *state)
{
    struct line *line = ((struct play_role *)state)->argument;
    uint64_t watch;
    weft_assert(weft_receive(self, WEFT_FOREVER)->tag == WEFT_MESSAGE_USER); // The port is its own.
    weft_assert(weft_monitor(self, line->server, &watch) == 0);
    for (bool goes_on = true; goes_on;) {
        const uint32_t what = chance(40);
        rest(self);
        if (what == 0)
            goes_on = hear_some(self, line, WEFT_PORT_MODE_ACTIVE);
        else if (what < 10)
            goes_on = hear_some(self, line, WEFT_PORT_MODE_ONCE);
        else
            goes_on = read_some(self, line);
        if (scene.breaks && chance(300) == 0) return; // It loses interest; its port goes, too.
    }
}

static void break_things(struct weft_actor *self, void *state)
{
    static const enum weft_io_kind kinds[] = {WEFT_IO_SEND, WEFT_IO_RECEIVE};
    (void)state;
    for (int i = 0; i < 3; i++) {
        weft_sleep(self, chance(20000) * WEFT_NS_PER_US);
        if (chance(4) == 0)
            io_sim_reset(&play.world);
        else
            io_sim_fail(&play.world, kinds[chance(2)], chance(50), -EIO);
    }
}

static void play_scene(struct weft_actor *self, void *state)
{
    weft_pid parts[2 * LINES_MAX + 1];
    struct weft_port_options options = {.window_bytes = 1 + chance(40000),
                                        .unsent_max = 1 + chance(40000)};
    unsigned count = 0;
    (void)state;
    for (unsigned i = 0; i < scene.count; i++) {
        struct line *line = &scene.lines[i];
        struct part_pair pair;
        part_connect(self, &options, &pair);
        line->client = pair.client;
        line->server = pair.server;
        const struct play_role writer = {.part = write_line, .argument = line};
        const struct play_role reader = {.part = read_line, .argument = line};
        parts[count++] = play_spawn(self, &writer, 0);
        parts[count++] = play_spawn(self, &reader, 0);
        weft_assert(weft_port_give(self, pair.client, parts[count - 2]) == 0);
        weft_assert(weft_port_give(self, pair.server, parts[count - 1]) == 0);
        weft_send(self, parts[count - 1], 0, NULL, 0);
    }
    const struct play_role breaker = {.part = break_things};
    if (scene.breaks) parts[count++] = play_spawn(self, &breaker, 0);
    for (unsigned i = 0; i < count; i++)
        weft_assert(weft_join(self, parts[i], WEFT_FOREVER, NULL) == 0);
}

static void play_seed(uint64_t seed)
{
    memset(&scene, 0, sizeof(scene));
    weft_prng_seed(&scene.prng, seed);
    play_open_with(&play, BACKEND_SIM, 1 + chance(2), seed, 32 * WEFT_MIB);
    play.hops = play.count > 1 && chance(2) == 0;
    play.node.moves_always = play.hops;
    play.world.piece_max = chance(3) == 0 ? 0 : 1 + chance(3000);
    play.world.delay_max = chance(6);
    scene.count = 1 + chance(LINES_MAX);
    scene.breaks = seed % 2 == 1;
    play_run(&play, play_scene, NULL);
    play_settle(&play);
    for (unsigned i = 0; i < scene.count; i++) {
        const struct line *line = &scene.lines[i];
        lines_played++;
        bytes_played += line->received;
        lines_cut += line->received < line->sent;
        if (scene.breaks) continue;
        if (!line->writer_done || !line->reader_done || line->received != line->sent)
            fail_msg("seed %llu: line %u: %llu of %llu", (unsigned long long)seed, i,
                     (unsigned long long)line->received, (unsigned long long)line->sent);
    }
    if (play_handles(&play) != 0 || play.world.object_count != 0)
        fail_msg("seed %llu: something is open", (unsigned long long)seed);
    for (unsigned i = 0; i < play.count; i++)
        assert_int_equal(io_sim_under_way(&play.cores[i].backend.sim), 0);
    play_check_ledger(&play);
    play_close(&play);
}

static uint64_t only;
static volatile uint64_t seed_of_crash;

static void name_seed(int signal)
{
    (void)signal;
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed_of_crash);
}

static void streams_keep_their_law(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (only != 0 && seed != only) continue;
        seed_of_crash = seed;
        play_seed(seed);
    }
    printf("%llu lines, %llu of them cut, %llu bytes\n", (unsigned long long)lines_played,
           (unsigned long long)lines_cut, (unsigned long long)bytes_played);
    if (only == 0) assert_true(lines_cut > 50 && bytes_played > 5000000);
}

// A node that stops in the middle of all this leaves nothing, either.
static void stop_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const struct play_role role = {.part = play_scene};
        const struct weft_spawn spawn = {.kind = &play_kind, .state = &role};
        weft_pid pid;
        memset(&scene, 0, sizeof(scene));
        weft_prng_seed(&scene.prng, seed);
        play_open_with(&play, BACKEND_SIM, 2, seed, 32 * WEFT_MIB);
        play.hops = chance(2) == 0;
        play.world.piece_max = 1 + chance(1000);
        play.world.delay_max = chance(6);
        scene.count = LINES_MAX;
        scene.breaks = true;
        assert_int_equal(weft_actor_spawn(&play.cores[0].system, &spawn, 0, &pid), 0);
        for (uint32_t turns = chance(3000); turns > 0; turns--)
            play_turn(&play);
        play_close(&play);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) only = strtoull(argv[2], NULL, 10);
    signal(SIGABRT, name_seed); // What an actor asserts ends the process.
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_keep_their_law),
        cmocka_unit_test(stop_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
