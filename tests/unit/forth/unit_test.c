// A unit and its node: messages, delays, parked programs that are asked something meanwhile, the
// examples of docs/, and what an image carries.
#include "tests/unit/forth/forth_run.h"

struct node {
    uint64_t now_ns;
    const struct weft_unit_message *inbox; // Until a message without payload.
    uint16_t port;
    int replies;
    char reply[1024];
    char sent[256];
    uint64_t sent_to;
};

static uint64_t figure_7(void *self)
{
    (void)self;
    return 7;
}

static uint64_t now_ns(void *self)
{
    return ((struct node *)self)->now_ns;
}

static bool receive(void *self, struct weft_unit_message *message)
{
    struct node *node = self;
    if (node->inbox == NULL || node->inbox->payload == NULL) return false;
    *message = *node->inbox++;
    return true;
}

static int32_t udp_bind(void *self, uint16_t port)
{
    ((struct node *)self)->port = port;
    return 0;
}

static int32_t udp_reply(void *self, const void *payload, size_t length)
{
    struct node *node = self;
    assert_true(length < sizeof(node->reply));
    memcpy(node->reply, payload, length);
    node->reply[length] = '\0';
    node->replies++;
    return 0;
}

static int32_t send_anywhere(void *self, const void *payload, size_t length, uint64_t to)
{
    struct node *node = self;
    if (length >= sizeof(node->sent)) return -258;
    memcpy(node->sent, payload, length);
    node->sent[length] = '\0';
    node->sent_to = to;
    return 0;
}

static bool node_id(void *self, const char *name, size_t length, uint64_t *id)
{
    (void)self;
    if (length != 2 || memcmp(name, "n3", 2) != 0) return false;
    *id = 33;
    return true;
}

static struct weft_unit_host host_of(struct node *node)
{
    return (struct weft_unit_host){
        .self = node,
        .host_id = figure_7,
        .unit_index = figure_7,
        .sibling_count = figure_7,
        .mesh_process_count = figure_7,
        .pid = figure_7,
        .now_ns = now_ns,
        .unix_us = now_ns,
        .send_to = send_anywhere,
        .send = send_anywhere,
        .receive = receive,
        .udp_bind = udp_bind,
        .udp_reply = udp_reply,
        .node_id = node_id,
    };
}

static struct weft_unit_message datagram(const char *text)
{
    return (struct weft_unit_message){.payload = text,
                                      .length = strlen(text),
                                      .from = 0x0a0000010000 | 5000,
                                      .kind = WEFT_UNIT_MESSAGE_UDP};
}

static char *example(const char *name)
{
    static char text[8192];
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", WEFT_EXAMPLES, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    return text;
}

static void figures_come_from_the_host(void **state)
{
    static struct node node = {.now_ns = 5};
    const struct weft_unit_host host = host_of(&node);
    static struct forth_run run;
    run.host = &host;
    forth_open(&run, *state, FORTH_RESTORE);
    forth_text(&run, "t",
               "host-id unit-idx sibling-count mesh-process-count self + + + + . time . "
               "s\" hi\" 3 send-host . utime d.");
    assert_string_equal(run.output, "35 5 0 5 ");
    assert_string_equal(node.sent, "hi");
    assert_int_equal(node.sent_to, 3);
    forth_text(&run, "t", "300 buffer: b b 300 42 send-to .");
    assert_string_equal(run.output, "-258 ");
    forth_text(&run, "t", "s\" x\" udp-reply . 0 udp-bind . 65536 udp-bind .");
    assert_string_equal(run.output, "-260 -24 -24 ");
    forth_close(&run);
}

static void nodes_have_names(void **state)
{
    static struct node node = {.now_ns = 5};
    const struct weft_unit_host host = host_of(&node);
    static struct forth_run run;
    run.host = &host;
    forth_open(&run, *state, FORTH_RESTORE);
    forth_text(&run, "t",
               ": greet s\" hello\" s\" n3\" node throw send-host throw ; greet depth .");
    assert_string_equal(run.output, "0 ");
    assert_string_equal(node.sent, "hello");
    assert_int_equal(node.sent_to, 33);
    forth_text(&run, "t", "s\" n4\" node . . s\" \" node . . s\" n3\" node . .");
    assert_string_equal(run.output, "-301 0 -301 0 0 33 ");
    assert_int_equal(forth_text(&run, "t", "0 2 node"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -9);
    assert_int_equal(forth_text(&run, "t", "1 node"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -4);
    forth_close(&run);

    run.host = NULL;
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(forth_text(&run, "t", "s\" n3\" node"), WEFT_UNIT_FAULT);
    assert_int_equal(run.error.code, -21);
    forth_close(&run);
}

static void ms_parks_until_its_time(void **state)
{
    static struct node node = {.now_ns = 1000000};
    const struct weft_unit_host host = host_of(&node);
    static struct forth_run run;
    run.host = &host;
    forth_open(&run, *state, FORTH_PLAIN);
    assert_int_equal(forth_text(&run, "t", "1 . 20 ms 2 ."), WEFT_UNIT_WAIT);
    struct weft_unit_info info;
    weft_unit_inspect(run.unit, &info);
    assert_in_range(info.wake_ns, 21000000, 21000001);
    node.now_ns = 20999999;
    assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_WAIT);
    assert_string_equal(run.output, "1 ");
    forth_restore(&run); // A delay that was moved begins again.
    assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_WAIT);
    weft_unit_inspect(run.unit, &info);
    assert_in_range(info.wake_ns, 40999999, 41000001);
    node.now_ns = info.wake_ns;
    assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_DONE);
    assert_string_equal(run.output, "1 2 ");
    forth_close(&run);
}

static void messages_wake_a_parked_unit(void **state)
{
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        struct node node = {.now_ns = 1};
        const struct weft_unit_host host = host_of(&node);
        static struct forth_run run;
        run.host = &host;
        forth_open(&run, *state, mode);
        assert_int_equal(forth_text(&run, "t", "receive . . type receive . . type"),
                         WEFT_UNIT_WAIT);
        assert_string_equal(run.output, "");
        const struct weft_unit_message first[] = {
            {.payload = "one", .length = 3, .from = 9, .kind = WEFT_UNIT_MESSAGE_HOST}, {0}};
        node.inbox = first;
        assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_WAIT);
        assert_string_equal(run.output, "1 9 one");
        const struct weft_unit_message second[] = {
            {.payload = "", .length = 0, .from = 8, .kind = WEFT_UNIT_MESSAGE_SIBLING}, {0}};
        node.inbox = second;
        assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_DONE);
        assert_string_equal(run.output, "1 9 one0 8 ");
        forth_close(&run);
    }
}

// A message larger than the unit's memory throws in the unit, and the next one comes.
static void a_message_over_the_quota_is_a_throw(void **state)
{
    static char large[70000];
    static const struct weft_unit_options options = {.memory_bytes_max = 16384,
                                                     .stack_cells_max = 64,
                                                     .call_depth_max = 64,
                                                     .output_bytes_max = 1024};
    const struct weft_unit_message inbox[] = {
        {.payload = large, .length = sizeof(large)}, {.payload = "x", .length = 1}, {0}};
    struct node node = {.inbox = inbox};
    const struct weft_unit_host host = host_of(&node);
    static struct forth_run run;
    run.host = &host;
    run.options = &options;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", "' receive catch . receive . . type");
    assert_string_equal(run.output, "-257 0 0 x");
    forth_close(&run);
    run.options = NULL;
}

// An evaluation interrupts a parked program: same words and variables, own stacks, and whatever it
// does, the program stands where it stood.
static void a_parked_unit_can_be_asked(void **state)
{
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        struct node node = {.now_ns = 1};
        const struct weft_unit_host host = host_of(&node);
        static struct forth_run run;
        run.host = &host;
        forth_open(&run, *state, mode);
        assert_int_equal(
            forth_text(&run, "main",
                       "variable v : main 11 22 33 >r >r begin receive 2drop 2drop 1 v +! again ; "
                       ": m ['] main catch 5 . ; 44 m"),
            WEFT_UNIT_WAIT);
        assert_int_equal(forth_text(&run, "eval", "depth . v @ . 7 v ! 1 2 3"), WEFT_UNIT_DONE);
        assert_string_equal(run.output, "0 0 ");
        assert_int_equal(weft_unit_state(run.unit), WEFT_UNIT_WAIT);
        assert_int_equal(forth_text(&run, "eval", "drop"), WEFT_UNIT_FAULT);
        assert_int_equal(run.error.code, -4);
        assert_int_equal(weft_unit_state(run.unit), WEFT_UNIT_WAIT);
        assert_int_equal(forth_text(&run, "eval", "r> drop"), WEFT_UNIT_FAULT);
        assert_int_equal(forth_text(&run, "eval", ": dug 1 throw ; dug"), WEFT_UNIT_FAULT);
        assert_int_equal(run.error.code, 1); // Not caught by the program's CATCH.
        assert_int_equal(forth_text(&run, "eval", ": half 1 2"), WEFT_UNIT_DONE); // Left open:
        assert_int_equal(forth_text(&run, "eval", "half"), WEFT_UNIT_FAULT);      // gone.
        assert_int_equal(forth_text(&run, "eval", "quit"), WEFT_UNIT_DONE);
        assert_int_equal(forth_text(&run, "eval", ": sq dup * ; 5 sq . v @ ."), WEFT_UNIT_DONE);
        assert_string_equal(run.output, "25 7 ");

        // An evaluation may park too, and be asked in turn: four below the one that runs.
        assert_int_equal(forth_text(&run, "eval", "receive"), WEFT_UNIT_WAIT);
        assert_int_equal(forth_text(&run, "eval", "receive"), WEFT_UNIT_WAIT);
        assert_int_equal(forth_text(&run, "eval", "receive"), WEFT_UNIT_WAIT);
        assert_int_equal(forth_text(&run, "eval", "receive"), WEFT_UNIT_WAIT);
        assert_int_equal(weft_unit_interpret(run.unit, "eval", "1", 1), -EBUSY);
        for (int n = 0; n < 4; n++)
            weft_unit_cancel(run.unit, -28);
        assert_int_equal(weft_unit_error(run.unit)->code, -28);

        const struct weft_unit_message inbox[] = {
            {.payload = "a", .length = 1}, {.payload = "b", .length = 1}, {0}};
        node.inbox = inbox;
        assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_WAIT);
        int64_t value = 0;
        assert_true(weft_unit_value(run.unit, "V", &value));
        assert_int_equal(value, 9);
        struct weft_unit_info info;
        weft_unit_inspect(run.unit, &info);
        assert_int_equal(info.depth, 2); // The program's 44 and 11.
        assert_int_equal(info.levels, 1);
        weft_unit_reset(run.unit);
        assert_int_equal(weft_unit_state(run.unit), WEFT_UNIT_DONE);
        assert_int_equal(forth_text(&run, "eval", "depth . v @ ."), WEFT_UNIT_DONE);
        assert_string_equal(run.output, "0 9 ");
        forth_close(&run);
    }
}

static void a_definition_may_span_texts(void **state)
{
    static struct forth_run run;
    forth_open(&run, *state, FORTH_RESTORE);
    run.host = NULL;
    forth_text(&run, "1", ": t begin dup while");
    forth_text(&run, "2", "dup . 1- repeat drop");
    forth_text(&run, "3", "; 3 t 1 2");
    assert_string_equal(run.output, "3 2 1 ");
    forth_text(&run, "4", ".s : u zork");
    assert_string_equal(run.output, "<2> 1 2 ");
    assert_int_equal(run.state, WEFT_UNIT_FAULT);
    forth_text(&run, "5", "depth . 1 .");
    assert_string_equal(run.output, "0 1 ");
    assert_int_equal(forth_text(&run, "6", "bye 1 ."), WEFT_UNIT_BYE);
    assert_int_equal(weft_unit_interpret(run.unit, "7", "1", 1), -ESHUTDOWN);
    forth_close(&run);
}

static void cancel_ends_what_runs(void **state)
{
    static struct forth_run run;
    run.host = NULL;
    forth_open(&run, *state, FORTH_PLAIN);
    forth_text(&run, "t", ": spin begin again ; : t begin ['] spin catch drop again ;");
    assert_int_equal(weft_unit_interpret(run.unit, "t", "1 2 t", 5), 0);
    forth_go(&run, 3);
    assert_int_equal(run.state, WEFT_UNIT_AGAIN);
    weft_unit_cancel(run.unit, WEFT_THROW_REDUCTIONS);
    assert_int_equal(weft_unit_state(run.unit), WEFT_UNIT_DONE);
    char rendered[256];
    weft_unit_error_render(weft_unit_error(run.unit), rendered, sizeof(rendered));
    assert_string_equal(
        rendered, "t:1:5: error: quota of reductions spent (THROW -256) in spin\n1 2 t\n    ^\n");
    assert_int_equal(weft_unit_interpret(run.unit, "t", "s\" begin again\" 9 sandbox", 26), 0);
    weft_unit_cancel(run.unit, -28);
    forth_text(&run, "t", "depth .");
    assert_string_equal(run.output, "0 ");
    forth_close(&run);
}

static void the_examples_do_what_they_say(void **state)
{
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        struct node node = {.now_ns = 1};
        const struct weft_unit_host host = host_of(&node);
        static struct forth_run run;
        run.host = &host;

        forth_open(&run, *state, mode);
        assert_int_equal(forth_text(&run, "counter.fth", example("counter.fth")), WEFT_UNIT_DONE);
        forth_text(&run, "eval", "5 add total .");
        assert_string_equal(run.output, "5 ");
        forth_text(&run, "eval", "5 add total .");
        assert_string_equal(run.output, "10 ");
        int64_t value = 0;
        assert_true(weft_unit_value(run.unit, "total", &value));
        assert_int_equal(value, 10);
        forth_close(&run);

        forth_open(&run, *state, FORTH_PLAIN);
        forth_text(&run, "primes.fth", example("primes.fth"));
        forth_text(&run, "eval", "10000 primes . 100 primes .");
        assert_string_equal(run.output, "1229 25 ");
        forth_close(&run);

        forth_open(&run, *state, mode);
        assert_int_equal(forth_text(&run, "inbox.fth", example("inbox.fth")), WEFT_UNIT_WAIT);
        const struct weft_unit_message inbox[] = {
            {.payload = "hello", .length = 5, .from = 1, .kind = WEFT_UNIT_MESSAGE_HOST},
            {.payload = "there", .length = 5, .from = 1, .kind = WEFT_UNIT_MESSAGE_SIBLING},
            {.payload = "lost", .length = 4, .from = 1, .kind = WEFT_UNIT_MESSAGE_UDP},
            {0}};
        node.inbox = inbox;
        assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_WAIT);
        forth_text(&run, "eval", "report");
        assert_string_equal(run.output, "1 from siblings, 1 from afar, the last: there");
        forth_close(&run);

        forth_open(&run, *state, mode);
        assert_int_equal(forth_text(&run, "udp-echo.fth", example("udp-echo.fth")), WEFT_UNIT_WAIT);
        const struct weft_unit_message echo[] = {datagram("back"), {0}};
        node.inbox = echo;
        forth_go(&run, UINT64_MAX);
        assert_string_equal(node.reply, "back");
        assert_int_equal(node.port, 4207);
        forth_close(&run);
    }
}

static void the_calculator_answers_whoever_asks(void **state)
{
    static const struct {
        const char *question, *answer;
    } cases[] = {
        {"21 2 * .", "42"},
        {"21 2 * .\n", "42"},
        {": sq dup * ;\n 7 sq . ", "49"},
        {"sq", "error: undefined word: sq (THROW -13)"}, // Each is forgotten.
        {"1 2", "ok"},
        {"", "ok"},
        {"0 0 !", "error: invalid memory address (THROW -9)"},
        {"begin again", "error: interpreting a compile-only word (THROW -14)"},
        {": t begin again ; t", "error: quota of reductions spent (THROW -256)"},
        {": t recurse ; t", "error: return stack overflow (THROW -5)"},
        {"1000000000 allot", "error: dictionary overflow (THROW -8)"},
        {"1 0 /", "error: division by zero (THROW -10)"},
        {"4201 udp-bind", "error: unsupported operation (THROW -21)"},
        {"receive", "error: unsupported operation (THROW -21)"},
        {"1 ms", "error: unsupported operation (THROW -21)"},
        {"s\" 1 .\" 10 sandbox", "error: unsupported operation (THROW -21)"},
        {"0 to port 1 .", "error: invalid name argument (THROW -32)"},
        {": port 1 ; : answer ; bye", "ok"},
        {"abort", "error: aborted (THROW -1)"},
        {"\x01\xff\xfe zork", "error: undefined word: \xff\xfe (THROW -13)"},
        {"21 2 * .", "42"},
    };
    for (enum forth_mode mode = 0; mode < FORTH_MODE_COUNT; mode++) {
        struct node node = {.now_ns = 1};
        const struct weft_unit_host host = host_of(&node);
        static struct forth_run run;
        run.host = &host;
        forth_open(&run, *state, mode == FORTH_RESTORE ? FORTH_PLAIN : mode);
        assert_int_equal(forth_text(&run, "udp-calc.fth", example("udp-calc.fth")), WEFT_UNIT_WAIT);
        assert_int_equal(node.port, 4200);
        run.mode = mode;
        for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
            // Saving at each of 20 000 slices, three times, is for the short ones.
            if (mode == FORTH_RESTORE && strstr(cases[n].question, "again") != NULL) continue;
            const struct weft_unit_message inbox[] = {datagram(cases[n].question), {0}};
            node.inbox = inbox;
            node.replies = 0;
            assert_int_equal(forth_go(&run, UINT64_MAX), WEFT_UNIT_WAIT);
            assert_int_equal(node.replies, 1);
            assert_string_equal(node.reply, cases[n].answer);
        }
        // Asked meanwhile, it answers, and serves on.
        forth_text(&run, "eval", "1 2 + .");
        assert_string_equal(run.output, "3 ");
        const struct weft_unit_message inbox[] = {datagram("1 2 + ."), {0}};
        node.inbox = inbox;
        forth_go(&run, UINT64_MAX);
        assert_string_equal(node.reply, "3");
        forth_close(&run);
    }
}

static void a_unit_is_born_small(void **state)
{
    struct weft_unit *unit;
    struct weft_unit_info info;
    assert_int_equal(weft_unit_create(*state, &weft_forth_memory_libc, NULL, NULL, &unit), 0);
    weft_unit_inspect(unit, &info);
    assert_true(info.memory_bytes <= 1232);
    assert_int_equal(info.state, WEFT_UNIT_DONE);
    weft_unit_free(unit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_come_from_the_host),
        cmocka_unit_test(nodes_have_names),
        cmocka_unit_test(ms_parks_until_its_time),
        cmocka_unit_test(messages_wake_a_parked_unit),
        cmocka_unit_test(a_message_over_the_quota_is_a_throw),
        cmocka_unit_test(a_parked_unit_can_be_asked),
        cmocka_unit_test(a_definition_may_span_texts),
        cmocka_unit_test(cancel_ends_what_runs),
        cmocka_unit_test(the_examples_do_what_they_say),
        cmocka_unit_test(the_calculator_answers_whoever_asks),
        cmocka_unit_test(a_unit_is_born_small),
    };
    return cmocka_run_group_tests(tests, forth_compile_system, forth_free_system);
}
