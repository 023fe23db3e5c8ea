#include "tests/model/model.h"

#include <stdio.h>

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

unsigned model_run(const struct model_row *rows, unsigned count)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct model_row *row = &rows[i];
        const struct explore_options options = {.weakness = row->weakness,
                                                .weak_address = row->weak_address};
        printf("%s%s%s: ", row->what->name, row->mutant != NULL ? ", without " : "",
               row->mutant != NULL ? row->mutant : "");
        fflush(stdout);
        const struct explore_result result = explore_run(row->what, &options);
        if (!(row->mutant == NULL ? holds(row, &result) : is_found_out(&result))) wrong++;
    }
    return wrong;
}
