#include "image/init/choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/toml.h"
#include "image/init/text_file.h"

static struct weft_choice_source *add_source(struct weft_choice *choice, const char *path)
{
    struct weft_choice_source *source = &choice->sources[choice->source_count++];
    snprintf(source->path, sizeof(source->path), "%s", path);
    return source;
}

// The first error, as a person looks it up: file:line:column, and how many more there are.
static void describe(const struct weft_config_report *report, char *text, size_t size)
{
    const struct weft_config_issue *issue = report->errors;
    if (report->error_count == 0 || issue == NULL) {
        snprintf(text, size, "cannot be read");
        return;
    }
    char place[48] = "";
    if (issue->line > 0) snprintf(place, sizeof(place), ":%u:%u", issue->line, issue->column);
    int used = snprintf(text, size, "%s%s: error[W%04u] %s%s%s", report->file, place, issue->code,
                        issue->key, issue->key[0] != '\0' ? ": " : "", issue->text);
    if (issue->hint[0] != '\0' && used < (int)size)
        used += snprintf(text + used, size - (size_t)used, " (%s)", issue->hint);
    if (report->error_count > 1 && used < (int)size)
        snprintf(text + used, size - (size_t)used, "; and %zu more", report->error_count - 1);
}

// A directory in its place, or a device, would be opened and waited for.
static int look_at(const char *path, char *verdict, size_t size)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        snprintf(verdict, size, "%s", errno == ENOENT ? "is not there" : strerror(errno));
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(verdict, size, "%s: is not a plain file", path);
        return -EINVAL;
    }
    if (status.st_size > WEFT_TOML_BYTES_MAX) {
        snprintf(verdict, size, "%s: is too large for a configuration: %lld bytes, at most %llu",
                 path, (long long)status.st_size, (unsigned long long)WEFT_TOML_BYTES_MAX);
        return -EFBIG;
    }
    if (status.st_size == 0) { // What a half-copied file leaves; no keys at all is no wish.
        snprintf(verdict, size, "%s: is empty", path);
        return -EINVAL;
    }
    return 0;
}

// Returns 0 when it is taken, -ENOENT when there is none, another errno when it is broken.
static int try_file(struct weft_choice *choice, const char *path)
{
    struct weft_config_report report = {0};
    struct weft_choice_source *source = add_source(choice, path);
    int result = look_at(path, source->verdict, sizeof(source->verdict));
    if (result != 0) return result;
    result = weft_config_load(&choice->config, path, &report);
    if (result == 0) {
        snprintf(source->verdict, sizeof(source->verdict), "taken");
        snprintf(choice->path, sizeof(choice->path), "%s", path);
    } else {
        choice->config = (struct weft_config){0};
        describe(&report, source->verdict, sizeof(source->verdict));
    }
    weft_config_report_free(&report);
    return result == -ENOENT ? -EIO : result;
}

void weft_choice_note(struct weft_choice *choice, const char *path, const char *verdict)
{
    if (choice->source_count == WEFT_CHOICE_SOURCES_MAX) return;
    struct weft_choice_source *source = add_source(choice, path);
    snprintf(source->verdict, sizeof(source->verdict), "%s", verdict);
}

static int parse_as(struct weft_choice *choice, const char *path, const char *as, char verdict[512])
{
    struct weft_config_report report = {0};
    char *text = malloc(WEFT_TOML_BYTES_MAX + 1);
    int result = text == NULL ? -ENOMEM : 0;
    if (result == 0) {
        const ssize_t length = weft_text_file_read(path, text, WEFT_TOML_BYTES_MAX + 1);
        result = length < 0 ? (int)length
                            : weft_config_parse(&choice->config, text, (size_t)length, as, &report);
    }
    free(text);
    if (result != 0) describe(&report, verdict, 512);
    weft_config_report_free(&report);
    return result;
}

bool weft_choice_try(struct weft_choice *choice, const char *path, const char *as,
                     char verdict[512])
{
    memset(choice, 0, sizeof(*choice));
    const int result =
        look_at(path, verdict, 512) != 0 ? -EINVAL : parse_as(choice, path, as, verdict);
    if (result != 0) {
        choice->config = (struct weft_config){0};
        return false;
    }
    snprintf(choice->path, sizeof(choice->path), "%s", path);
    weft_choice_note(choice, path, "taken, on trial");
    return true;
}

static void fall_back(struct weft_choice *choice, bool broken, const char *problem)
{
    choice->maintenance = true;
    choice->broken = broken;
    snprintf(choice->problem, sizeof(choice->problem), "%s", problem);
}

void weft_choice_make(struct weft_choice *choice, const char *drive_path, const char *drive_absent,
                      const char *kept_path)
{
    memset(choice, 0, sizeof(*choice));
    if (drive_absent[0] != '\0') {
        struct weft_choice_source *source = add_source(choice, drive_path);
        snprintf(source->verdict, sizeof(source->verdict), "%s", drive_absent);
    } else {
        const int result = try_file(choice, drive_path);
        if (result == 0) return;
        if (result != -ENOENT) return fall_back(choice, true, choice->sources[0].verdict);
    }
    const int result = try_file(choice, kept_path);
    if (result == 0) return;
    if (result != -ENOENT) return fall_back(choice, true, choice->sources[1].verdict);
    fall_back(choice, false, "there is no configuration: put weft.toml on the drive WEFT-CONF");
}

void weft_choice_give_up(struct weft_choice *choice, const char *problem)
{
    if (!choice->maintenance) weft_config_free(&choice->config);
    choice->path[0] = '\0';
    fall_back(choice, true, problem);
    if (choice->source_count == 0) return;
    struct weft_choice_source *last = &choice->sources[choice->source_count - 1];
    snprintf(last->verdict, sizeof(last->verdict), "%s", problem);
}

void weft_choice_free(struct weft_choice *choice)
{
    if (!choice->maintenance) weft_config_free(&choice->config);
    choice->config = (struct weft_config){0};
}
