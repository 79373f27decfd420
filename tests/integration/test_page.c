/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of the sample host, as far as its headers go; tests/e2e is for what it does in a browser.
 */
#include <string.h>

#include "harness_stage.h"

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, NULL);
}

static void expect_header(const struct http_answer *answer, const char *name, const char *value)
{
    const char *got = http_header(answer, name);

    assert_non_null(got);
    assert_string_equal(got, value);
}

/* Gives the text; owned by caller, release with http_answer_clear. */
static struct http_answer get_file(struct stage *stage, const char *path, const char *media_type)
{
    struct http_answer answer = http_send(stage_url(stage), (struct http_request){.path = path});

    assert_int_equal(answer.status, 200);
    expect_header(&answer, "Content-Type", media_type);
    expect_header(&answer, "X-Content-Type-Options", "nosniff");
    expect_header(&answer, "Content-Security-Policy",
                  "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    return answer;
}

static void the_root_is_a_page(void **state)
{
    struct http_answer answer = get_file(*state, "/", "text/html; charset=utf-8");

    assert_memory_equal(answer.body, "<!doctype html>", strlen("<!doctype html>"));
    assert_non_null(strstr(answer.body, "</html>\n"));
    assert_null(strstr(answer.body, "<style"));
    assert_null(strstr(answer.body, " style="));
    assert_null(strstr(answer.body, "<script>"));
    http_answer_clear(&answer);
}

static void what_the_page_asks_for_is_there(void **state)
{
    static const char *const files[][2] = {{"/page.js", "text/javascript; charset=utf-8"},
                                           {"/page.css", "text/css; charset=utf-8"},
                                           {"/page.svg", "image/svg+xml"}};
    struct http_answer page = get_file(*state, "/", "text/html; charset=utf-8");

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        assert_non_null(strstr(page.body, files[i][0]));
        struct http_answer answer = get_file(*state, files[i][0], files[i][1]);
        assert_int_not_equal(answer.body_len, 0);
        http_answer_clear(&answer);
    }
    http_answer_clear(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_a_page),
        cmocka_unit_test(what_the_page_asks_for_is_there),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
