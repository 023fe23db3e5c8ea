#include "runtime/tool/comeback.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"

#define ASK_TIMEOUT_MS   3000
#define SLOTS_TIMEOUT_MS 10000 // A process of its own is started there, and mounts the ESP.
#define PAUSE_MS         500
#define WAIT_MS          600000 // Three tries of 120 s each, and a slow firmware in front of each.
#define BOOT_PATH        "/api/v1/node/boot"
#define SLOTS_PATH       "/api/v1/node/slots"

static const char *text_of(const json_t *document, const char *key)
{
    const char *text = json_string_value(json_object_get(document, key));

    return text != NULL ? text : "";
}

enum weft_comeback weft_comeback_judge(const struct weft_comeback_from *from, const json_t *boot)
{
    if (strcmp(text_of(boot, "boot_id"), from->boot_id) == 0) return WEFT_COMEBACK_LEAVES;
    if (text_of(boot, "slot")[0] != from->slot) return WEFT_COMEBACK_FELL;
    return strcmp(text_of(boot, "counter"), "good") == 0 ? WEFT_COMEBACK_STAYS
                                                         : WEFT_COMEBACK_TRIES;
}

// The item that runs, or the other one.
static const json_t *slot_of(const json_t *slots, bool runs)
{
    const json_t *items = json_object_get(slots, "items");
    const json_t *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)items, i, item)
    {
        if (json_is_true(json_object_get(item, "running")) == runs) return item;
    }
    return NULL;
}

int weft_comeback_note(const struct weft_tool *tool, const struct weft_client_target *target,
                       const json_t *slots, struct weft_comeback_from *from,
                       struct weft_error *error)
{
    unsigned status;
    json_t *boot =
        weft_client_json(target, "GET", BOOT_PATH, NULL, tool->timeout_ms, &status, error);

    if (boot == NULL) return -1;
    snprintf(from->boot_id, sizeof(from->boot_id), "%s", text_of(boot, "boot_id"));
    from->slot = text_of(slot_of(slots, false), "slot")[0];
    json_decref(boot);
    return 0;
}

// ---- Waiting.

struct wait {
    const struct weft_tool *tool;
    const struct weft_client_target *target;
    const struct weft_comeback_from *from;
    uint64_t started_ms;
    bool shows;      // A line that is written over, on a terminal.
    char said[128];  // The last that was said.
    unsigned length; // Of the line on the terminal.
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void say(struct wait *wait, const char *what)
{
    FILE *err = wait->tool->err;

    if (wait->shows) {
        const int length = fprintf(err, "\r%s: %s, %u s", wait->target->name, what,
                                   (unsigned)((now_ms() - wait->started_ms) / 1000));
        const unsigned shown = length > 0 ? (unsigned)length : 0;
        if (shown < wait->length) fprintf(err, "%*s", (int)(wait->length - shown), "");
        wait->length = shown;
        fflush(err);
    } else if (strcmp(wait->said, what) != 0) {
        fprintf(err, "%s: %s\n", wait->target->name, what);
        fflush(err);
    }
    snprintf(wait->said, sizeof(wait->said), "%s", what);
}

static void end_line(struct wait *wait)
{
    if (wait->length > 0) fputc('\n', wait->tool->err);
    wait->length = 0;
}

static void say_state(struct wait *wait, enum weft_comeback state, const json_t *boot)
{
    char text[128];

    if (boot == NULL) {
        say(wait, "it does not answer yet");
    } else if (state == WEFT_COMEBACK_LEAVES) {
        say(wait, "it is about to restart");
    } else {
        snprintf(text, sizeof(text), "slot %c runs, %s", wait->from->slot,
                 text_of(boot, "counter"));
        say(wait, text);
    }
}

// What it runs now, and what became of the other one. The exit code; -1 if it cannot be said yet,
// with the reason in `error`: one answer that is lost is no verdict.
static int tell(struct wait *wait, enum weft_comeback state, const json_t *boot,
                struct weft_error *error)
{
    const struct weft_tool *tool = wait->tool;
    unsigned status;
    json_t *slots =
        weft_client_json(wait->target, "GET", SLOTS_PATH, NULL, SLOTS_TIMEOUT_MS, &status, error);

    if (slots == NULL) return -1;
    end_line(wait);
    const json_t *now = slot_of(slots, true), *other = slot_of(slots, false);
    if (strcmp(text_of(boot, "state"), "maintenance") == 0)
        fprintf(tool->err, "%s is in maintenance mode: weft node boot %s\n", wait->target->name,
                wait->target->name);
    if (state == WEFT_COMEBACK_STAYS)
        fprintf(tool->err, "%s runs %s from slot %s; it has proved healthy\n", wait->target->name,
                text_of(now, "version"), text_of(now, "slot"));
    else
        fprintf(tool->err,
                "%s fell back to %s in slot %s: %s in slot %s did not become healthy (it is %s)\n"
                "hint: `weft node logs %s`, `weft node panic %s` and `weft node boot %s` say why\n",
                wait->target->name, text_of(now, "version"), text_of(now, "slot"),
                text_of(other, "version"), text_of(other, "slot"), text_of(other, "state"),
                wait->target->name, wait->target->name, wait->target->name);
    json_decref(slots);
    return state == WEFT_COMEBACK_STAYS ? WEFT_EXIT_DONE : WEFT_EXIT_NO;
}

// `untold`: why it has not told what became of its slots; "" if it was not asked.
static int give_up(struct wait *wait, uint64_t limit_ms, const char *untold)
{
    struct weft_error error = {0};

    weft_error_set(&error, 505, "%s has not come back within %u s; the last was: %s%s%s",
                   wait->target->name, (unsigned)((limit_ms + 999) / 1000), wait->said,
                   untold[0] != '\0' ? ", but its slots are not told: " : "", untold);
    weft_error_hint(&error, "its console and status.txt on its drive say what it does; `weft node "
                            "slots` what it runs, once it answers");
    end_line(wait);
    return weft_tool_fail(wait->tool, &error);
}

int weft_comeback_wait(const struct weft_tool *tool, const struct weft_client_target *target,
                       const struct weft_comeback_from *from)
{
    const uint64_t limit_ms = tool->timeout_ms > 0 ? tool->timeout_ms : WAIT_MS;
    const struct timespec pause = {.tv_nsec = PAUSE_MS * (long)WEFT_NS_PER_MS};
    struct wait wait = {.tool = tool,
                        .target = target,
                        .from = from,
                        .started_ms = now_ms(),
                        .shows = isatty(fileno(tool->err)) != 0};

    for (int exit_code = -1;; nanosleep(&pause, NULL)) {
        struct weft_error error = {0};
        unsigned status;
        json_t *boot =
            weft_client_json(target, "GET", BOOT_PATH, NULL, ASK_TIMEOUT_MS, &status, &error);
        const enum weft_comeback state =
            boot != NULL ? weft_comeback_judge(from, boot) : WEFT_COMEBACK_LEAVES;
        say_state(&wait, state, boot);
        const bool is_over = state == WEFT_COMEBACK_STAYS || state == WEFT_COMEBACK_FELL;
        if (is_over) exit_code = tell(&wait, state, boot, &error);
        json_decref(boot);
        if (error.code == 502) { // Somebody else, or we are nobody to it any more.
            end_line(&wait);
            exit_code = weft_tool_fail(tool, &error);
        }
        if (exit_code >= 0) return exit_code;
        if (now_ms() - wait.started_ms >= limit_ms)
            return give_up(&wait, limit_ms, is_over ? error.text : "");
    }
}
