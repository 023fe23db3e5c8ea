#include "image/init/trial.h"

#include <errno.h>
#include <stdio.h>

#include "image/init/text_file.h"
#include "runtime/base/file.h"

uint32_t weft_trial_seconds(const char *text)
{
    unsigned seconds;
    int used = 0;

    if (sscanf(text, "# weft try %4u%n", &seconds, &used) != 1 || text[used] != '\n') return 0;
    return seconds >= WEFT_TRIAL_SECONDS_MIN && seconds <= WEFT_TRIAL_SECONDS_MAX ? seconds : 0;
}

int weft_trial_take(const char *wish, const char *taken, uint32_t *seconds)
{
    char line[64];

    *seconds = 0;
    if (rename(wish, taken) != 0) return -errno;
    const int synced = weft_file_sync_directory(taken);
    if (synced != 0) return synced; // It could come back: better not begun.
    const ssize_t length = weft_text_file_read(taken, line, sizeof(line));
    if (length < 0 && length != -EFBIG)
        return (int)length; // Only its first line is looked at here.
    *seconds = weft_trial_seconds(line);
    return *seconds > 0 ? 0 : -EINVAL;
}
