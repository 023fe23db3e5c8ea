// The words of units among units, against a host that is a table: each question that may take time
// is answered "later" twice. In the three ways of being interrupted nothing may differ: a unit that
// was saved while it waits asks again.
#include "tests/unit/forth/forth_run.h"

#define QUEUE_MAX 4

struct town {
    uint64_t now_ns;
    unsigned delay; // Questions until an answer.
    unsigned haste;
    uint64_t children;
    struct {
        uint8_t bytes[64 * 8];
        size_t length;
    } queue[QUEUE_MAX];
    unsigned count;
    bool closed;
    char shared[256];
};

static struct town town;

static uint64_t now_ns(void *self)
{
    struct town *own = self;
    return own->now_ns += 100000; // A look at the clock takes a tenth of a millisecond.
}

static bool is_later(struct town *own)
{
    own->delay = own->delay == 0 ? 2 : own->delay - 1;
    return own->delay > 0;
}

static int32_t spawn(void *self, uint32_t level, const struct weft_unit *unit, uint64_t xt,
                     const int64_t *cells, uint32_t count, bool is_linked, uint64_t *pid)
{
    struct town *own = self;
    (void)level, (void)unit, (void)xt;
    if (is_later(own)) return WEFT_UNIT_LATER;
    *pid = (is_linked ? 200 : 100) + count;
    for (uint32_t n = 0; n < count; n++)
        *pid += (uint64_t)cells[n] * 1000;
    own->children++;
    return 0;
}

static int32_t join(void *self, uint32_t level, uint64_t pid, bool is_late,
                    struct weft_unit_end *end)
{
    struct town *own = self;
    (void)level;
    if (pid == 1) return is_late ? WEFT_THROW_LATE : WEFT_UNIT_LATER;
    if (is_later(own)) return WEFT_UNIT_LATER;
    *end = (struct weft_unit_end){.reason = 0, .count = 2, .cells = {(int64_t)pid, 5}};
    return 0;
}

static int32_t put(void *self, uint32_t level, uint64_t channel, const void *payload, size_t length,
                   bool is_late)
{
    struct town *own = self;
    (void)level;
    if (own->closed || channel != 7) return WEFT_THROW_CLOSED;
    if (own->count == QUEUE_MAX) return is_late ? WEFT_THROW_LATE : WEFT_UNIT_LATER;
    if (!is_late && is_later(own)) return WEFT_UNIT_LATER;
    memcpy(own->queue[own->count].bytes, payload, length);
    own->queue[own->count++].length = length;
    return 0;
}

static int32_t get(void *self, uint32_t level, uint64_t channel, bool is_late,
                   struct weft_unit_message *message)
{
    static uint8_t bytes[64 * 8];
    struct town *own = self;
    (void)level;
    if (channel != 7) return WEFT_THROW_CLOSED;
    if (own->count == 0 && own->closed) return WEFT_THROW_CLOSED;
    if (own->count == 0) return is_late ? WEFT_THROW_LATE : WEFT_UNIT_LATER;
    if (!is_late && is_later(own)) return WEFT_UNIT_LATER;
    memcpy(bytes, own->queue[0].bytes, own->queue[0].length);
    message->payload = bytes;
    message->length = own->queue[0].length;
    memmove(own->queue, own->queue + 1, --own->count * sizeof(own->queue[0]));
    return 0;
}

static int32_t new_channel(void *self, uint32_t capacity, uint64_t *channel)
{
    (void)self;
    *channel = 7;
    return capacity == 99 ? WEFT_THROW_FULL : 0;
}

static int32_t close_it(void *self, uint32_t level, uint64_t channel)
{
    struct town *own = self;
    (void)level, (void)channel;
    if (is_later(own)) return WEFT_UNIT_LATER;
    own->closed = true;
    return 0;
}

static int32_t accept_pid(void *self, uint64_t pid)
{
    (void)self;
    return pid == 0 ? WEFT_THROW_NOBODY : 0;
}

static int32_t share(void *self, const char *text, size_t length, bool peers)
{
    struct town *own = self;
    snprintf(own->shared, sizeof(own->shared), "%s%.*s", peers ? "peers: " : "", (int)length, text);
    return 0;
}

static int32_t goal(void *self, const char *text, size_t length, uint64_t *pid)
{
    *pid = 3;
    return share(self, text, length, false);
}

// The same where a cell goes at once, every other time.
static bool put_at_once(void *self, uint32_t level, uint64_t channel, int64_t cell)
{
    struct town *own = self;
    if (++own->haste % 2 == 0 || own->closed || channel != 7 || own->count == QUEUE_MAX)
        return false;
    own->delay = 1; // No answer is waited for.
    return put(self, level, channel, &cell, sizeof(cell), false) == 0;
}

static bool take_at_once(void *self, uint32_t level, uint64_t channel, int64_t *cell)
{
    struct town *own = self;
    struct weft_unit_message message;
    if (++own->haste % 2 == 0 || channel != 7 || own->count == 0 || own->queue[0].length != 8)
        return false;
    own->delay = 1;
    if (get(self, level, channel, false, &message) != 0) return false;
    memcpy(cell, message.payload, sizeof(*cell));
    return true;
}

static const struct weft_unit_host host = {.self = &town,
                                           .now_ns = now_ns,
                                           .spawn = spawn,
                                           .join = join,
                                           .kill = accept_pid,
                                           .detach = accept_pid,
                                           .channel_new = new_channel,
                                           .channel_send = put,
                                           .channel_receive = get,
                                           .channel_close = close_it,
                                           .share = share,
                                           .goal = goal};

static const struct {
    const char *source, *output;
    bool is_timed; // A delay begins again when a unit is loaded: not if that happens all the time.
} cases[] = {
    {": w ; 1 2 2 ' w spawn . depth .", "3102 0 "},
    {": w ; 0 ' w spawn join . . . .", "0 2 5 100 "},
    {": w ; 0 ' w spawn-link .", "200 "},
    {": w ; : t 0 ['] w spawn 0 ['] w spawn join 2drop . . ; t .", "5 100 100 "},
    {"9 12 join .s 2drop 2drop drop", "<5> 9 12 5 2 0 "},
    {"1 3 join-for . . .", "-306 0 0 ", true},
    {"12 3 join-for . . . . .", "0 0 2 5 12 "},
    {"0 kill . 5 kill . 0 detach .", "-301 0 -301 "},
    {"3 channel . ' channel 99 swap catch . drop", "7 -300 "},
    {"41 7 send 42 7 send 7 recv . 7 recv .", "41 42 "},
    {": t 1 7 send 2 7 send 3 7 send 7 recv 7 recv 7 recv ; t .s", "<3> 1 2 3 "},
    {": t 40 0 do i 7 send 7 recv loop depth ; t . : u begin recv dup while drop 7 repeat ; "
     "3 7 send 0 7 send 7 u .",
     "40 0 "},
    {": t send ; ' t catch . ' recv catch . 5 ' t catch .", "-4 -4 -4 "},
    {"1 7 send 2 7 send 3 7 send 4 7 send 5 7 2 send-for . 5 7 0 send-for .", "-306 -306 ", true},
    {"7 2 recv-for . . 7 0 recv-for . .", "-306 0 -306 0 ", true},
    {"5 7 2 send-for . 7 2 recv-for . .", "0 0 5 "},
    {"s\" hello\" 7 send-bytes 7 recv-bytes type", "hello"},
    {"s\" hello\" 7 9 send-bytes-for . 7 9 recv-bytes-for . type", "0 0 hello"},
    {"7 1 recv-bytes-for . . .", "-306 0 0 ", true},
    {"1 2 3 3 7 send-cells 7 recv-cells .s", "<4> 1 2 3 3 "},
    {"0 7 send-cells 7 recv-cells .s", "<1> 0 "},
    {"s\" abc\" 7 send-bytes 7 ' recv catch . drop", "-307 "},
    {"' send-bytes 0 5 7 3 roll catch . 2drop drop", "-9 "},
    {"1 7 send 7 close-channel 7 recv . 7 1 recv-for . . 1 7 1 send-for .", "1 -305 0 -305 "},
    {"1 8 ' send catch . 2drop", "-305 "},
    {"5 ms 1 .", "1 ", true},
    // Sources.
    {": sq ( n -- n ) dup * ; ' sq source-of type", ": sq ( n -- n ) dup * ;"},
    {": a\n  1 \\ one\n; immediate ' a source-of type", ": a\n  1 \\ one\n; IMMEDIATE"},
    {"s\" : b 5 ;\" evaluate ' b source-of type", ": b 5 ;"},
    {"7 constant c 8 value d ' c source-of type ' d source-of type", "7 CONSTANT c8 VALUE d"},
    {"variable v ' v source-of nip . ' dup source-of nip .", "0 0 "},
    {": c create , does> @ ; 5 c five ' five source-of nip . ' c source-of type",
     "0 : c create , does> @ ;"},
    {": e 1 ; marker m : f 2 ; m ' e source-of type", ": e 1 ;"},
    {"99999 ' source-of catch . drop", "-13 "},
    {": w 1 ; share-word w variable v : t ['] share-word catch ; t v .", "-32 "},
    // S-expressions.
    {"s\" (+ 1 (* 2 3))\" sexp-eval .", "7 "},
    {"sexp\" ( + 1 2 )\" . sexp\" 5\" . : t sexp\" (- 9 (+ 1 1))\" ; t .", "3 5 7 "},
    {"s\\\" (type \\\"hi (there\\\")\" sexp-eval", "hi (there"},
    {"s\" ()\" sexp-eval depth . s\" (depth)\" sexp-eval .", "0 0 "},
    {"s\" (+ 1 2\" ' sexp-eval catch . 2drop s\" )\" ' sexp-eval catch . 2drop", "-39 -22 "},
    {"s\" 1 2\" ' sexp-eval catch . s\" \" ' sexp-eval catch .", "-22 -39 "},
    {"s\\\" \\\"ab\" ' sexp-eval catch . s\" ((1))\" ' sexp-eval catch .", "-39 -22 "},
    {"1 2 3 3 .sexp 0 .sexp -5 1 .sexp", "(1 2 3)()(-5)"},
    {"s\\\" a\\\"b\\\\\\n\" .quoted", "\"a\\\"b\\\\\\x0A\""},
    {"s\" (* 6 7)\" sexp-result s\" (/ 1 0)\" sexp-result depth .",
     "(result :ok 1 :value (42))(result :ok 0 :error -10)0 "},
};

static int print_all(void **state, const struct weft_unit_host *with)
{
    static struct forth_run run;
    int failures = 0;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            char rendered[512] = "";
            if (mode == FORTH_RESTORE && cases[n].is_timed) continue;
            town = (struct town){0};
            run.host = with;
            forth_open(&run, *state, mode);
            forth_text(&run, "test", cases[n].source);
            for (unsigned turn = 0; run.state == WEFT_UNIT_WAIT && turn < 10000; turn++)
                forth_go(&run, UINT64_MAX);
            if (run.state == WEFT_UNIT_FAULT)
                weft_unit_error_render(&run.error, rendered, sizeof(rendered));
            if (strcmp(run.output, cases[n].output) != 0 || run.state != WEFT_UNIT_DONE) {
                failures++;
                print_message("mode %d: %s\nprinted [%s]\n   must [%s]\n%s\n", mode,
                              cases[n].source, run.output, cases[n].output, rendered);
            }
            forth_close(&run);
        }
    }
    return failures;
}

static void words_print_what_they_must(void **state)
{
    struct weft_unit_host hasty = host;
    hasty.channel_put = put_at_once;
    hasty.channel_take = take_at_once;
    assert_int_equal(print_all(state, &host), 0);
    assert_int_equal(print_all(state, &hasty), 0);
}

static void what_is_shared_is_the_source(void **state)
{
    static const struct {
        const char *source, *shared;
    } given[] = {
        {": sq dup * ; share-word sq", ": sq dup * ;"},
        {": sq dup * ; share sq", "peers: : sq dup * ;"},
        {": a 1 ; : b 2 ; teach a b", ": b 2 ;"},
        {"goal\" 1 2 +\" drop", "1 2 +"},
        {": t goal\" 3\" drop ; t", "3"},
    };
    static struct forth_run run;
    run.host = &host;
    for (size_t n = 0; n < sizeof(given) / sizeof(given[0]); n++) {
        town = (struct town){0};
        forth_open(&run, *state, FORTH_RESTORE);
        assert_int_equal(forth_text(&run, "test", given[n].source), WEFT_UNIT_DONE);
        assert_string_equal(town.shared, given[n].shared);
        forth_close(&run);
    }
}

// A seed is the unit's words and data, and its child runs one of them on what it was given.
static void a_seed_grows(void **state)
{
    static struct forth_run run;
    struct weft_unit *child;
    int64_t cells[4] = {20, 2};
    run.host = &host;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        forth_open(&run, *state, mode);
        forth_text(&run, "test",
                   "variable v 7 v ! : part ( a b -- c ) v @ + * ; 9 v ! : other ; ' part");
        assert_int_equal(weft_unit_cells(run.unit, cells + 2, 2), 1);
        const uint64_t xt = (uint64_t)cells[2];
        void *seed = malloc(weft_unit_seed_bytes(run.unit, 2));
        assert_non_null(seed);
        weft_unit_seed(run.unit, xt, cells, 2, seed);
        assert_int_equal(
            weft_unit_sprout(*state, &weft_forth_memory_libc, NULL, NULL, seed, &child), 0);
        forth_close(&run);
        free(seed);
        run.unit = child;
        run.slices = 0;
        assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_DONE);
        assert_int_equal(weft_unit_cells(run.unit, cells + 2, 2), 1);
        assert_int_equal(cells[2], 20 * (2 + 9));
        forth_close(&run);
    }
}

// Of a parent with an open definition, memory of ALLOCATE, blocks and a word list of its own: the
// child has the same, and can be written down (mode RESTORE); what is open is nobody's there.
static void a_seed_has_all_that_its_words_rely_on(void **state)
{
    static struct forth_run run;
    struct weft_unit *child;
    int64_t cells[2];
    run.host = &host;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        forth_open(&run, *state, mode);
        assert_int_equal(
            forth_text(&run, "test",
                       "wordlist constant w get-order w swap 1+ set-order definitions : hidden 5 ; "
                       "8 allocate throw value p 30 p ! 3 block 65 over c! update flush drop "
                       ": part p @ 3 block c@ + hidden + s\" hidden\" w search-wordlist nip + "
                       "8 allocate nip + ; ' part"),
            WEFT_UNIT_DONE);
        assert_int_equal(weft_unit_cells(run.unit, cells, 2), 1);
        const char *open = mode % 2 == 0 ? ": open {: a b :} a b +"
                                         : ": l s\" a\" (local) ; code open l s\" b\" ' l execute";
        assert_int_equal(forth_text(&run, "test", open), WEFT_UNIT_DONE);
        void *seed = malloc(weft_unit_seed_bytes(run.unit, 0));
        assert_non_null(seed);
        weft_unit_seed(run.unit, (uint64_t)cells[0], NULL, 0, seed);
        assert_int_equal(
            weft_unit_sprout(*state, &weft_forth_memory_libc, NULL, NULL, seed, &child), 0);
        forth_close(&run);
        free(seed);
        run.unit = child;
        run.slices = 0;
        assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_DONE);
        assert_int_equal(weft_unit_cells(run.unit, cells, 2), 1);
        assert_int_equal(cells[0], 30 + 65 + 5 - 1);
        forth_text(&run, "test", "get-order only forth");
        assert_int_equal(weft_unit_cells(run.unit, cells, 2), 2);
        assert_int_equal(cells[1], 2); // Not ASSEMBLER.
        forth_close(&run);
    }
}

static void a_seed_keeps_to_the_quota(void **state)
{
    static struct forth_run run;
    struct weft_unit *child = NULL;
    struct weft_unit_options options = weft_unit_options_default;
    options.memory_bytes_max = 4096;
    run.host = &host;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "test", "create much 20000 allot : w ;");
    void *seed = malloc(weft_unit_seed_bytes(run.unit, 0));
    assert_non_null(seed);
    weft_unit_seed(run.unit, 1, NULL, 0, seed);
    assert_int_equal(
        weft_unit_sprout(*state, &weft_forth_memory_libc, &options, NULL, seed, &child), -ENOSPC);
    free(seed);
    forth_close(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_print_what_they_must),
        cmocka_unit_test(what_is_shared_is_the_source),
        cmocka_unit_test(a_seed_grows),
        cmocka_unit_test(a_seed_has_all_that_its_words_rely_on),
        cmocka_unit_test(a_seed_keeps_to_the_quota),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
