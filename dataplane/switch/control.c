#include "dataplane/switch/control.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_BYTES 128 // Kept free for the end of an answer.

struct answer {
    char *text;
    size_t used;
    bool cut;
};

__attribute__((format(printf, 2, 3))) static bool put(struct answer *answer, const char *format,
                                                      ...)
{
    va_list arguments;
    const size_t room = WEFT_SWITCH_ANSWER_MAX - TAIL_BYTES - answer->used;
    va_start(arguments, format);
    const int length = vsnprintf(answer->text + answer->used, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        answer->cut = true;
        return false;
    }
    answer->used += (size_t)length;
    return true;
}

static size_t finish(struct answer *answer, const char *end)
{
    // `put` leaves TAIL_BYTES for this.
    answer->used += (size_t)snprintf(answer->text + answer->used, TAIL_BYTES, "%s\n", end);
    return answer->used;
}

// A message of ours, without anything from the line: nothing to escape.
static size_t fail(struct answer *answer, const char *message)
{
    answer->used = 0;
    put(answer, "{\"error\": \"%s\"", message);
    return finish(answer, "}");
}

// --- Figures.

static unsigned long long get(const weft_counter *counter)
{
    return (unsigned long long)weft_counter_get(counter);
}

static void put_port(struct answer *answer, const struct weft_switch *bridge, uint32_t index)
{
    const struct weft_switch_port *port = &bridge->ports[index];
    if (answer->cut) return;
    const size_t before = answer->used;
    if (!put(answer,
             "%s{\"name\": \"%s\", \"plugged\": %s, \"addresses\": %u, \"rx_frames\": %llu, "
             "\"rx_bytes\": %llu, \"tx_frames\": %llu, \"tx_bytes\": %llu, \"tx_full\": %llu, "
             "\"no_buffer\": %llu, \"malformed\": %llu, \"local\": %llu, \"nowhere\": %llu}",
             index > 0 ? ", " : "", port->name, port->net != NULL ? "true" : "false",
             bridge->macs.counts[index], (unsigned long long)port->rx_frames,
             (unsigned long long)port->rx_bytes, (unsigned long long)port->tx_frames,
             (unsigned long long)port->tx_bytes, (unsigned long long)port->tx_full,
             (unsigned long long)port->no_buffer, (unsigned long long)port->malformed,
             (unsigned long long)port->local, (unsigned long long)port->nowhere))
        answer->used = before;
}

static void put_fault(struct answer *answer, const struct weft_switch *bridge, uint32_t from,
                      uint32_t to, bool first)
{
    const struct weft_fault *fault = bridge->faults[from][to];
    const struct weft_fault_options *options = &fault->options;
    const struct weft_fault_stats *stats = &fault->stats;
    if (answer->cut) return;
    const size_t before = answer->used;
    if (!put(
            answer,
            "%s{\"from\": \"%s\", \"to\": \"%s\", \"loss\": %g, \"duplicate\": %g, \"reorder\": "
            "%g, "
            "\"corrupt\": %g, \"delay_ms\": %g, \"jitter_ms\": %g, \"partition\": %s, "
            "\"entered\": %llu, \"passed\": %llu, \"lost\": %llu, \"partitioned\": %llu, "
            "\"duplicated\": %llu, \"corrupted\": %llu, \"reordered\": %llu, \"queue_full\": %llu}",
            first ? "" : ", ", bridge->ports[from].name, bridge->ports[to].name,
            options->loss_ppm / 1e6, options->duplicate_ppm / 1e6, options->reorder_ppm / 1e6,
            options->corrupt_ppm / 1e6, (double)options->delay_ns / 1e6,
            (double)options->jitter_ns / 1e6, options->partition_all ? "true" : "false",
            get(&stats->entered), get(&stats->passed), get(&stats->lost), get(&stats->partitioned),
            get(&stats->duplicated), get(&stats->corrupted), get(&stats->reordered),
            get(&stats->queue_full)))
        answer->used = before;
}

static size_t show_stats(struct weft_switch *bridge, struct answer *answer)
{
    bool first = true;
    const uint32_t known = weft_mac_expire(&bridge->macs, bridge->now_ns);
    put(answer,
        "{\"addresses\": %u, \"addresses_refused\": %llu, \"addresses_moved\": %llu, "
        "\"flooded\": %llu, \"ports\": [",
        known, (unsigned long long)bridge->macs.refused, (unsigned long long)bridge->macs.moved,
        (unsigned long long)bridge->flooded);
    for (uint32_t i = 0; i < bridge->port_count; i++)
        put_port(answer, bridge, i);
    put(answer, "], \"faults\": [");
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        for (uint32_t to = 0; to < bridge->port_count; to++) {
            if (bridge->faults[from][to] == NULL) continue;
            put_fault(answer, bridge, from, to, first);
            first = false;
        }
    }
    return finish(answer, answer->cut ? "], \"truncated\": true}" : "]}");
}

static size_t show_macs(struct weft_switch *bridge, struct answer *answer)
{
    bool first = true;
    weft_mac_expire(&bridge->macs, bridge->now_ns);
    put(answer, "{\"addresses\": [");
    for (uint32_t i = 0; i < WEFT_MAC_SLOTS && !answer->cut; i++) {
        const struct weft_mac_entry *entry = &bridge->macs.slots[i];
        if (entry->mac == 0) continue;
        const uint64_t mac = entry->mac;
        put(answer,
            "%s{\"mac\": \"%02x:%02x:%02x:%02x:%02x:%02x\", \"port\": \"%s\", \"age_ms\": %llu}",
            first ? "" : ", ", (unsigned)(mac >> 40) & 255, (unsigned)(mac >> 32) & 255,
            (unsigned)(mac >> 24) & 255, (unsigned)(mac >> 16) & 255, (unsigned)(mac >> 8) & 255,
            (unsigned)mac & 255, bridge->ports[entry->port].name,
            (unsigned long long)((bridge->now_ns - entry->seen_ns) / WEFT_NS_PER_MS));
        first = false;
    }
    return finish(answer, answer->cut ? "], \"truncated\": true}" : "]}");
}

// --- Faults.

static bool read_ratio(const char *text, uint32_t *ppm)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0 && value <= 1)) return false;
    *ppm = (uint32_t)lround(value * WEFT_FAULT_PPM);
    return true;
}

static bool read_ms(const char *text, uint64_t *ns)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= 0 && value <= 60000)) return false;
    *ns = (uint64_t)(value * (double)WEFT_NS_PER_MS);
    return true;
}

static bool read_fault(struct weft_fault_options *options, char *word)
{
    char *value = strchr(word, '=');
    if (value == NULL) return strcmp(word, "clear") == 0;
    *value++ = '\0';
    if (strcmp(word, "loss") == 0) return read_ratio(value, &options->loss_ppm);
    if (strcmp(word, "duplicate") == 0) return read_ratio(value, &options->duplicate_ppm);
    if (strcmp(word, "reorder") == 0) return read_ratio(value, &options->reorder_ppm);
    if (strcmp(word, "corrupt") == 0) return read_ratio(value, &options->corrupt_ppm);
    if (strcmp(word, "delay_ms") == 0) return read_ms(value, &options->delay_ns);
    if (strcmp(word, "jitter_ms") == 0) return read_ms(value, &options->jitter_ns);
    if (strcmp(word, "partition") != 0 || (strcmp(value, "0") != 0 && strcmp(value, "1") != 0))
        return false;
    options->partition_all = value[0] == '1';
    return true;
}

// "all", "clients" or the name of a port.
static bool matches(const struct weft_switch *bridge, uint32_t port, const char *word)
{
    const char *name = bridge->ports[port].name;
    return strcmp(word, "all") == 0 || strcmp(word, name) == 0 ||
           (strcmp(word, "clients") == 0 && strncmp(name, "client-", 7) == 0);
}

static int set_pairs(struct weft_switch *bridge, const char *from_word, const char *to_word,
                     const struct weft_fault_options *options)
{
    int count = 0;
    for (uint32_t from = 0; from < bridge->port_count; from++) {
        for (uint32_t to = 0; to < bridge->port_count; to++) {
            if (from == to || !matches(bridge, from, from_word) || !matches(bridge, to, to_word))
                continue;
            const int result = weft_switch_set_fault(bridge, from, to, options);
            if (result < 0 && result != -ENODEV) return result;
            if (result == 0) count++;
        }
    }
    return count;
}

static size_t report(struct answer *answer, int count)
{
    if (count < 0) return fail(answer, strerror(-count));
    if (count == 0) return fail(answer, "no such pair of ports with a device on it");
    put(answer, "{\"pairs\": %d", count);
    return finish(answer, "}");
}

static size_t set_faults(struct weft_switch *bridge, char **words, size_t count,
                         struct answer *answer)
{
    struct weft_fault_options options = {0};
    if (count < 4) return fail(answer, "fault FROM TO KEY=VALUE... or fault FROM TO clear");
    for (size_t i = 3; i < count; i++) {
        if (!read_fault(&options, words[i]))
            return fail(answer,
                        "a fault is loss=, duplicate=, reorder=, corrupt= (0 to 1), delay_ms=, "
                        "jitter_ms= (0 to 60000), partition= (0 or 1), or clear");
    }
    return report(answer, set_pairs(bridge, words[1], words[2], &options));
}

static size_t cut(struct weft_switch *bridge, char **words, size_t count, struct answer *answer)
{
    const struct weft_fault_options options = {.partition_all = strcmp(words[0], "cut") == 0};
    if (count != 3) return fail(answer, "cut A B, or join A B");
    const int there = set_pairs(bridge, words[1], words[2], &options);
    const int back = there < 0 ? 0 : set_pairs(bridge, words[2], words[1], &options);
    return report(answer, there < 0 ? there : back < 0 ? back : there + back);
}

size_t weft_switch_command(struct weft_switch *bridge, char *line, char *text)
{
    struct answer answer = {.text = text};
    char *words[16], *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(line, " \t\r\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (count == sizeof(words) / sizeof(words[0])) return fail(&answer, "too many words");
        words[count++] = word;
    }
    if (count == 0) return fail(&answer, "empty command");
    if (strcmp(words[0], "stats") == 0) return show_stats(bridge, &answer);
    if (strcmp(words[0], "macs") == 0) return show_macs(bridge, &answer);
    if (strcmp(words[0], "fault") == 0) return set_faults(bridge, words, count, &answer);
    if (strcmp(words[0], "cut") == 0 || strcmp(words[0], "join") == 0)
        return cut(bridge, words, count, &answer);
    return fail(&answer, "commands: stats, macs, fault, cut, join");
}
