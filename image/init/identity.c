#include "image/init/identity.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "image/init/key_value.h"
#include "image/init/text_file.h"
#include "runtime/base/file.h"

const char *weft_identity_state_name(enum weft_identity_state state)
{
    static const char *const names[] = {"new", "same", "moved", "cloned", "unknown"};
    return names[state];
}

enum weft_identity_state weft_identity_compare(const struct weft_identity_mark *noted,
                                               const struct weft_identity_mark *found)
{
    const bool knows_disk = noted->disk[0] != '\0' && found->disk[0] != '\0';
    const bool knows_machine = noted->machine[0] != '\0' && found->machine[0] != '\0';
    const bool same_disk = knows_disk && strcmp(noted->disk, found->disk) == 0;
    const bool same_machine = knows_machine && strcmp(noted->machine, found->machine) == 0;
    if (!knows_disk && !knows_machine) return WEFT_IDENTITY_UNKNOWN;
    if ((same_disk || !knows_disk) && (same_machine || !knows_machine)) return WEFT_IDENTITY_SAME;
    return same_disk || same_machine ? WEFT_IDENTITY_MOVED : WEFT_IDENTITY_CLONED;
}

// White space and quotes would not survive the note.
static void clean(char *text)
{
    bool is_filled = false;
    for (char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at == '"' || *at > '~') *at = '_';
        if (strchr("0-_fF", *at) == NULL) is_filled = true;
    }
    if (!is_filled) text[0] = '\0';
}

void weft_identity_find(struct weft_identity_mark *found, const char *sys, const char *disk_serial)
{
    char path[PATH_MAX];
    snprintf(found->disk, sizeof(found->disk), "%s", disk_serial);
    snprintf(path, sizeof(path), "%s/class/dmi/id/product_uuid", sys);
    weft_text_file_line(path, found->machine, sizeof(found->machine));
    clean(found->disk);
    clean(found->machine);
}

// What is not known today was known before, perhaps.
static void complete(struct weft_identity_mark *mark, const struct weft_identity_mark *noted)
{
    if (mark->disk[0] == '\0') memcpy(mark->disk, noted->disk, sizeof(mark->disk));
    if (mark->machine[0] == '\0') memcpy(mark->machine, noted->machine, sizeof(mark->machine));
}

static int note(const char *path, const struct weft_identity_mark *mark)
{
    char text[256];
    const int length =
        snprintf(text, sizeof(text), "DISK=%s\nMACHINE=%s\n", mark->disk, mark->machine);
    return weft_file_replace(path, text, (size_t)length, 0600);
}

enum weft_identity_state weft_identity_check(const char *path,
                                             const struct weft_identity_mark *found, bool adopt,
                                             int *result)
{
    char text[512];
    struct weft_identity_mark noted = {0};
    enum weft_identity_state state = WEFT_IDENTITY_NEW;
    if (weft_text_file_read(path, text, sizeof(text)) > 0) {
        weft_key_value_get(text, "DISK", noted.disk, sizeof(noted.disk));
        weft_key_value_get(text, "MACHINE", noted.machine, sizeof(noted.machine));
        state = weft_identity_compare(&noted, found);
    }
    if (state == WEFT_IDENTITY_CLONED && adopt) state = WEFT_IDENTITY_MOVED;
    *result = 0;
    const bool learns =
        state != WEFT_IDENTITY_CLONED && ((noted.disk[0] == '\0' && found->disk[0] != '\0') ||
                                          (noted.machine[0] == '\0' && found->machine[0] != '\0'));
    if (state == WEFT_IDENTITY_NEW || state == WEFT_IDENTITY_MOVED || learns) {
        struct weft_identity_mark mark = *found;
        complete(&mark, &noted);
        *result = note(path, &mark);
    }
    return state;
}
