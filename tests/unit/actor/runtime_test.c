// The actors in a program of one's own: made, run, run again, posted to from outside, freed.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/weft.h>

#include "runtime/sched/fiber_sanitizer.h"

// Small, and where the kernel puts it: tests share a machine.
static const struct weft_runtime_options small = {.name = "test",
                                                  .worker_count = 2,
                                                  .floats = true,
                                                  .arena_bytes = 8 << 20,
                                                  .actor_count_max = 1024,
                                                  .stack_count_max = 256,
                                                  .name_count_max = 64};

static struct weft_runtime *create(const struct weft_runtime_options *options)
{
    int error = 1;
    struct weft_runtime *runtime = weft_runtime_create(options, &error);
    assert_non_null(runtime);
    assert_int_equal(error, 0);
    return runtime;
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    int error = 0;
    struct weft_runtime_options options = small;
    options.arena_bytes = 1000; // Less than an arena can be.
    assert_null(weft_runtime_create(&options, &error));
    assert_int_equal(error, -EINVAL);
    assert_null(weft_runtime_create(&options, NULL));
    weft_runtime_free(NULL);
    weft_runtime_free(create(&small)); // Never run.
}

static void a_wrong_first_actor_is_refused(void **state)
{
    (void)state;
    static const struct weft_actor_kind neither = {.name = "neither"};
    struct weft_runtime *runtime = create(&small);
    assert_int_equal(weft_runtime_run(runtime, &(struct weft_spawn){0}, NULL), -EINVAL);
    assert_int_equal(weft_runtime_run(runtime, &(struct weft_spawn){.kind = &neither}, NULL),
                     -EINVAL);
    weft_runtime_free(runtime);
}

// ---- Ends.

static void end_with_state(struct weft_actor *self, void *state)
{
    weft_exit(self, *(uint16_t *)state);
}

static const struct weft_actor_kind ending = {
    .name = "ending", .state_bytes = sizeof(uint16_t), .main = end_with_state};

static void a_run_ends_with_its_first_actor(void **state)
{
    (void)state;
    struct weft_runtime *runtime = create(&small);
    static const uint16_t reasons[] = {WEFT_EXIT_NORMAL, WEFT_EXIT_USER, 65000};
    for (size_t i = 0; i < 3; i++) { // And again.
        uint16_t reason = 1;
        const struct weft_spawn first = {.kind = &ending, .state = &reasons[i]};
        assert_int_equal(weft_runtime_run(runtime, &first, &reason), 0);
        assert_int_equal(reason, reasons[i]);
        assert_int_equal(weft_runtime_run(runtime, &first, NULL), 0);
    }
    weft_runtime_free(runtime);
}

// ---- Actors that are left go on in the next run.

static _Atomic unsigned rounds;

static void go_round(struct weft_actor *self, void *state)
{
    (void)state;
    for (;;) {
        atomic_fetch_add(&rounds, 1);
        weft_sleep(self, 10000);
    }
}

static void wait_for_rounds(struct weft_actor *self, void *state)
{
    static const struct weft_actor_kind kind = {.name = "rounds", .main = go_round};
    const unsigned before = atomic_load(&rounds);
    weft_pid pid;
    if (state != NULL) {
        for (uint16_t i = 0; i < 4; i++) {
            const struct weft_spawn spawn = {.kind = &kind, .core = i % 2};
            assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
        }
    }
    while (atomic_load(&rounds) < before + 40)
        weft_sleep(self, 10000);
}

static void who_is_left_goes_on_in_the_next_run(void **state)
{
    (void)state;
    static const struct weft_actor_kind kind = {.name = "waiting", .main = wait_for_rounds};
    struct weft_runtime *runtime = create(&small);
    struct weft_spawn first = {.kind = &kind, .state = &small};
    assert_int_equal(weft_runtime_run(runtime, &first, NULL), 0);
    const unsigned between = atomic_load(&rounds);
    first.state = NULL;
    assert_int_equal(atomic_load(&rounds), between); // In between nobody moves.
    assert_int_equal(weft_runtime_run(runtime, &first, NULL), 0);
    assert_true(atomic_load(&rounds) >= between + 40);
    weft_runtime_free(runtime); // With four actors in it.
}

// ---- Every option that has to do with actors: the same program under each.

#define PAIRS 20

static void answer(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state;
    if (message->tag == WEFT_MESSAGE_CALL)
        weft_reply(self, message, 1, message->payload, message->length);
}

static void ask(struct weft_actor *self, void *state)
{
    static const struct weft_actor_kind kind = {.name = "answering", .handle = answer};
    struct weft_message *reply;
    weft_pid pid;
    char name[16];
    (void)state;
    const struct weft_spawn spawn = {.kind = &kind};
    assert_int_equal(weft_spawn_link(self, &spawn, &pid), 0);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(weft_call(self, pid, 1, &i, sizeof(i), WEFT_FOREVER, &reply), 0);
        assert_memory_equal(reply->payload, &i, sizeof(i));
        if (i % 10 == 0) weft_move(self, (uint16_t)(i / 10 % 2));
    }
    snprintf(name, sizeof(name), "asker%llu", (unsigned long long)weft_self(self));
    assert_int_equal(weft_register(self, name, 0), 0);
    weft_exit(self, WEFT_EXIT_SHUTDOWN); // The one that answers goes too.
}

static void ask_in_crowds(struct weft_actor *self, void *state)
{
    static const struct weft_actor_kind kind = {.name = "asking", .main = ask};
    uint64_t reference;
    weft_pid pid;
    (void)state;
    for (uint16_t i = 0; i < PAIRS; i++) {
        const struct weft_spawn spawn = {.kind = &kind, .core = i % 2, .label = "asker"};
        assert_int_equal(weft_spawn_monitor(self, &spawn, &pid, &reference), 0);
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        const struct weft_message *down = weft_receive(self, WEFT_FOREVER);
        assert_int_equal(down->tag, WEFT_MESSAGE_DOWN);
        assert_int_equal(down->type, WEFT_EXIT_SHUTDOWN);
    }
    weft_say(self, WEFT_LEVEL_DEBUG, "nobody hears this %d", 1);
}

static void a_program_runs_under_every_option(void **state)
{
    (void)state;
    static const struct weft_actor_kind kind = {.name = "crowd", .main = ask_in_crowds};
    for (unsigned i = 0; i < 4; i++) {
        struct weft_runtime_options options = small;
        if (i == 1) options.checked_stacks = true;
        if (i == 2) options.moves_always = true;
        if (i == 3) options.floats = false; // One CPU each, where there are so many.
        struct weft_runtime *runtime = create(&options);
        uint16_t reason = 1;
        assert_int_equal(weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, &reason),
                         0);
        assert_int_equal(reason, WEFT_EXIT_NORMAL);
        weft_runtime_free(runtime);
    }
}

// ---- From other threads.

#define POSTS 2000

struct postbox {
    struct weft_runtime *runtime;
    _Atomic weft_pid pid;
    unsigned got, bytes;
    uint16_t next;
};

static void take_post(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct postbox *postbox = *(struct postbox **)state;
    if (message->tag != WEFT_MESSAGE_PORT) { // The first one says that it is here.
        atomic_store(&postbox->pid, weft_self(self));
        return;
    }
    assert_int_equal(message->from, 0);
    assert_int_equal(message->type, postbox->next++);
    postbox->bytes += message->length;
    if (++postbox->got == POSTS) weft_stop(self, WEFT_EXIT_NORMAL);
}

static const struct weft_actor_kind postbox_kind = {
    .name = "postbox", .state_bytes = sizeof(struct postbox *), .handle = take_post};

static void *post(void *argument)
{
    struct postbox *postbox = argument;
    weft_pid pid;
    while ((pid = atomic_load(&postbox->pid)) == 0)
        sched_yield();
    const weft_pid nobody = pid | UINT64_C(0xff) << 24;
    assert_int_equal(weft_runtime_post(postbox->runtime, nobody, 1, NULL, 0), -ESRCH);
    assert_int_equal(weft_runtime_post(postbox->runtime, pid, 1, NULL, SIZE_MAX / 2), -ENOMEM);
    for (uint16_t i = 0; i < POSTS; i++) {
        int result;
        while ((result = weft_runtime_post(postbox->runtime, pid, i, "0123456789", i % 10)) ==
               -EAGAIN)
            sched_yield();
        assert_int_equal(result, 0);
    }
    return NULL;
}

static void start_postbox(struct weft_actor *self, void *state)
{
    struct postbox *postbox = state;
    uint16_t reason = 1;
    weft_pid pid;
    const struct weft_spawn spawn = {
        .kind = &postbox_kind, .state = &postbox, .core = 1, .mailbox_max = 2 * POSTS};
    assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
    assert_int_equal(weft_send(self, pid, 0, NULL, 0), 0);
    assert_int_equal(weft_join(self, pid, WEFT_FOREVER, &reason), 0);
    assert_int_equal(reason, WEFT_EXIT_NORMAL);
}

static void other_threads_post_in_order(void **state)
{
    (void)state;
    static const struct weft_actor_kind kind = {.name = "start", .main = start_postbox};
    struct postbox postbox = {.runtime = create(&small)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, post, &postbox), 0);
    const struct weft_spawn first = {.kind = &kind, .state = &postbox};
    assert_int_equal(weft_runtime_run(postbox.runtime, &first, NULL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(postbox.got, POSTS);
    assert_int_equal(postbox.bytes, POSTS / 10 * 45);
    weft_runtime_free(postbox.runtime);
}

// ---- Freed with work under way: nobody is told, nothing leaks.

static void *objects[8];

static void destroy(void *object)
{
    free(object);
}

static void leave_things(struct weft_actor *self, void *state)
{
    static const struct weft_type type = {.name = "thing", .destroy = destroy};
    static const struct weft_actor_kind kind = {.name = "rounds", .main = go_round};
    (void)state;
    for (uint16_t i = 0; i < 8; i++) {
        const struct weft_spawn spawn = {.kind = &kind, .core = i % 2};
        weft_pid pid;
        assert_int_equal(weft_spawn(self, &spawn, &pid), 0);
        objects[i] = malloc(100);
        assert_int_equal(weft_send_object(self, pid, 1, &type, objects[i]), 0);
        assert_int_equal(weft_link(self, pid), 0);
        weft_unlink(self, pid);
    }
    weft_alloc(self, 1000);
    weft_send_interval(self, weft_self(self), 100000, 1, NULL, 0, NULL);
}

static void what_is_left_is_freed(void **state)
{
    (void)state;
    static const struct weft_actor_kind kind = {.name = "leaving", .main = leave_things};
    struct weft_runtime *runtime = create(&small);
    assert_int_equal(weft_runtime_run(runtime, &(struct weft_spawn){.kind = &kind}, NULL), 0);
    weft_runtime_free(runtime);
}

// A worker that stands still, and something posted to it.
static void post_to_nobody(struct weft_actor *self, void *state)
{
    struct weft_runtime *runtime = *(struct weft_runtime **)state;
    // To this worker, which will not take it: its first actor's end ends the run.
    assert_int_equal(weft_runtime_post(runtime, weft_self(self), 1, "0123456789", 10), 0);
    assert_int_equal(weft_runtime_post(runtime, weft_self(self), 2, NULL, 0), 0);
}

static void what_was_posted_too_late_is_freed(void **state)
{
    (void)state;
    struct weft_runtime_options options = small;
    options.worker_count = 1;
    struct weft_runtime *runtime = create(&options);
    const struct weft_actor_kind kind = {
        .name = "late", .state_bytes = sizeof(runtime), .main = post_to_nobody};
    const struct weft_spawn first = {.kind = &kind, .state = &runtime};
    assert_int_equal(weft_runtime_run(runtime, &first, NULL), 0);
    assert_int_equal(weft_runtime_post(runtime, 1, 1, "0123456789", 10), 0); // Between two runs.
    weft_runtime_free(runtime); // LeakSanitizer would tell.
}

// ---- A run that cannot begin leaves nobody behind.

static void count_run(struct weft_actor *self, void *state)
{
    (void)self;
    ++**(unsigned **)state;
}

static void a_run_that_fails_leaves_nobody(void **state)
{
    (void)state;
    unsigned runs = 0, *count = &runs;
    const struct weft_actor_kind kind = {
        .name = "counting", .state_bytes = sizeof(count), .main = count_run};
    const struct weft_spawn counting = {.kind = &kind, .state = &count};
    const uint16_t wanted = WEFT_EXIT_USER;
    const struct weft_spawn next = {.kind = &ending, .state = &wanted};
    struct weft_runtime *runtime = create(&small);
    struct rlimit files, none;
    uint16_t reason = 1;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    none = files;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const int result = weft_runtime_run(runtime, &counting, NULL); // A ring is a descriptor.
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    if (result != 0) {
        assert_int_equal(result, -EMFILE);
        assert_int_equal(weft_runtime_run(runtime, &next, &reason), 0);
        assert_int_equal(reason, WEFT_EXIT_USER); // That of its own, after its own end.
        assert_int_equal(runs, 0);
    }
    weft_runtime_free(runtime);
    if (result == 0) skip(); // IO is on epoll, where all descriptors were opened before.
}

// ---- Signals. What the program has for them it has again afterwards.

static void the_signals_of_the_thread_are_its_own(void **state)
{
    (void)state;
    static char bytes[64 * 1024];
    const stack_t mine = {.ss_sp = bytes, .ss_size = sizeof(bytes)};
    stack_t before, after;
    sigset_t blocked, mask_before, mask_after;
    struct weft_runtime *runtime = create(&small);
    const uint16_t wanted = 0;
    const struct weft_spawn first = {.kind = &ending, .state = &wanted};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGURG);
    sigaddset(&blocked, SIGTRAP);
    sigaddset(&blocked, SIGUSR1);
    assert_int_equal(sigaltstack(&mine, &before), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &mask_before), 0);
    assert_int_equal(weft_runtime_run(runtime, &first, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &mask_before, &mask_after), 0);
    assert_int_equal(sigaltstack(&before, &after), 0);
    assert_ptr_equal(after.ss_sp, bytes);
    assert_int_equal(after.ss_size, sizeof(bytes));
    assert_int_equal(after.ss_flags, 0);
    for (int signal = 1; signal < 32; signal++) {
        const bool was = sigismember(&mask_before, signal) || sigismember(&blocked, signal);
        assert_int_equal(sigismember(&mask_after, signal), was);
    }
    weft_runtime_free(runtime);
}

static void crash_in_the_runtime(struct weft_actor *self, void *state)
{
    (void)state;
    weft_send(self, weft_self(self), 1, (const void *)16, 16); // Not the actor's own code.
}

static void ignore(int signal)
{
    (void)signal;
}

// Runs `main` in a process of its own, whose standard error is the pipe, with SIGALRM caught and
// blocked.
static pid_t run_apart(void (*main)(struct weft_actor *self, void *state), const int pipe[2])
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0) return child;
    const struct weft_actor_kind kind = {.name = "apart", .main = main};
    const struct sigaction catch = {.sa_handler = ignore};
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    sigaction(SIGALRM, &catch, NULL);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    dup2(pipe[1], STDERR_FILENO);
    _exit(weft_runtime_run(create(&small), &(struct weft_spawn){.kind = &kind}, NULL));
}

// A report that nobody reads is ended by its alarm: here, by ours. The alarm that comes before the
// report is not one.
static void a_report_does_not_hang(void **state)
{
    (void)state;
#ifdef WEFT_FIBER_SANITIZER
    skip(); // Faults are the sanitizer's.
#endif
    int pipe[2], status;
    assert_int_equal(pipe2(pipe, O_NONBLOCK), 0);
    while (write(pipe[1], "x", 1) == 1) // Until it is full.
        continue;
    assert_int_equal(fcntl(pipe[1], F_SETFL, 0), 0);
    const pid_t child = run_apart(crash_in_the_runtime, pipe);
    while (waitpid(child, &status, WNOHANG) == 0) {
        kill(child, SIGALRM);
        sched_yield();
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGALRM);
    close(pipe[0]);
    close(pipe[1]);
}

// ---- What is printed of a crash stands where it happened among what its core had to say.

static void crash(struct weft_actor *self, void *state)
{
    int *volatile nowhere = (int *)16; // The compiler would not have it otherwise.
    (void)self, (void)state;
    *nowhere = 1;
}

static void say_and_crash(struct weft_actor *self, void *state)
{
    static const struct weft_actor_kind kind = {.name = "crashing", .main = crash};
    uint64_t reference;
    weft_pid pid;
    (void)state;
    weft_say(self, WEFT_LEVEL_WARN, "before");
    const struct weft_spawn spawn = {.kind = &kind};
    weft_spawn_monitor(self, &spawn, &pid, &reference);
    weft_receive(self, WEFT_FOREVER); // The DOWN, in the same turn.
    weft_say(self, WEFT_LEVEL_WARN, "after");
}

static void a_crash_is_told_in_its_place(void **state)
{
    (void)state;
#ifdef WEFT_FIBER_SANITIZER
    skip(); // Faults are the sanitizer's.
#endif
    int pipe[2], status;
    char text[4096] = "";
    size_t length = 0;
    assert_int_equal(pipe2(pipe, 0), 0);
    const pid_t child = run_apart(say_and_crash, pipe);
    close(pipe[1]);
    for (ssize_t got; (got = read(pipe[0], text + length, sizeof(text) - 1 - length)) > 0;)
        length += (size_t)got;
    close(pipe[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    const char *before = strstr(text, "before"), *after = strstr(text, "after");
    const char *crashed = strstr(text, "crashed: SIGSEGV at 0x10");
    assert_non_null(before);
    assert_non_null(crashed);
    assert_non_null(after);
    assert_true(before < crashed && crashed < after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(a_wrong_first_actor_is_refused),
        cmocka_unit_test(a_run_ends_with_its_first_actor),
        cmocka_unit_test(who_is_left_goes_on_in_the_next_run),
        cmocka_unit_test(a_program_runs_under_every_option),
        cmocka_unit_test(other_threads_post_in_order),
        cmocka_unit_test(what_is_left_is_freed),
        cmocka_unit_test(what_was_posted_too_late_is_freed),
        cmocka_unit_test(a_run_that_fails_leaves_nobody),
        cmocka_unit_test(the_signals_of_the_thread_are_its_own),
        cmocka_unit_test(a_report_does_not_hang),
        cmocka_unit_test(a_crash_is_told_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
