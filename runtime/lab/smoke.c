#include "runtime/lab/smoke.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/base/units.h"
#include "runtime/lab/lab.h"
#include "runtime/lab/programs.h"
#include "runtime/lab/remote.h"
#include "runtime/lab/udp_probe.h"

#define MEET_NS   (10 * WEFT_NS_PER_S) // For all nodes to see each other.
#define NOTICE_NS (5 * WEFT_NS_PER_S)  // For a death to be noticed.
#define POLL_MS   50

struct smoke {
    const char *run;
    FILE *out;
    unsigned failed;
    json_t *lab;
    char why[256]; // Why the current check fails.
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * WEFT_NS_PER_S + (uint64_t)now.tv_nsec;
}

__attribute__((format(printf, 2, 3))) static bool no(struct smoke *smoke, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(smoke->why, sizeof(smoke->why), format, args);
    va_end(args);
    return false;
}

// Repeats `holds` until it does, at most `limit_ns`.
static bool wait_until(struct smoke *smoke, bool (*holds)(struct smoke *smoke, void *self),
                       void *self, uint64_t limit_ns)
{
    const uint64_t until_ns = now_ns() + limit_ns;
    const struct timespec pause = {.tv_nsec = POLL_MS * (long)WEFT_NS_PER_MS};

    while (!holds(smoke, self)) {
        if (now_ns() > until_ns) return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

// The answer of node `name`, or NULL with smoke->why.
static json_t *ask(struct smoke *smoke, const char *name, const char *method, const char *path,
                   const json_t *body)
{
    struct weft_client_target target;
    struct weft_error error = {0};
    unsigned status;
    const json_t *node = weft_lab_node_of(smoke->lab, name, &error);

    if (node == NULL) {
        no(smoke, "%.200s", error.text);
        return NULL;
    }
    weft_lab_node_target(node, &target);
    json_t *answer = weft_client_json(&target, method, path, body, 0, &status, &error);
    if (answer == NULL) no(smoke, "%s: %.200s", name, error.text);
    return answer;
}

static bool load(struct smoke *smoke, const char *node, const char *unit, const char *recovery,
                 const char *source)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s}", "name", unit, "source", source, "recovery", recovery);
    json_t *answer = ask(smoke, node, "POST", "/api/v1/units", body);
    const bool done = answer != NULL;

    json_decref(body);
    json_decref(answer);
    return done;
}

// What evaluating `text` printed; at most `room` bytes. False with smoke->why.
static bool eval(struct smoke *smoke, const char *node, const char *unit, const char *text,
                 char *output, size_t room)
{
    char path[128];
    json_t *body = json_pack("{s:s}", "text", text);

    snprintf(path, sizeof(path), "/api/v1/units/%s/eval", unit);
    json_t *answer = ask(smoke, node, "POST", path, body);
    const char *printed = json_string_value(json_object_get(answer, "output"));
    const bool done = answer != NULL;
    snprintf(output, room, "%s", printed != NULL ? printed : "");
    json_decref(body);
    json_decref(answer);
    return done;
}

static const char *name_at(const struct smoke *smoke, size_t i)
{
    const json_t *node = json_array_get(json_object_get(smoke->lab, "items"), i);

    return json_string_value(json_object_get(node, "node"));
}

static size_t node_count(const struct smoke *smoke)
{
    return json_array_size(json_object_get(smoke->lab, "items"));
}

// ---- The checks

static bool all_meet(struct smoke *smoke, void *self)
{
    const size_t count = node_count(smoke);
    (void)self;

    for (size_t i = 0; i < count; i++) {
        size_t alive = 0, k;
        const json_t *peer;
        json_t *mesh = ask(smoke, name_at(smoke, i), "GET", "/api/v1/mesh", NULL);
        if (mesh == NULL) return false;
        json_array_foreach(json_object_get(mesh, "items"), k, peer)
        {
            const char *state = json_string_value(json_object_get(peer, "state"));
            if (state != NULL && strcmp(state, "alive") == 0) alive++;
        }
        json_decref(mesh);
        if (alive + 1 != count)
            return no(smoke, "%s sees %zu of %zu others", name_at(smoke, i), alive, count - 1);
    }
    return true;
}

static bool check_mesh(struct smoke *smoke)
{
    return wait_until(smoke, all_meet, NULL, MEET_NS);
}

static int udp(struct smoke *smoke, const char *address, const char *text,
               struct weft_lab_udp *asked)
{
    struct weft_error error = {0};

    *asked = (struct weft_lab_udp){
        .address = address, .port = WEFT_LAB_CALC_PORT, .text = text, .length = strlen(text)};
    const int result = weft_lab_udp_ask(smoke->lab, asked, &error);
    if (result != 0)
        no(smoke, "%s: %.200s", address,
           result == -1 ? error.text : (result == -ETIMEDOUT ? "no answer" : "port unreachable"));
    return result;
}

static bool check_calc(struct smoke *smoke)
{
    struct weft_lab_udp asked;
    char text[64] = "";

    if (udp(smoke, "10.77.0.11", "21 2 * .", &asked) != 0) return false;
    snprintf(text, sizeof(text), "%.*s", (int)asked.reply_length, asked.reply);
    return strtol(text, NULL, 10) == 42 || no(smoke, "it answered \"%.40s\"", text);
}

static bool check_ping(struct smoke *smoke)
{
    struct weft_lab_udp asked = {.address = "10.77.0.12"};
    struct weft_error error = {0};
    const int result = weft_lab_ping(smoke->lab, &asked, &error);

    return result == 0 ||
           no(smoke, "%s: %.200s", asked.address, result == -1 ? error.text : "no answer");
}

static bool check_unreachable(struct smoke *smoke)
{
    struct weft_lab_udp asked;
    const int result = udp(smoke, "10.77.0.12", "21 2 * .", &asked);

    return result == -ECONNREFUSED || (result == 0 ? no(smoke, "n2 answered") : false);
}

static bool caught(struct smoke *smoke, void *self)
{
    char text[128];
    (void)self;

    // Each try sends again: between nodes a message may be lost.
    if (!eval(smoke, "n1", "smoke-send", "HAIL .", text, sizeof(text))) return false;
    if (strtol(text, NULL, 10) != 0) return no(smoke, "SEND-HOST answered %.40s", text);
    if (!eval(smoke, "n3", "smoke-catch", "SEEN @ .", text, sizeof(text))) return false;
    return strtol(text, NULL, 10) >= 5 || no(smoke, "n3's unit has got nothing");
}

static bool check_message(struct smoke *smoke)
{
    char source[256];
    json_t *node = ask(smoke, "n3", "GET", "/api/v1/node", NULL);

    if (node == NULL) return false;
    const char *id = json_string_value(json_object_get(node, "id"));
    snprintf(source, sizeof(source), ": HAIL S\" hello\" $%.16s SEND-HOST ;",
             id != NULL ? id : "0");
    json_decref(node);
    return load(smoke, "n3", "smoke-catch", "none",
                "VARIABLE SEEN  : MAIN BEGIN RECEIVE 2DROP NIP SEEN +! AGAIN ;  MAIN") &&
           load(smoke, "n1", "smoke-send", "none", source) &&
           wait_until(smoke, caught, NULL, NOTICE_NS);
}

static char *read_example(struct smoke *smoke, const char *name)
{
    char path[WEFT_LAB_PATH_BYTES];
    struct weft_error error = {0};
    char *text = calloc(1, 64 * WEFT_KIB);

    if (text == NULL || weft_lab_example_find(name, path, &error) < 0) {
        no(smoke, "%.200s", error.text);
        free(text);
        return NULL;
    }
    FILE *file = fopen(path, "re");
    const size_t length = file != NULL ? fread(text, 1, 64 * WEFT_KIB - 1, file) : 0;
    if (file != NULL) fclose(file);
    if (length > 0) return text;
    no(smoke, "%.200s cannot be read", path);
    free(text);
    return NULL;
}

static bool check_count(struct smoke *smoke, const char *text, long expected)
{
    char output[64];

    if (!eval(smoke, "n2", "counter", text, output, sizeof(output))) return false;
    return strtol(output, NULL, 10) == expected ||
           no(smoke, "%s printed \"%.40s\" instead of %ld", text, output, expected);
}

static bool check_counter(struct smoke *smoke)
{
    char *source = read_example(smoke, "counter.fth");
    const bool loaded = source != NULL && load(smoke, "n2", "counter", "journal", source);

    free(source);
    return loaded && check_count(smoke, "5 add total .", 5) &&
           check_count(smoke, "7 add total .", 12);
}

struct watch { // Waits for an event about n2.
    const char *node, *type;
    json_int_t since;
};

static bool has_event(struct smoke *smoke, void *self)
{
    const struct watch *watch = self;
    char path[96];
    bool found = false;
    size_t i;
    const json_t *event;

    snprintf(path, sizeof(path), "/api/v1/events?since=%" JSON_INTEGER_FORMAT, watch->since);
    json_t *events = ask(smoke, watch->node, "GET", path, NULL);
    if (events == NULL) return false;
    json_array_foreach(json_object_get(events, "items"), i, event)
    {
        const char *type = json_string_value(json_object_get(event, "type"));
        const char *subject = json_string_value(json_object_get(event, "subject"));
        found = found || (type != NULL && subject != NULL && strcmp(type, watch->type) == 0 &&
                          strcmp(subject, "n2") == 0);
    }
    json_decref(events);
    return found || no(smoke, "%s has no event %s about n2", watch->node, watch->type);
}

static bool last_event(struct smoke *smoke, const char *node, json_int_t *since)
{
    json_t *events = ask(smoke, node, "GET", "/api/v1/events", NULL);

    *since = json_integer_value(json_object_get(events, "next"));
    json_decref(events);
    return events != NULL;
}

static bool act(struct smoke *smoke, const char *path)
{
    struct weft_error error = {0};
    json_t *answer = weft_lab_ask_of(smoke->run, "POST", path, 20000, &error);

    if (answer == NULL) return no(smoke, "%.200s", error.text);
    json_decref(answer);
    return true;
}

static bool check_death(struct smoke *smoke)
{
    struct watch first = {.node = "n1", .type = "node.dead"},
                 third = {.node = "n3", .type = "node.dead"};

    if (!last_event(smoke, "n1", &first.since) || !last_event(smoke, "n3", &third.since))
        return false;
    const uint64_t killed_ns = now_ns();
    if (!act(smoke, "/api/v1/nodes/n2/kill")) return false;
    if (!wait_until(smoke, has_event, &first, NOTICE_NS)) return false;
    const uint64_t left_ns = killed_ns + NOTICE_NS - now_ns();
    return wait_until(smoke, has_event, &third, left_ns < NOTICE_NS ? left_ns : 0);
}

static bool check_return(struct smoke *smoke)
{
    return act(smoke, "/api/v1/nodes/n2/start") && check_count(smoke, "total .", 12) &&
           wait_until(smoke, all_meet, NULL, MEET_NS);
}

int weft_lab_smoke(const char *run, FILE *out)
{
    static const struct {
        const char *what;
        bool (*check)(struct smoke *smoke);
    } checks[] = {
        {"all nodes see each other", check_mesh},
        {"a UDP client sent \"21 2 * .\" to n1:4200 and got 42", check_calc},
        {"n2 answers ping", check_ping},
        {"n2, without the unit, answers port unreachable", check_unreachable},
        {"a message went from a unit of n1 to a unit of n3", check_message},
        {"counter.fth runs on n2 and counts", check_counter},
        {"n2 was killed; n1 and n3 noticed within 5 s", check_death},
        {"n2 is back with its unit and what it had counted", check_return},
    };
    struct smoke smoke = {.run = run, .out = out};
    struct weft_error error = {0};

    smoke.lab = weft_lab_ask_of(run, "GET", "/api/v1/lab", 0, &error);
    if (smoke.lab == NULL) {
        fprintf(out, "FAIL the lab does not answer: %s\n", error.text);
        return 1;
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(checks); i++) {
        const uint64_t begun_ns = now_ns();
        const bool good = checks[i].check(&smoke);
        fprintf(out, "%-4s %s (%.1f s)%s%s\n", good ? "ok" : "FAIL", checks[i].what,
                (double)(now_ns() - begun_ns) / 1e9, good ? "" : ": ", good ? "" : smoke.why);
        fflush(out);
        if (!good) smoke.failed++;
    }
    json_decref(smoke.lab);
    return (int)smoke.failed;
}
