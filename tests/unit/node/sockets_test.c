// TCP of units: to the addresses that are allowed, and no others; it parks the unit, and it alone.
#include "tests/support/cmocka.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "runtime/node/unit_sockets.h"
#include "tests/unit/node/io_rig.h"

// A peer on loopback: listens, and is served by the test itself.
struct peer {
    int listener, fd;
    uint16_t port;
    struct weft_io_address address;
    char word[64]; // S" 127.0.0.1:PORT"
};

static struct peer peer;

static void listen_at_loopback(struct rig *rig)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    peer.fd = -1;
    peer.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer.listener, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(peer.listener, 32), 0);
    assert_int_equal(getsockname(peer.listener, (struct sockaddr *)&name, &length), 0);
    peer.port = ntohs(name.sin_port);
    peer.address = (struct weft_io_address){.host = INADDR_LOOPBACK, .port = peer.port};
    snprintf(peer.word, sizeof(peer.word), "S\" 127.0.0.1:%u\"", peer.port);
    rig->node.options.unit_net = &peer.address;
    rig->node.options.unit_net_count = 1;
    allow(rig);
}

static int set_up_peer(void **state)
{
    set_up_files(state);
    listen_at_loopback(*state);
    return 0;
}

static int tear_down_peer(void **state)
{
    if (peer.fd >= 0) close(peer.fd);
    close(peer.listener);
    return tear_down_files(state);
}

#define SOURCE                                                                                     \
    "VARIABLE s : open %s TCP-OPEN THROW s ! ; "                                                   \
    ": get PAD 80 s @ TCP-READ THROW PAD SWAP TYPE ; : put s @ TCP-WRITE THROW ; "

static struct weft_resident *load_at(struct rig *rig, const char *name, uint16_t core)
{
    char source[400];
    snprintf(source, sizeof(source), SOURCE, peer.word);
    return load(rig, name, core, source);
}

static void accept_one(struct rig *rig)
{
    for (uint32_t turn = 0;; turn++) {
        if (turn == TURNS_MAX) fail_msg("nobody connects");
        peer.fd = accept4(peer.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer.fd >= 0) return;
        turn_all(rig);
    }
}

// Reads until all of `text` has come.
static void hears(struct rig *rig, const char *text)
{
    char heard[256];
    size_t length = 0;
    for (uint32_t turn = 0; length < strlen(text); turn++) {
        if (turn == TURNS_MAX) fail_msg("only %zu bytes come", length);
        const ssize_t bytes = read(peer.fd, heard + length, sizeof(heard) - length);
        if (bytes > 0) length += (size_t)bytes;
        turn_all(rig);
    }
    assert_int_equal(length, strlen(text));
    assert_memory_equal(heard, text, length);
}

static void ends(struct rig *rig)
{
    char byte;
    for (uint32_t turn = 0;; turn++) {
        if (turn == TURNS_MAX) fail_msg("it does not end");
        const ssize_t bytes = read(peer.fd, &byte, 1);
        if (bytes == 0 || (bytes < 0 && errno == ECONNRESET)) return;
        turn_all(rig);
    }
}

static void says(const char *text)
{
    assert_int_equal(write(peer.fd, text, strlen(text)), strlen(text));
}

static void nothing_is_left(struct rig *rig)
{
    for (uint32_t turn = 0; handles() > 0; turn++) {
        if (turn == TURNS_MAX) fail_msg("%u handles are open", handles());
        turn_all(rig);
    }
}

static void bytes_go_both_ways(void **state)
{
    struct rig *rig = *state;
    for (uint16_t core = 1; core <= WORKERS; core++) {
        char name[8];
        snprintf(name, sizeof(name), "u%u", core);
        struct weft_resident *unit = load_at(rig, name, core);
        expect(rig, unit, "open", "");
        accept_one(rig);
        expect(rig, unit, "S\" hello\" put S\"  there\" put", "");
        hears(rig, "hello there");
        says("general");
        expect(rig, unit, "get", "general");
        says("abcdef");
        expect(rig, unit, "PAD 3 s @ TCP-READ . . PAD 3 TYPE get PAD 0 s @ TCP-READ . .",
               "0 3 abcdef0 0 ");
        close(peer.fd);
        expect(rig, unit, "PAD 80 s @ TCP-READ . . s @ TCP-CLOSE . s @ TCP-CLOSE .", "0 0 0 -305 ");
        nothing_is_left(rig);
        peer.fd = -1;
    }
}

static void only_what_is_allowed(void **state)
{
    struct rig *rig = *state;
    struct weft_resident *unit = load(rig, "unit", 1, "");
    expect(
        rig, unit,
        "S\" 127.0.0.1:1\" TCP-OPEN . . S\" 10.0.0.1:80\" TCP-OPEN . . S\" localhost:80\" TCP-OPEN "
        ". . S\" 127.0.0.1\" TCP-OPEN . . S\" 127.0.0.1:99999\" TCP-OPEN . . 0 0 TCP-OPEN . .",
        "-324 0 -324 0 -301 0 -301 0 -301 0 -301 0 ");
    expect(rig, unit, "PAD 1 77 TCP-READ . . PAD 1 77 TCP-WRITE . 77 TCP-CLOSE .",
           "-305 0 -305 -305 ");
    // Allowed, and nobody listens there.
    char text[100];
    close(peer.listener);
    snprintf(text, sizeof(text), "%s TCP-OPEN . .", peer.word);
    expect(rig, unit, text, "-301 0 ");
    nothing_is_left(rig);
    // Without any address the words throw.
    static struct asked asked;
    rig->node.options.unit_net_count = 0;
    allow(rig);
    struct weft_resident *other = load(rig, "other", 1, "");
    ask(rig, &asked, WEFT_COMMAND_EVAL, other, text);
    wait_for(rig, &asked);
    assert_int_equal(asked.command.throw_code, -324);
    assert_non_null(strstr(asked.command.message, "units.net"));
    peer.listener = socket(AF_INET, SOCK_STREAM, 0);
}

// Who waits for bytes costs nothing, and one that ends in the middle leaves nothing behind.
static void siblings_go_on(void **state)
{
    struct rig *rig = *state;
    static struct asked waiting, quick;
    struct weft_resident *unit = load_at(rig, "unit", 1);
    struct weft_resident *sibling = load(rig, "sibling", 1, ": work 1000 0 DO LOOP ;");
    sibling->recovery = WEFT_RECOVERY_NONE;
    expect(rig, unit, "open", "");
    accept_one(rig);
    ask(rig, &waiting, WEFT_COMMAND_EVAL, unit, "get");
    for (unsigned n = 0; n < 100; n++)
        turn_all(rig);
    assert_int_equal(weft_counter_get(&unit->status), WEFT_RESIDENT_WAITING);
    const uint64_t spent = weft_counter_get(&unit->reduction_count), begun_ns = rig->now_ns;
    ask(rig, &quick, WEFT_COMMAND_EVAL, sibling, "work");
    wait_for(rig, &quick);
    assert_true(rig->now_ns - begun_ns < 100000);
    assert_int_equal(weft_counter_get(&unit->reduction_count), spent);
    assert_false(waiting.is_done);
    says("late");
    wait_for(rig, &waiting);
    waiting.command.output[waiting.command.output_length] = '\0';
    assert_string_equal(waiting.command.output, "late");
    // Its text is ended while it waits: what comes is for the next.
    rig->node.options.eval_timeout_ns = WEFT_NS_PER_MS;
    ask(rig, &waiting, WEFT_COMMAND_EVAL, unit, "get");
    wait_for(rig, &waiting);
    assert_int_equal(waiting.command.throw_code, WEFT_THROW_REDUCTIONS);
    rig->node.options.eval_timeout_ns = 60 * WEFT_NS_PER_S;
    says("kept");
    expect(rig, unit, "get", "kept");
    ask(rig, &waiting, WEFT_COMMAND_EVAL, unit, "get");
    for (unsigned n = 0; n < 100; n++)
        turn_all(rig);
    struct weft_actor_system *actors = &rig->node.workers[0].actors;
    weft_actor_kill(actors, weft_counter_get(&unit->pid), WEFT_EXIT_KILLED);
    wait_for(rig, &waiting);
    ends(rig);
    nothing_is_left(rig);
}

// More than the kernel takes at once: the writer parks until its peer has read.
static void a_slow_peer_holds_up_its_writer(void **state)
{
    struct rig *rig = *state;
    static struct asked writing;
    static char bytes[65536];
    struct weft_resident *unit = load_at(rig, "unit", 2);
    expect(rig, unit, "4096 BUFFER: b : fill b 4096 [CHAR] x FILL ; fill open", "");
    accept_one(rig);
    rig->node.options.eval_reductions = UINT32_MAX;
    ask(rig, &writing, WEFT_COMMAND_EVAL, unit,
        ": much 4096 0 DO b 4096 s @ TCP-WRITE THROW LOOP ; much s @ TCP-CLOSE .");
    for (unsigned n = 0; n < 100000; n++)
        turn_all(rig);
    assert_false(writing.is_done);
    assert_int_equal(weft_counter_get(&unit->status), WEFT_RESIDENT_WAITING);
    uint64_t came = 0;
    for (ssize_t got; (got = read(peer.fd, bytes, sizeof(bytes))) != 0; turn_all(rig)) {
        if (got > 0) came += (uint64_t)got;
    }
    assert_int_equal(came, 4096 * 4096);
    wait_for(rig, &writing);
    assert_int_equal(writing.command.error.code, 0);
    nothing_is_left(rig);
}

static void sockets_are_bounded_and_die_with_the_node(void **state)
{
    struct rig *rig = *state;
    static struct asked asked;
    struct weft_resident *unit = load_at(rig, "unit", 1);
    expect(rig, unit, ": many 16 0 DO open LOOP ; many", "");
    char text[200];
    snprintf(text, sizeof(text), "%s TCP-OPEN . .", peer.word);
    expect(rig, unit, text, "-300 0 ");
    expect(rig, unit, "s @ TCP-CLOSE . open", "0 ");
    take_files(rig);
    weft_node_destroy(&rig->node);
    weft_disk_sim_crash(&rig->disk_sim);
    start(rig);
    give_files(rig);
    rig->node.options.unit_net = &peer.address;
    rig->node.options.unit_net_count = 1;
    allow(rig);
    const struct weft_unit_entry *entry = weft_unit_table_find(&rig->node.recovered, "unit");
    struct weft_resident *back = reserve(rig, "unit", 2);
    ask(rig, &asked, WEFT_COMMAND_RESTORE, back, "");
    asked.command.image = entry->image.data;
    asked.command.image_length = entry->image.length;
    wait_for(rig, &asked);
    expect(rig, back, "PAD 1 s @ TCP-READ . . s @ open s @ <> .", "-305 0 -1 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_peer, tear_down_peer)
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_both_ways),
        TEST(only_what_is_allowed),
        TEST(siblings_go_on),
        TEST(a_slow_peer_holds_up_its_writer),
        TEST(sockets_are_bounded_and_die_with_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
