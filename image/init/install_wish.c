#include "image/init/install_wish.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// Up to white space or a remark. Its length; 0 at the end.
static size_t next_word(const char **text)
{
    while (isspace((unsigned char)**text) || **text == '#') {
        if (**text == '#')
            *text += strcspn(*text, "\n");
        else
            ++*text;
    }
    return strcspn(*text, " \t\r\n\f\v#");
}

bool weft_install_wish_parse(struct weft_install_wish *wish, const char *text, char why[256])
{
    bool has_disk = false;
    *wish = (struct weft_install_wish){0};
    for (size_t length; (length = next_word(&text)) > 0; text += length) {
        if (length == 5 && strncmp(text, "erase", 5) == 0) {
            wish->erase = true;
            continue;
        }
        if (has_disk || length >= sizeof(wish->disk)) {
            snprintf(why, 256, "it names more than one disk, or one too long: \"%.40s\"", text);
            return false;
        }
        has_disk = true;
        snprintf(wish->disk, sizeof(wish->disk), "%.*s", (int)length, text);
    }
    if (strcmp(wish->disk, "auto") == 0) wish->disk[0] = '\0';
    if (!has_disk) snprintf(why, 256, "it names no disk: write a disk, its serial, or auto in it");
    return has_disk;
}

static bool is_serial(const char *serial, const char *word)
{
    if (*serial == '\0') return false;
    for (; *serial != '\0' && *word != '\0'; serial++, word++) {
        const char plain = isspace((unsigned char)*serial) ? '_' : *serial;
        if (plain != *word) return false;
    }
    return *serial == '\0' && *word == '\0';
}

static bool is_meant(const struct weft_install_wish *wish, const struct weft_disk *disk)
{
    if (wish->disk[0] == '\0') return true;
    return strcmp(wish->disk, disk->device) == 0 || strcmp(wish->disk, disk->name) == 0 ||
           is_serial(disk->serial, wish->disk);
}

static void list(const struct weft_disks *disks, const char *problem, char why[256])
{
    size_t used = (size_t)snprintf(why, 256, "%s; there is", problem);
    bool any = false;
    for (size_t i = 0; i < disks->count && used < 256; i++) {
        char name[192];
        if (i == disks->started) continue;
        weft_disks_name(&disks->entries[i].disk, name, sizeof(name));
        used += (size_t)snprintf(why + used, 256 - used, "%s %s", any ? "," : "", name);
        any = true;
    }
    if (!any) snprintf(why + used, 256 - used, " no other disk");
}

const struct weft_disks_entry *weft_install_wish_find(const struct weft_install_wish *wish,
                                                      const struct weft_disks *disks, char why[256])
{
    const struct weft_disks_entry *found = NULL;
    char problem[128];
    const char *name = wish->disk[0] != '\0' ? wish->disk : "auto";
    for (size_t i = 0; i < disks->count; i++) {
        const struct weft_disks_entry *entry = &disks->entries[i];
        if (i == disks->started || !is_meant(wish, &entry->disk)) continue;
        if (found != NULL) {
            snprintf(problem, sizeof(problem), "\"%s\" could be several disks", name);
            list(disks, problem, why);
            return NULL;
        }
        found = entry;
    }
    if (found != NULL && !found->is_read_only) return found;
    snprintf(problem, sizeof(problem),
             found == NULL ? "\"%s\" is no other disk of this machine" : "\"%s\" is read-only",
             name);
    list(disks, problem, why);
    return NULL;
}
