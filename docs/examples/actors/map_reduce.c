// Map and reduce: one small actor for each line of a text counts its letters, four at a time, on
// whatever cores are free; the one who asked adds up what they have found.
#include <ctype.h>
#include <string.h>

#include <weft/weft.h>

static const char *const lines[] = {
    "the shuttle carries the weft through the warp",
    "each thread of the warp is a core that is pinned",
    "each pass of the weft is a message",
    "and cloth is what comes out of it",
};
enum { LINE_COUNT = sizeof(lines) / sizeof(lines[0]) };

struct counts {
    uint32_t of[26];
};

// Map: in an actor of its own, with a line of its own. If it crashed it would be the error of this
// line and of no other.
static int count_line(struct weft_actor *self, uint64_t number, const void *args, size_t length)
{
    struct counts counts = {0};
    (void)args, (void)length;
    for (const char *at = lines[number]; *at != '\0'; at++) {
        if (islower((unsigned char)*at)) counts.of[*at - 'a']++;
    }
    return weft_task_result(self, &counts, sizeof(counts)); // As bytes: nothing is shared.
}

// Reduce: in the one who asked, line after line, whichever was done first.
static bool add_line(struct weft_actor *self, void *context, uint64_t number, int result,
                     const void *bytes, size_t length)
{
    struct counts *sum = context, line;
    if (result != 0 || length != sizeof(line)) {
        weft_say(self, WEFT_LEVEL_ERROR, "line %llu: %s", (unsigned long long)number,
                 strerror(-result));
        return false; // The others are ended.
    }
    memcpy(&line, bytes, sizeof(line));
    for (int i = 0; i < 26; i++)
        sum->of[i] += line.of[i];
    return true;
}

static void count_all(struct weft_actor *self, int argc, char *const *argv)
{
    struct counts sum = {0};
    const struct weft_task_stream stream = {.first = 0,
                                            .count = LINE_COUNT,
                                            .concurrency = 4,
                                            .work = count_line,
                                            .each = add_line,
                                            .context = &sum};
    (void)argc, (void)argv;
    if (weft_task_stream(self, &stream) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    for (int i = 0; i < 26; i++) {
        if (sum.of[i] >= 8) weft_say(self, WEFT_LEVEL_INFO, "%c: %u", 'a' + i, sum.of[i]);
    }
}
WEFT_MODULE(count_all)
