#include "tests/model/model.h"

#include <stdio.h>
#include <string.h>

static void print_counts(const struct explore_result *result)
{
    printf("%llu executions, %llu steps", (unsigned long long)result->executions,
           (unsigned long long)result->steps);
}

static bool holds(const struct model_row *row, const struct explore_result *result)
{
    if (result->has_failed) {
        printf("FAILED: %s (", result->failure);
        print_counts(result);
        printf(")\n");
        return false;
    }
    print_counts(result);
    if ((result->seen & row->must_see) != row->must_see) {
        printf("; FAILED: saw outcomes %#llx, and not all of %#llx\n",
               (unsigned long long)result->seen, (unsigned long long)row->must_see);
        return false;
    }
    if ((result->seen & row->may_not_see) != 0) {
        printf("; FAILED: saw outcomes %#llx\n", (unsigned long long)result->seen);
        return false;
    }
    printf(", all of them\n");
    return true;
}

static bool is_found_out(const struct explore_result *result)
{
    if (result->has_failed)
        printf("found out: %s (after ", result->failure);
    else
        printf("FAILED: nothing was seen to break (");
    print_counts(result);
    printf(")\n");
    return result->has_failed;
}

static bool is_right(const struct model_row *row)
{
    const struct explore_options options = {.weakness = row->weakness,
                                            .weak_address = row->weak_address};
    printf("%s%s%s: ", row->what->name, row->mutant != NULL ? ", without " : "",
           row->mutant != NULL ? row->mutant : "");
    fflush(stdout);
    const struct explore_result result = explore_run(row->what, &options);
    return row->mutant == NULL ? holds(row, &result) : is_found_out(&result);
}

int model_main(int argc, char **argv, const struct model_row *rows, unsigned count)
{
    const bool is_long = argc == 2 && strcmp(argv[1], "--long") == 0;
    int result = 0;
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].is_long && !is_long) continue;
        if (!is_right(&rows[i])) result = 1;
    }
    return result;
}
