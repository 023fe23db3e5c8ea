#include "image/init/status.h"

#include <string.h>
#include <time.h>

#include "image/init/json.h"
#include "runtime/base/proquint.h"

static const char *or_none(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

static void print_facts(const struct weft_status *status, FILE *out)
{
    char words[WEFT_PROQUINT_BYTES], at[32];
    const time_t wall = (time_t)status->wall_s;
    struct tm tm;
    gmtime_r(&wall, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
    weft_proquint_words(status->fingerprint, words);
    fprintf(out, "Weft %s (%s), slot %s\r\n\r\n", or_none(status->version), or_none(status->arch),
            or_none(status->slot));
    fprintf(out, "state:        %s\r\n", status->state);
    fprintf(out, "written:      %s by this node's own clock\r\n", at);
    fprintf(out, "clock:        %s\r\n", status->clock);
    if (status->ready_ms > 0)
        fprintf(out, "ready after:  %u.%03u s\r\n", (unsigned)(status->ready_ms / 1000),
                (unsigned)(status->ready_ms % 1000));
    fprintf(out, "host name:    %s\r\n", or_none(status->hostname));
    fprintf(out, "admin port:   %s\r\n", or_none(status->address));
    fprintf(out, "fingerprint:  %s\r\n", or_none(status->fingerprint));
    if (words[0] != '\0') fprintf(out, "in words:     %s\r\n", words);
    fprintf(out, "this boot:    %s (id %s)\r\n", status->counter, or_none(status->boot_id));
    fprintf(out, "identity:     %s\r\n", status->identity);
    fprintf(out, "disk:         %s, %llu MB, serial %s\r\n", or_none(status->disk->device),
            (unsigned long long)(status->disk->bytes / 1000000), or_none(status->disk->serial));
    if (status->data_is_full)
        fprintf(out, "data:         %s IS FULL\r\n", status->disk->data.device);
    if (status->others[0] != '\0') fprintf(out, "other disks:  %s\r\n", status->others);
    if (status->installed[0] != '\0') fprintf(out, "install:      %s\r\n", status->installed);
    if (status->measured[0] != '\0') fprintf(out, "measured:     PCR 11 %s\r\n", status->measured);
    fprintf(out, "last panic:   %s\r\n", status->panic[0] != '\0' ? status->panic : "none");
}

void weft_status_text(const struct weft_status *status, FILE *out)
{
    const struct weft_choice *choice = status->choice;
    const struct weft_say *say = status->say;
    print_facts(status, out);
    fprintf(out, "\r\nlast error:   %s\r\n", or_none(status->last_error));
    fprintf(out, "\r\nconfiguration%s\r\n",
            choice->maintenance ? ": NONE TAKEN, this node is in maintenance mode" : "");
    for (size_t i = 0; i < choice->source_count; i++) {
        fprintf(out, "  %zu. %s: %s\r\n", i + 1, choice->sources[i].path,
                choice->sources[i].verdict);
    }
    if (choice->maintenance) fprintf(out, "  why: %s\r\n", choice->problem);
    if (say->error_count == 0) return;
    fprintf(out, "\r\nwhat went wrong during this boot\r\n");
    for (size_t i = 0; i < say->error_count && i < WEFT_SAY_ERRORS_MAX; i++) {
        fprintf(out, "  - %s\r\n", say->errors[i]);
    }
    if (say->error_count > WEFT_SAY_ERRORS_MAX)
        fprintf(out, "  and %zu more\r\n", say->error_count - WEFT_SAY_ERRORS_MAX);
}

static void json_sources(const struct weft_choice *choice, FILE *out)
{
    fputs(",\"config\":{", out);
    bool first = true;
    weft_json_member(out, &first, "path", choice->path);
    weft_json_member(out, &first, "problem", choice->problem);
    fprintf(out, ",\"maintenance\":%s,\"sources\":[", choice->maintenance ? "true" : "false");
    for (size_t i = 0; i < choice->source_count; i++) {
        bool first_of = true;
        fputs(i > 0 ? ",{" : "{", out);
        weft_json_member(out, &first_of, "path", choice->sources[i].path);
        weft_json_member(out, &first_of, "verdict", choice->sources[i].verdict);
        fputc('}', out);
    }
    fputs("]}", out);
}

void weft_status_json(const struct weft_status *status, FILE *out)
{
    bool first = true;
    char words[WEFT_PROQUINT_BYTES];
    weft_proquint_words(status->fingerprint, words);
    const struct {
        const char *key, *text;
    } members[] = {
        {"version", status->version},
        {"arch", status->arch},
        {"slot", status->slot},
        {"boot_id", status->boot_id},
        {"hostname", status->hostname},
        {"state", status->state},
        {"counter", status->counter},
        {"address", status->address},
        {"fingerprint", status->fingerprint},
        {"words", words},
        {"identity", status->identity},
        {"measured", status->measured},
        {"clock", status->clock},
        {"panic", status->panic},
        {"last_error", status->last_error},
        {"disk", status->disk->device},
        {"disk_serial", status->disk->serial},
        {"other_disks", status->others},
        {"installed", status->installed},
    };
    fputc('{', out);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        weft_json_member(out, &first, members[i].key, members[i].text);
    }
    fprintf(out, ",\"ready_ms\":%llu", (unsigned long long)status->ready_ms);
    json_sources(status->choice, out);
    fputs(",\"errors\":[", out);
    for (size_t i = 0; i < status->say->error_count && i < WEFT_SAY_ERRORS_MAX; i++) {
        if (i > 0) fputc(',', out);
        weft_json_string(out, status->say->errors[i]);
    }
    fputs("]}", out);
}
