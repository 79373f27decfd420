/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_endpoint.h"

static void set_url(struct mfa_endpoint *endpoint, const char *text)
{
    const char *problem = NULL;

    assert_int_equal(mfa_endpoint_set_url(endpoint, text, &problem), MFA_OK);
}

static void add_header(struct mfa_endpoint *endpoint, const char *name, const char *value)
{
    const char *problem = NULL;

    assert_int_equal(mfa_endpoint_add_header(endpoint, name, value, &problem), MFA_OK);
    assert_null(problem);
}

static void set_body(struct mfa_endpoint *endpoint, const char *text)
{
    const char *problem = NULL;

    assert_int_equal(mfa_endpoint_set_body(endpoint, text, &problem), MFA_OK);
}

static void check_header_refused(struct mfa_endpoint *endpoint, const char *name, const char *value)
{
    const size_t before = endpoint->header_count;
    const char *problem = NULL;

    assert_int_equal(mfa_endpoint_add_header(endpoint, name, value, &problem), MFA_ERR_SYNTAX);
    assert_non_null(problem);
    assert_int_equal(endpoint->header_count, before);
}

static void a_request_is_rendered_whole(void **state)
{
    json_t *user_data = json_pack("{s:s, s:s}", "number", "41791231212", "token", "t0k");
    const struct mfa_variables variables = {.user_data = user_data, .code_secret = "123456"};
    struct mfa_endpoint endpoint = {.method = MFA_HTTP_POST, .timeout_ms = 10000, .connect_timeout_ms = 3000};
    struct mfa_http_request *request = NULL;

    (void)state;
    set_url(&endpoint, "https://api.smsapi.com/mfa/codes/verifications?n={{ number }}");
    add_header(&endpoint, "authorization", "Bearer: {{ token }}");
    add_header(&endpoint, "content-type", "application/json");
    set_body(&endpoint, "{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}");
    assert_int_equal(mfa_endpoint_render(&endpoint, &variables, &request), MFA_OK);
    assert_int_equal(request->method, MFA_HTTP_POST);
    assert_int_equal(request->timeout_ms, 10000);
    assert_int_equal(request->connect_timeout_ms, 3000);
    assert_string_equal(request->url_secret, "https://api.smsapi.com/mfa/codes/verifications?n=41791231212");
    assert_int_equal(request->url_len, strlen(request->url_secret));
    assert_string_equal(request->body_secret, "{\"phone_number\":\"41791231212\",\"code\":\"123456\"}");
    assert_int_equal(request->body_len, strlen(request->body_secret));
    assert_int_equal(request->header_count, 2);
    assert_string_equal(request->header_secrets[0], "authorization: Bearer: t0k");
    assert_string_equal(request->header_secrets[1], "content-type: application/json");
    mfa_http_request_free(request);
    mfa_endpoint_clear(&endpoint);
    json_decref(user_data);
}

static void a_part_that_cannot_be_rendered_means_no_request(void **state)
{
    static const char *const missing_in[] = {"url", "header", "body"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct mfa_variables variables = {.user_data = NULL};
        struct mfa_endpoint endpoint = {0};
        struct mfa_http_request *request = (struct mfa_http_request *)&endpoint;

        set_url(&endpoint, i == 0 ? "https://h/{{ x }}" : "https://h/");
        add_header(&endpoint, "a", "b");
        add_header(&endpoint, "x", i == 1 ? "{{ x }}" : "y");
        set_body(&endpoint, i == 2 ? "{{ x }}" : "y");
        if (mfa_endpoint_render(&endpoint, &variables, &request) != MFA_ERR_NOT_FOUND)
            fail_msg("%s", missing_in[i]);
        assert_null(request);
        mfa_endpoint_clear(&endpoint);
    }
}

static void an_endpoint_without_url_renders_nothing(void **state)
{
    const struct mfa_endpoint endpoint = {0};
    const struct mfa_variables variables = {.user_data = NULL};
    struct mfa_http_request *request = NULL;

    (void)state;
    assert_int_equal(mfa_endpoint_render(&endpoint, &variables, &request), MFA_ERR_ARGUMENT);
    assert_null(request);
    mfa_http_request_free(NULL);
}

static void an_empty_body_is_none(void **state)
{
    const struct mfa_variables variables = {.user_data = NULL};
    struct mfa_endpoint endpoint = {.method = MFA_HTTP_POST};
    struct mfa_http_request *request = NULL;

    (void)state;
    set_url(&endpoint, "https://h/");
    set_body(&endpoint, "");
    assert_null(endpoint.body);
    assert_int_equal(mfa_endpoint_render(&endpoint, &variables, &request), MFA_OK);
    assert_null(request->body_secret);
    assert_int_equal(request->body_len, 0);
    mfa_http_request_free(request);
    mfa_endpoint_clear(&endpoint);
}

/* The value `a<"b c` shows by its encoding what a body was taken for. */
static void check_kind(const char *content_type, const char *body, const char *expected)
{
    json_t *user_data = json_pack("{s:s}", "x", "a<\"b c");
    const struct mfa_variables variables = {.user_data = user_data};
    struct mfa_endpoint endpoint = {0};
    struct mfa_http_request *request = NULL;

    set_url(&endpoint, "https://h/");
    if (content_type != NULL)
        add_header(&endpoint, "Content-Type", content_type);
    set_body(&endpoint, body);
    assert_int_equal(mfa_endpoint_render(&endpoint, &variables, &request), MFA_OK);
    assert_string_equal(request->body_secret, expected);
    mfa_http_request_free(request);
    mfa_endpoint_clear(&endpoint);
    json_decref(user_data);
}

static void content_type_tells_the_kind_of_the_body(void **state)
{
    static const char *const json[] = {"application/json",
                                       "Application/JSON; charset=utf-8",
                                       "application/json;x",
                                       "application/vnd.api+json",
                                       "application/problem+JSON ; x=y",
                                       "text/json",
                                       "application/x-json",
                                       "application/json-rpc",
                                       "application/x-amz-json-1.1"};
    static const char *const xml[] = {"text/xml", "application/xml; charset=utf-8", "application/soap+xml",
                                      "application/x-xml"};
    static const char *const plain[] = {"text/plain", "application/jsom", "json/text",
                                        "json",       "text/html",        "text/plain; profile=a/json"};

    (void)state;
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++)
        check_kind(json[i], "\"{{ x }}\"", "\"a<\\\"b c\"");
    for (size_t i = 0; i < sizeof xml / sizeof xml[0]; i++)
        check_kind(xml[i], "{{ x }}", "a&lt;&quot;b c");
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        check_kind(plain[i], "{\"{{ x }}\"}", "{\"a<\"b c\"}");
    check_kind("application/x-www-form-urlencoded", "a={{ x }}", "a=a%3C%22b%20c");
    check_kind("application/x-www-form-urlencoded; charset=utf-8", "a={{ x }}", "a=a%3C%22b%20c");
}

static void else_the_first_character_tells_it(void **state)
{
    (void)state;
    check_kind(NULL, "{\"a\":\"{{ x }}\"}", "{\"a\":\"a<\\\"b c\"}");
    check_kind(NULL, " \r\n\t[\"{{ x }}\"]", " \r\n\t[\"a<\\\"b c\"]");
    check_kind(NULL, "\n<a>{{ x }}</a>", "\n<a>a&lt;&quot;b c</a>");
    check_kind(NULL, "a={{ x }}", "a=a<\"b c");
    check_kind(NULL, "{{ x }}", "a<\"b c");
    check_kind(NULL, " {{ x }}{\"a\":1}", " a<\"b c{\"a\":1}");
}

static void header_names_are_tokens(void **state)
{
    static const char *const names[] = {"", "a b", "a:", "a\r\nb", "\xc3\xa9", "a(b)", "a\"", "{{ x }}", "a/b"};
    struct mfa_endpoint endpoint = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_header_refused(&endpoint, names[i], "x");
    add_header(&endpoint, "X-Odd!#$%&'*+-.^_`|~09", "x");
    mfa_endpoint_clear(&endpoint);
}

static void headers_of_the_connection_are_refused(void **state)
{
    static const char *const names[] = {
        "Host", "content-length", "Transfer-Encoding", "CONNECTION", "keep-alive",
        "te",   "Trailer",        "Upgrade",           "Expect",     "proxy-connection"};
    struct mfa_endpoint endpoint = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_header_refused(&endpoint, names[i], "x");
    mfa_endpoint_clear(&endpoint);
}

static void a_header_is_set_once_and_has_a_value(void **state)
{
    struct mfa_endpoint endpoint = {0};

    (void)state;
    add_header(&endpoint, "Authorization", "x");
    check_header_refused(&endpoint, "Authorization", "y");
    check_header_refused(&endpoint, "authORIZATION", "y");
    check_header_refused(&endpoint, "x", "");
    check_header_refused(&endpoint, "x", "  ");
    check_header_refused(&endpoint, "x", "a\nb");
    check_header_refused(&endpoint, "x", "{{ a");
    mfa_endpoint_clear(&endpoint);
}

static void there_is_a_most_of_headers(void **state)
{
    struct mfa_endpoint endpoint = {0};
    char name[] = "a";

    (void)state;
    for (size_t i = 0; i < MFA_ENDPOINT_MAX_HEADERS; i++, name[0]++) {
        if (name[0] == '{')
            name[0] = '0';
        add_header(&endpoint, name, "x");
    }
    check_header_refused(&endpoint, "one-more", "x");
    mfa_endpoint_clear(&endpoint);
}

static void a_missing_or_empty_variable_is_named(void **state)
{
    static const struct {
        const char *user_data;
        const char *missing;
    } cases[] = {
        {"{}", "u"},
        {"{\"u\": \"\"}", "u"},
        {"{\"u\": null}", "u"},
        {"{\"u\": []}", "u"},
        {"{\"u\": 0}", "b"},
        {"{\"u\": \"x\", \"b\": false}", "h"},
        {"{\"u\": \"x\", \"b\": \"x\", \"h\": \"x\"}", NULL},
    };
    struct mfa_endpoint endpoint = {0};

    (void)state;
    assert_null(mfa_endpoint_missing_variable(&endpoint, NULL, NULL));
    set_url(&endpoint, "https://h/{{ code }}?u={{ u }}");
    add_header(&endpoint, "a", "b");
    add_header(&endpoint, "h", "{{ h }}");
    set_body(&endpoint, "{{ code }} {{ b }}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *user_data = json_loads(cases[i].user_data, 0, NULL);
        const char *missing = mfa_endpoint_missing_variable(&endpoint, NULL, user_data);

        assert_non_null(user_data);
        if (cases[i].missing == NULL)
            assert_null(missing);
        else
            assert_string_equal(missing, cases[i].missing);
        json_decref(user_data);
    }
    assert_string_equal(mfa_endpoint_missing_variable(&endpoint, NULL, NULL), "u");
    mfa_endpoint_clear(&endpoint);
}

static void use_of_a_variable_is_seen_in_every_part(void **state)
{
    struct mfa_endpoint endpoint = {0};

    (void)state;
    assert_false(mfa_endpoint_uses(&endpoint, "u"));
    set_url(&endpoint, "https://h/{{ u }}");
    add_header(&endpoint, "a", "b");
    add_header(&endpoint, "h", "x{{ h }}");
    set_body(&endpoint, "{{ a }}{{ b }}");
    assert_true(mfa_endpoint_uses(&endpoint, "u"));
    assert_true(mfa_endpoint_uses(&endpoint, "h"));
    assert_true(mfa_endpoint_uses(&endpoint, "b"));
    assert_false(mfa_endpoint_uses(&endpoint, "code"));
    mfa_endpoint_clear(&endpoint);
}

static void a_rendered_part_has_a_most_of_bytes(void **state)
{
    static char value[MFA_ENDPOINT_URL_MAX_LEN];
    const struct mfa_variables variables = {.user_data = NULL};
    struct mfa_endpoint endpoint = {0};
    struct mfa_http_request *request = NULL;

    (void)state;
    memset(value, 'x', sizeof value - 1);
    memcpy(value, "https://h/", 10);
    set_url(&endpoint, value);
    assert_int_equal(mfa_endpoint_render(&endpoint, &variables, &request), MFA_OK);
    mfa_http_request_free(request);
    value[MFA_ENDPOINT_HEADER_MAX_LEN - 2] = '\0'; /* with "a: " one too many */
    add_header(&endpoint, "a", value);
    assert_int_equal(mfa_endpoint_render(&endpoint, &variables, &request), MFA_ERR_TOO_LARGE);
    assert_null(request);
    mfa_endpoint_clear(&endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_rendered_whole),
        cmocka_unit_test(a_part_that_cannot_be_rendered_means_no_request),
        cmocka_unit_test(an_endpoint_without_url_renders_nothing),
        cmocka_unit_test(an_empty_body_is_none),
        cmocka_unit_test(content_type_tells_the_kind_of_the_body),
        cmocka_unit_test(else_the_first_character_tells_it),
        cmocka_unit_test(header_names_are_tokens),
        cmocka_unit_test(headers_of_the_connection_are_refused),
        cmocka_unit_test(a_header_is_set_once_and_has_a_value),
        cmocka_unit_test(there_is_a_most_of_headers),
        cmocka_unit_test(a_missing_or_empty_variable_is_named),
        cmocka_unit_test(use_of_a_variable_is_seen_in_every_part),
        cmocka_unit_test(a_rendered_part_has_a_most_of_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
