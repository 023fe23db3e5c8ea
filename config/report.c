#include "config/report.h"

#include <stdlib.h>
#include <string.h>

static size_t kept(const struct weft_config_report *report)
{
    if (!report->errors) return 0;
    return report->error_count < WEFT_CONFIG_ERRORS_MAX ? report->error_count
                                                        : WEFT_CONFIG_ERRORS_MAX;
}

struct weft_config_issue *weft_report_add(struct weft_config_report *report, const char *text,
                                          size_t length, uint16_t code, struct weft_toml_place at,
                                          uint32_t chars)
{
    if (!report->errors) report->errors = calloc(WEFT_CONFIG_ERRORS_MAX, sizeof(*report->errors));
    if (report->error_count++ >= WEFT_CONFIG_ERRORS_MAX || !report->errors) return NULL;
    struct weft_config_issue *issue = &report->errors[report->error_count - 1];
    *issue = (struct weft_config_issue){
        .code = code, .line = at.line, .column = at.column, .length = chars ? chars : 1};
    const char *line = text, *end = text + length;
    for (uint32_t i = 1; i < at.line && line; i++) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (line) line++;
    }
    if (at.line == 0 || !line) return issue;
    size_t i = 0;
    for (; line + i < end && line[i] != '\n' && line[i] != '\r' && i + 1 < sizeof(issue->source);
         i++) { // A terminal is not to obey what a file says.
        const unsigned char c = (unsigned char)line[i];
        issue->source[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    while (i > 0 && line + i < end && ((unsigned char)line[i] & 0xc0) == 0x80) {
        issue->source[i--] = '\0'; // Not in the middle of a character.
    }
    issue->source[i] = '\0';
    return issue;
}

static int by_place(const void *a, const void *b)
{
    const struct weft_config_issue *x = a, *y = b;
    if (x->line != y->line) return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

void weft_report_sort(struct weft_config_report *report)
{
    if (report->errors) qsort(report->errors, kept(report), sizeof(*report->errors), by_place);
}

void weft_config_report_free(struct weft_config_report *report)
{
    free(report->errors);
    *report = (struct weft_config_report){0};
}

void weft_config_report_print(const struct weft_config_report *report, FILE *out, bool colour)
{
    const char *red = colour ? "\033[1;31m" : "", *plain = colour ? "\033[0m" : "";
    for (size_t i = 0; i < kept(report); i++) {
        const struct weft_config_issue *issue = &report->errors[i];
        fprintf(out, "%s:", report->file);
        if (issue->line) fprintf(out, "%u:%u:", issue->line, issue->column);
        fprintf(out, " %serror[W%04u]%s %s%s%s\n", red, issue->code, plain, issue->key,
                *issue->key ? ": " : "", issue->text);
        if (*issue->source && issue->column < 120) {
            fprintf(out, "  %s\n  %*s%s", issue->source, (int)issue->column - 1, "", red);
            for (uint32_t n = 0; n < issue->length && n < 120 - issue->column; n++) {
                fputc('^', out);
            }
            fprintf(out, "%s\n", plain);
        }
        if (*issue->hint) fprintf(out, "  %s\n", issue->hint);
    }
    if (report->error_count > kept(report))
        fprintf(out, "%s: %zu errors in all\n", report->file, report->error_count);
}

static void print_json_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

void weft_config_report_json(const struct weft_config_report *report, FILE *out)
{
    fputs("{\"file\":", out);
    print_json_string(report->file, out);
    fprintf(out, ",\"error_count\":%zu,\"errors\":[", report->error_count);
    for (size_t i = 0; i < kept(report); i++) {
        const struct weft_config_issue *issue = &report->errors[i];
        fprintf(out, "%s{\"code\":\"W%04u\",\"line\":%u,\"column\":%u,\"length\":%u,\"key\":",
                i ? "," : "", issue->code, issue->line, issue->column, issue->length);
        print_json_string(issue->key, out);
        fputs(",\"text\":", out);
        print_json_string(issue->text, out);
        fputs(",\"hint\":", out);
        print_json_string(issue->hint, out);
        fputc('}', out);
    }
    fputs("]}\n", out);
}
