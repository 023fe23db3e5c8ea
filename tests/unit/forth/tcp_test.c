// The TCP words, on a host whose one connection gives back what was written to it, and takes its
// time.
#include "tests/unit/forth/forth_run.h"

static char echo[8192];
static size_t echo_length;
static bool is_open, is_late; // The next answer is to be asked for again.
static uint32_t asked_level;

static bool comes_later(void)
{
    is_late = !is_late;
    return is_late;
}

static int32_t tcp_open(void *self, uint32_t level, const char *address, size_t length,
                        uint64_t *socket)
{
    (void)self;
    asked_level = level;
    if (length != 10 || memcmp(address, "10.0.0.1:7", length) != 0) return WEFT_THROW_NO_NET;
    if (comes_later()) return WEFT_UNIT_LATER;
    is_open = true;
    echo_length = 0;
    *socket = 77;
    return 0;
}

static int64_t tcp_read(void *self, uint64_t socket, void *to, size_t size)
{
    (void)self;
    if (socket != 77 || !is_open) return WEFT_THROW_CLOSED;
    if (comes_later()) return WEFT_UNIT_FILE_LATER;
    const size_t bytes = echo_length < size ? echo_length : size;
    memcpy(to, echo, bytes);
    memmove(echo, echo + bytes, echo_length - bytes);
    echo_length -= bytes;
    return (int64_t)bytes;
}

// Takes a thousand bytes at a time.
static int64_t tcp_write(void *self, uint64_t socket, const void *from, size_t size)
{
    (void)self;
    if (socket != 77 || !is_open) return WEFT_THROW_CLOSED;
    if (comes_later()) return WEFT_UNIT_FILE_LATER;
    const size_t bytes = size < 1000 ? size : 1000;
    if (echo_length + bytes > sizeof(echo)) return WEFT_THROW_CLOSED;
    memcpy(echo + echo_length, from, bytes);
    echo_length += bytes;
    return (int64_t)bytes;
}

static int32_t tcp_close(void *self, uint64_t socket)
{
    (void)self;
    if (socket != 77 || !is_open) return WEFT_THROW_CLOSED;
    is_open = false;
    return 0;
}

#define OPEN "s\" 10.0.0.1:7\" tcp-open throw value s "

static const struct forth_case cases[] = {
    {"s\" 10.0.0.1:7\" tcp-open . .", "0 77 "},
    {"s\" 10.0.0.1:8\" tcp-open . .", "-324 0 "},
    {"9 3 tcp-open", "-9"},
    {"0 0 tcp-open . . pad 100 tcp-open . .", "-324 0 -301 0 "},
    {OPEN "s\" hello\" s tcp-write . pad 3 s tcp-read . . pad 80 s tcp-read . . pad 2 type",
     "0 0 3 0 2 lo"},
    {OPEN "pad 80 s tcp-read . . pad 0 s tcp-read . . pad 0 s tcp-write .", "0 0 0 0 0 "},
    {"5000 buffer: b 5000 buffer: c b 5000 char x fill " OPEN
     "b 5000 s tcp-write . c 4096 s tcp-read . . c 4096 + 904 s tcp-read . . b 5000 c 5000 compare "
     ".",
     "0 0 4096 0 904 0 "},
    {OPEN "s tcp-close . s tcp-close . pad 1 s tcp-read . . pad 1 s tcp-write .",
     "0 -305 -305 0 -305 "},
    {OPEN "9 1 s ' tcp-read catch . 2drop drop 9 1 s ' tcp-write catch . 2drop drop", "-9 -9 "},
    {OPEN "5 5 s tcp-close . . .", "0 5 5 "},
};

static void words_of_connections(void **state)
{
    static const struct weft_unit_machine machine = {
        .tcp_open = tcp_open, .tcp_read = tcp_read, .tcp_write = tcp_write, .tcp_close = tcp_close};
    static const struct weft_unit_host host = {.machine = &machine};
    static struct forth_run run;
    run.host = &host;
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            is_open = is_late = false;
            forth_open(&run, *state, mode);
            forth_text(&run, "test", cases[n].source);
            while (run.state == WEFT_UNIT_WAIT)
                forth_go(&run, UINT64_MAX);
            const bool is_fault = strcmp(cases[n].output, "-9") == 0;
            if (is_fault ? run.error.code != -9 : strcmp(run.output, cases[n].output) != 0)
                fail_msg("mode %d: %s: [%s], THROW %d", mode, cases[n].source, run.output,
                         run.error.code);
            assert_int_equal(asked_level, 0);
            forth_close(&run);
        }
    }
}

static void without_a_net_they_throw(void **state)
{
    static const struct weft_unit_machine refuses = {.no_net = WEFT_THROW_NO_NET};
    static const struct weft_unit_host none = {0}, refusing = {.machine = &refuses};
    static const char *const words[] = {"s\" x\" tcp-open", "pad 1 1 tcp-read", "pad 1 1 tcp-write",
                                        "1 tcp-close"};
    static struct forth_run run;
    for (size_t n = 0; n < 2 * sizeof(words) / sizeof(words[0]); n++) {
        run.host = n % 2 == 0 ? &none : &refusing;
        forth_open(&run, *state, FORTH_PLAIN);
        assert_int_equal(forth_text(&run, "test", words[n / 2]), WEFT_UNIT_FAULT);
        assert_int_equal(run.error.code, n % 2 == 0 ? -21 : WEFT_THROW_NO_NET);
        forth_close(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_connections),
        cmocka_unit_test(without_a_net_they_throw),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
