/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "router.h"

static int set_up(void **state)
{
    *state = router_new();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    router_free(*state);
    return 0;
}

static core_status add(struct router *router, const char *method, const char *path)
{
    return router_add(router, &(struct route){.method = method, .path = path});
}

static void a_route_is_found_by_method_and_path(void **state)
{
    char username[STORAGE_USERNAME_MAX + 1] = "x";

    assert_int_equal(add(*state, "POST", "/{username}/mfa/verify"), CORE_OK);
    assert_int_equal(add(*state, "DELETE", "/system/users/{username}/mfa"), CORE_OK);
    struct route *verify = router_find(*state, "POST", "/alice/mfa/verify", username);
    assert_non_null(verify);
    assert_string_equal(username, "alice");
    assert_string_equal(verify->path, "/{username}/mfa/verify");
    assert_non_null(router_find(*state, "DELETE", "/system/users/bobby/mfa", username));
    assert_string_equal(username, "bobby");
}

static void nothing_else_is_found(void **state)
{
    static const char *const others[] = {"/{username}/mfa/verify",
                                         "/alice/mfa",
                                         "/alice/mfa/verify/",
                                         "/alice/mfa/verify/x",
                                         "alice/mfa/verify",
                                         "//mfa/verify",
                                         "/alice//verify",
                                         "/Alice/mfa/verify",
                                         "/al/mfa/verify",
                                         "/alice/mfa/Verify",
                                         "/alice/mfa/verifyx",
                                         "",
                                         "/",
                                         "*"};
    char username[STORAGE_USERNAME_MAX + 1];

    assert_int_equal(add(*state, "POST", "/{username}/mfa/verify"), CORE_OK);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_null(router_find(*state, "POST", others[i], username));
        assert_string_equal(username, "");
    }
    assert_null(router_find(*state, "GET", "/alice/mfa/verify", username));
}

static void a_request_matches_at_most_one_route(void **state)
{
    assert_int_equal(add(*state, "GET", "/{username}/mfa"), CORE_OK);
    assert_int_equal(add(*state, "GET", "/{username}/mfa"), CORE_ERR_ARGUMENT);
    assert_int_equal(add(*state, "GET", "/users/mfa"), CORE_ERR_ARGUMENT);
    assert_int_equal(add(*state, "GET", "/mfa/{username}"), CORE_OK);
    assert_int_equal(add(*state, "POST", "/{username}/mfa"), CORE_OK);
    assert_int_equal(add(*state, "GET", "/{username}/mfa/x"), CORE_OK);
}

static void the_root_is_a_path(void **state)
{
    char username[STORAGE_USERNAME_MAX + 1];

    assert_int_equal(add(*state, "GET", "/{username}"), CORE_OK);
    assert_int_equal(add(*state, "GET", "/"), CORE_OK);
    assert_int_equal(add(*state, "GET", "/"), CORE_ERR_ARGUMENT);
    struct route *root = router_find(*state, "GET", "/", username);
    assert_non_null(root);
    assert_string_equal(root->path, "/");
    assert_string_equal(username, "");
    assert_null(router_find(*state, "GET", "", username));
    assert_null(router_find(*state, "GET", "//", username));
}

static void a_malformed_path_is_refused(void **state)
{
    static const char *const paths[] = {"", "x", "//", "/a//b", "/a/", "/{username}/{username}", "/{user}/a", "/a b"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(add(*state, "GET", paths[i]), CORE_ERR_ARGUMENT);
}

static void a_username_is_5_to_60_of_a_small_alphabet(void **state)
{
    char longest[62];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_true(router_is_username(longest, 60));
    assert_false(router_is_username(longest, 61));
    assert_true(router_is_username("ab-19", 5));
    assert_false(router_is_username("abcd", 4));
    assert_false(router_is_username("abcdE", 5));
    assert_false(router_is_username("abc.d", 5));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_route_is_found_by_method_and_path), TEST(nothing_else_is_found),
        TEST(a_request_matches_at_most_one_route), TEST(the_root_is_a_path),
        TEST(a_malformed_path_is_refused),         TEST(a_username_is_5_to_60_of_a_small_alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
