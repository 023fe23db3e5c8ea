#include "runtime/admin/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/admin/document.h"

const char weft_page_style[] =
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em;"
    "color:#1d2430;background:#fbfbf9}"
    "h1{font-size:1.5em;margin:0}h2{font-size:1.05em;margin:1.6em 0 .3em}p{margin:.2em 0}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.2em .8em .2em 0;border-bottom:1px solid #e3e3dc;"
    "font-variant-numeric:tabular-nums}"
    "th{font-weight:600;color:#596273}a{color:#0b5cad}.no{color:#b00020;font-weight:600}"
    ".ok{color:#0a7a33;font-weight:600}"
    "@media(prefers-color-scheme:dark){body{color:#e4e6ea;background:#15181d}"
    "th,td{border-color:#2d323b}th{color:#9aa3b2}a{color:#7ab7ff}.no{color:#ff7a85}"
    ".ok{color:#6bd490}}\n";

struct column {
    const char *title, *key;
};

static void escape(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(*text, out);
        }
    }
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

// A value as people read it; its key says its unit.
static void cell(FILE *out, const char *key, const json_t *value)
{
    const double number = json_number_value(value);

    if (json_is_string(value)) {
        escape(out, json_string_value(value));
    } else if (json_is_boolean(value)) {
        fputs(json_is_true(value) ? "yes" : "no", out);
    } else if (ends_with(key, "_ratio")) {
        fprintf(out, "%.1f %%", number * 100);
    } else if (ends_with(key, "_ns")) {
        fprintf(out, number >= 1e9 ? "%.1f s" : "%.3f ms",
                number >= 1e9 ? number / 1e9 : number / 1e6);
    } else if (ends_with(key, "_bytes")) {
        fprintf(out, "%.1f MiB", number / (double)WEFT_MIB);
    } else {
        fprintf(out, "%.0f", number);
    }
}

static void table(FILE *out, const char *title, json_t *document, const struct column *columns,
                  size_t count)
{
    const json_t *items = json_object_get(document, "items");
    json_t *item;
    size_t i;

    fprintf(out, "<h2>%s</h2>\n", title);
    if (json_array_size(items) == 0) {
        fputs("<p>none</p>\n", out);
        json_decref(document);
        return;
    }
    fputs("<table><tr>", out);
    for (size_t c = 0; c < count; c++)
        fprintf(out, "<th>%s</th>", columns[c].title);
    fputs("</tr>\n", out);
    json_array_foreach(items, i, item)
    {
        fputs("<tr>", out);
        for (size_t c = 0; c < count; c++) {
            fputs("<td>", out);
            cell(out, columns[c].key, json_object_get(item, columns[c].key));
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
    json_decref(document);
}

static void head(FILE *out, const struct weft_admin_source *source)
{
    json_t *node = weft_document_node(source);
    const char *name = json_string_value(json_object_get(node, "name"));
    const bool ready = json_is_true(json_object_get(node, "ready"));
    static const char *const keys[] = {"version", "id", "mesh", "io", "memory", "uptime_ns"};

    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta http-equiv=\"refresh\" content=\"2\"><title>weft ",
          out);
    escape(out, name != NULL ? name : "");
    fputs("</title><link rel=\"stylesheet\" href=\"/weft.css\"></head>\n<body><h1>", out);
    escape(out, name != NULL ? name : "");
    fprintf(out, " <span class=\"%s\">%s</span></h1>\n<p>", ready ? "ok" : "no",
            ready ? "ready" : "not ready");
    for (size_t i = 0; i < WEFT_COUNT_OF(keys); i++) {
        fprintf(out, "%s%.*s ", i > 0 ? " · " : "", (int)strcspn(keys[i], "_"), keys[i]);
        cell(out, keys[i], json_object_get(node, keys[i]));
    }
    fputs("</p>\n", out);
    json_decref(node);
}

char *weft_page_print(const struct weft_admin_source *source, size_t *length)
{
    static const struct column cores[] = {{"core", "core"},     {"kind", "kind"},
                                          {"cpu", "cpu"},       {"busy", "busy_ratio"},
                                          {"units", "units"},   {"actors", "actors"},
                                          {"slices", "slices"}, {"memory", "arena_used_bytes"}};
    static const struct column peers[] = {
        {"peer", "name"},  {"id", "id"},      {"address", "address"}, {"state", "state"},
        {"age", "age_ns"}, {"rtt", "rtt_ns"}, {"load", "load_ratio"}, {"units", "units"}};
    static const struct column ports[] = {
        {"port", "port"},     {"device", "device"},         {"link", "link"},
        {"bypass", "bypass"}, {"address", "address"},       {"rx packets", "rx_packets"},
        {"rx", "rx_bytes"},   {"tx packets", "tx_packets"}, {"tx", "tx_bytes"}};
    static const struct column units[] = {{"unit", "name"},           {"core", "core"},
                                          {"state", "state"},         {"recovery", "recovery"},
                                          {"memory", "memory_bytes"}, {"reductions", "reductions"},
                                          {"messages", "messages"}};
    static const struct column drops[] = {{"stage", "stage"},
                                          {"reason", "reason"},
                                          {"core", "core"},
                                          {"count", "count"},
                                          {"meaning", "text"}};
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    if (out == NULL) return NULL;
    head(out, source);
    table(out, "Cores", weft_document_cores(source), cores, WEFT_COUNT_OF(cores));
    table(out, "Peers", weft_document_mesh(source), peers, WEFT_COUNT_OF(peers));
    table(out, "Ports", weft_document_ports(source), ports, WEFT_COUNT_OF(ports));
    table(out, "Units", weft_document_units(source), units, WEFT_COUNT_OF(units));
    table(out, "Drops", weft_document_drops(source), drops, WEFT_COUNT_OF(drops));
    fputs("<p><a href=\"/api\">api</a> · <a href=\"/openapi.json\">openapi</a> · "
          "<a href=\"/metrics\">metrics</a> · <a href=\"/readyz?verbose\">readyz</a></p>\n"
          "</body></html>\n",
          out);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}
