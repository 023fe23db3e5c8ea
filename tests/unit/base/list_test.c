// The intrusive list keeps order through append, prepend, pop and removal in the middle of a walk.
#include "tests/support/cmocka.h"

#include "runtime/base/list.h"

struct item {
    int value;
    struct weft_list link;
};

static void keeps_order(void **state)
{
    (void)state;
    struct weft_list list;
    struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
    weft_list_init(&list);
    assert_null(weft_list_pop(&list));
    weft_list_append(&list, &items[1].link);
    weft_list_append(&list, &items[2].link);
    weft_list_prepend(&list, &items[0].link);
    weft_list_append(&list, &items[3].link);
    WEFT_LIST_FOR_EACH (link, &list) {
        if (WEFT_CONTAINER_OF(link, struct item, link)->value == 2) weft_list_remove(link);
    }
    for (int expected = 0; expected < 4; expected++) {
        if (expected == 2) continue;
        struct item *item = WEFT_CONTAINER_OF(weft_list_pop(&list), struct item, link);
        assert_int_equal(item->value, expected);
    }
    assert_true(weft_list_empty(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
