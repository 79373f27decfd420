/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json_tree.h"

/* A text that outlives the tree shows what became of it. */
static void assert_zeroed_with(json_t *text, json_t *tree)
{
    static const char zeros[] = {0, 0, 0, 0, 0, 0, 0};

    assert_non_null(tree);
    json_tree_free(tree);
    assert_memory_equal(json_string_value(text), zeros, sizeof zeros);
    json_decref(text);
}

static void every_text_is_zeroed_however_deep_it_stands(void **state)
{
    json_t *texts[] = {json_string("secret"), json_string("secret"), json_string("secret")};

    (void)state;
    assert_zeroed_with(texts[0], json_incref(texts[0]));
    assert_zeroed_with(texts[1], json_pack("{s:i, s:O}", "n", 1, "token", texts[1]));
    assert_zeroed_with(texts[2], json_pack("{s:[n, {s:O}]}", "list", "token", texts[2]));
}

static void no_tree_is_no_trouble(void **state)
{
    (void)state;
    json_tree_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_is_zeroed_however_deep_it_stands),
        cmocka_unit_test(no_tree_is_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
