/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mfa_url.h"

static void an_origin_is_scheme_and_authority(void **state)
{
    static const struct {
        const char *url;
        size_t len;
        bool is_encrypted;
        bool is_loopback;
    } cases[] = {
        {"https://api.example.com/path?x=/y", 23, true, false},
        {"HTTP://api.example.com", 22, false, false},
        {"https://user:secret@api.example.com:8443?x", 40, true, false},
        {"http://127.0.0.1:13013/cgi", 22, false, true},
        {"http://127.9.9.9/", 16, false, true},
        {"http://128.0.0.1/", 16, false, false},
        {"http://localhost/", 16, false, true},
        {"http://LocalHost:80/", 19, false, true},
        {"http://localhost.example.com/", 28, false, false},
        {"http://[::1]:8080/x", 17, false, true},
        {"http://[2001:db8::1]/x", 20, false, false},
        {"http://127.0.0.1@example.com/", 28, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfa_url_origin origin;
        const char *problem = "unset";

        assert_int_equal(mfa_url_parse_origin(&origin, cases[i].url, &problem), MFA_OK);
        assert_null(problem);
        assert_int_equal(origin.len, cases[i].len);
        assert_int_equal(origin.is_encrypted, cases[i].is_encrypted);
        assert_int_equal(origin.is_loopback, cases[i].is_loopback);
    }
}

static void other_origins_are_refused_with_a_reason(void **state)
{
    static const char *const urls[] = {
        "",
        "api.example.com/x",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:/example.com/",
        "https://",
        "https:///path",
        "http://?x",
        "http://user@/x",
        "http://:80/x",
        "http://example.com:99999/",
        "http://example.com:port/",
        "http://a b/",
        "http://a\\b/",
        "http://good.example\\@evil.example/",
        "http://[::1/",
        "http://{host}/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct mfa_url_origin origin;
        const char *problem = NULL;

        assert_int_equal(mfa_url_parse_origin(&origin, urls[i], &problem), MFA_ERR_SYNTAX);
        assert_non_null(problem);
    }
}

static void the_length_of_a_host_is_bounded(void **state)
{
    char host[MFA_URL_HOST_SIZE], url[MFA_URL_HOST_SIZE + 16];
    struct mfa_url_origin origin;
    const char *problem = NULL;

    (void)state;
    memset(host, 'h', sizeof host);
    snprintf(url, sizeof url, "http://%.*s/", MFA_URL_HOST_SIZE - 1, host);
    assert_int_equal(mfa_url_parse_origin(&origin, url, &problem), MFA_OK);
    assert_int_equal(strlen(origin.host), MFA_URL_HOST_SIZE - 1);
    snprintf(url, sizeof url, "http://%.*s/", MFA_URL_HOST_SIZE, host);
    assert_int_equal(mfa_url_parse_origin(&origin, url, &problem), MFA_ERR_SYNTAX);
    assert_non_null(problem);
}

static void dot_segments_are_seen_however_written(void **state)
{
    static const char *const with[] = {"/.",      "/..",         "/a/../b",     "/a/./b",
                                       "..",      "/%2e",        "/%2E%2e",     "/.%2e/x",
                                       "/a%2f..", "/a%2F..%2Fb", "/a\\..\\b",   "/a%5c..%5Cb",
                                       "/%252e",  "/%25252e.",   "/a%252f..",   "/a%255c%252e%252e",
                                       "/%2%45",  "/%%32e/x",    "/a%%32%66..", "/%25%32%65",
                                       "/%252%45"};
    static const char *const without[] = {"",       "/",     "/...", "/a..b/c", "/.a",  "/a.",    "//",
                                          "/a%2fb", "/%2ea", "/%2",  "/%",      "/%25", "/%2525", "/..%3b",
                                          "/%.",    "/%2.",  "/.%",  "/..%2",   "/%2%", "/%2%4",  "/%%%%%%"};

    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
        assert_true(mfa_url_has_dot_segment(with[i], strlen(with[i])));
    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        assert_false(mfa_url_has_dot_segment(without[i], strlen(without[i])));
    assert_false(mfa_url_has_dot_segment("/a/..", 3));
}

static void escapes_that_nest_without_end_are_no_path(void **state)
{
    static const char nested[] = "/%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%";

    (void)state;
    assert_false(mfa_url_has_dot_segment(nested, sizeof nested - 2));
    assert_true(mfa_url_has_dot_segment(nested, sizeof nested - 1));
}

static void an_escape_is_a_percent_sign_and_two_digits(void **state)
{
    (void)state;
    assert_true(mfa_url_is_escape("%aF", 3));
    assert_true(mfa_url_is_escape("%00rest", 7));
    assert_false(mfa_url_is_escape("%aF", 2));
    assert_false(mfa_url_is_escape("%ag", 3));
    assert_false(mfa_url_is_escape("%ga", 3));
    assert_false(mfa_url_is_escape("aFF", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_scheme_and_authority),
        cmocka_unit_test(other_origins_are_refused_with_a_reason),
        cmocka_unit_test(the_length_of_a_host_is_bounded),
        cmocka_unit_test(dot_segments_are_seen_however_written),
        cmocka_unit_test(escapes_that_nest_without_end_are_no_path),
        cmocka_unit_test(an_escape_is_a_percent_sign_and_two_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
