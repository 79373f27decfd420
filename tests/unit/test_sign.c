/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_endpoint.h"
#include "mfa_sign.h"

#define RECORDING "tests/data/providers/ovh-sms.json"

static char *copy(const char *text)
{
    char *made = text == NULL ? NULL : strdup(text);

    assert_true(text == NULL || made != NULL);
    return made;
}

static struct mfa_sign ovh_sign(const char *key, const char *secret, const char *consumer)
{
    return (struct mfa_sign){.ovh = {.application_key = copy(key),
                                     .application_secret_secret = copy(secret),
                                     .consumer_key_secret = copy(consumer)}};
}

static struct mfa_http_request *new_request(enum mfa_http_method method, const char *url, const char *body)
{
    struct mfa_http_request *request = calloc(1, sizeof *request);

    assert_non_null(request);
    *request = (struct mfa_http_request){.method = method,
                                         .url_secret = copy(url),
                                         .url_len = strlen(url),
                                         .body_secret = copy(body),
                                         .body_len = body == NULL ? 0 : strlen(body)};
    return request;
}

/* The value of a header; NULL: it is not there. */
static const char *header_of(const struct mfa_http_request *request, const char *name)
{
    const size_t len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++)
        if (strncmp(request->header_secrets[i], name, len) == 0 &&
            strncmp(request->header_secrets[i] + len, ": ", 2) == 0)
            return request->header_secrets[i] + len + 2;
    return NULL;
}

/* --- OVH ------------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    assert_non_null(text);
    return text;
}

static void check_recorded(const struct mfa_sign *sign, const json_t *expected, int64_t clock_s)
{
    static const char *const names[] = {"X-Ovh-Application", "X-Ovh-Consumer", "X-Ovh-Timestamp", "X-Ovh-Signature"};
    struct mfa_http_request *request = new_request(MFA_HTTP_POST, text_of(expected, "url"), text_of(expected, "body"));

    assert_string_equal(text_of(expected, "method"), "POST");
    assert_int_equal(mfa_sign_request(sign, clock_s * 1000 + 999, request), MFA_OK);
    assert_int_equal(request->header_count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_string_equal(header_of(request, names[i]), text_of(json_object_get(expected, "headers"), names[i]));
    mfa_http_request_free(request);
}

static void what_ovh_was_sent_is_signed_as_it_was(void **state)
{
    json_t *recording = json_load_file(RECORDING, 0, NULL);
    const json_t *keys = NULL;
    const json_t *exchange;
    struct mfa_sign sign;
    size_t i;

    (void)state;
    assert_int_equal(json_unpack(recording, "{s:{s:{s:{s:{s:{s:o}}}}}}", "config", "sms", "endpoints", "single", "sign",
                                 "ovh", &keys),
                     0);
    sign = ovh_sign(text_of(keys, "applicationKey"), text_of(keys, "applicationSecret"), text_of(keys, "consumerKey"));
    assert_true(json_array_size(json_object_get(recording, "exchanges")) > 0);
    json_array_foreach(json_object_get(recording, "exchanges"), i, exchange) check_recorded(
        &sign, json_object_get(exchange, "expectRequest"), json_integer_value(json_object_get(recording, "clock")));
    mfa_sign_clear(&sign);
    json_decref(recording);
}

static void a_request_without_a_body_has_an_empty_one_in_its_signature(void **state)
{
    struct mfa_sign sign = ovh_sign("AK0", "AS0", "CK0");
    struct mfa_http_request *request = new_request(MFA_HTTP_GET, "https://eu.api.ovh.com/1.0/sms?a=b%20c", NULL);

    (void)state;
    assert_int_equal(mfa_sign_request(&sign, 1700000000000, request), MFA_OK);
    assert_string_equal(header_of(request, "X-Ovh-Signature"), "$1$8d33c65d80b6259cd6f40fe09e3e2ce750726e1d");
    mfa_http_request_free(request);
    mfa_sign_clear(&sign);
}

/* Signs with one thing changed; owned by the caller. */
static char *signature_of(const char *secret, const char *consumer, enum mfa_http_method method, const char *url,
                          const char *body, int64_t wall_ms)
{
    struct mfa_sign sign = ovh_sign("AK0", secret, consumer);
    struct mfa_http_request *request = new_request(method, url, body);
    char *signature;

    assert_int_equal(mfa_sign_request(&sign, wall_ms, request), MFA_OK);
    signature = copy(header_of(request, "X-Ovh-Signature"));
    mfa_http_request_free(request);
    mfa_sign_clear(&sign);
    return signature;
}

static void everything_in_a_request_counts_in_its_signature(void **state)
{
    char *signatures[] = {
        signature_of("s", "c", MFA_HTTP_POST, "https://h/", "b", 5000),
        signature_of("S", "c", MFA_HTTP_POST, "https://h/", "b", 5000),
        signature_of("s", "C", MFA_HTTP_POST, "https://h/", "b", 5000),
        signature_of("s", "c", MFA_HTTP_PUT, "https://h/", "b", 5000),
        signature_of("s", "c", MFA_HTTP_POST, "https://h/?", "b", 5000),
        signature_of("s", "c", MFA_HTTP_POST, "https://h/", "B", 5000),
        signature_of("s", "c", MFA_HTTP_POST, "https://h/", "b", 6000),
    };
    const size_t count = sizeof signatures / sizeof signatures[0];

    (void)state;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            assert_string_not_equal(signatures[i], signatures[j]);
    for (size_t i = 0; i < count; i++)
        free(signatures[i]);
}

static void a_request_with_all_its_headers_can_still_be_signed(void **state)
{
    struct mfa_sign sign = ovh_sign("AK0", "AS0", "CK0");
    struct mfa_http_request *request = new_request(MFA_HTTP_POST, "https://h/", NULL);

    (void)state;
    for (size_t i = 0; i <= MFA_ENDPOINT_MAX_HEADERS; i++) /* and an access token */
        assert_int_equal(mfa_http_request_add_header(request, "a", "b"), MFA_OK);
    assert_int_equal(mfa_sign_request(&sign, 5000, request), MFA_OK);
    assert_non_null(header_of(request, "X-Ovh-Signature"));
    assert_string_equal(header_of(request, "X-Ovh-Timestamp"), "5");
    assert_int_equal(mfa_sign_request(&sign, 5000, request), MFA_ERR_TOO_LARGE);
    assert_true(request->header_count <= MFA_REQUEST_MAX_HEADERS);
    mfa_http_request_free(request);
    mfa_sign_clear(&sign);
}

static void a_key_that_is_too_long_for_a_header_signs_nothing(void **state)
{
    char key[MFA_ENDPOINT_HEADER_MAX_LEN + 1] = {0};
    struct mfa_sign sign;
    struct mfa_http_request *request = new_request(MFA_HTTP_POST, "https://h/", NULL);

    (void)state;
    memset(key, 'k', sizeof key - 1);
    sign = ovh_sign("AK0", "AS0", key);
    assert_int_equal(mfa_sign_request(&sign, 5000, request), MFA_ERR_TOO_LARGE);
    assert_null(header_of(request, "X-Ovh-Signature"));
    mfa_http_request_free(request);
    mfa_sign_clear(&sign);
}

/* --- AWS, none ------------------------------------------------------------------------------------------------- */

static void a_signature_of_aws_is_left_to_whoever_sends(void **state)
{
    struct mfa_sign sign = {.aws4 = {.provider = copy("aws:amz:eu-central-1:sns"),
                                     .access_key_id = copy("AKID"),
                                     .secret_access_key_secret = copy("s3cret")}};
    struct mfa_http_request *request = new_request(MFA_HTTP_POST, "https://h/", NULL);

    (void)state;
    assert_false(mfa_sign_needs_time(&sign));
    assert_int_equal(mfa_sign_request(&sign, 5000, request), MFA_OK);
    assert_ptr_equal(request->aws4, &sign.aws4);
    assert_int_equal(request->header_count, 0);
    mfa_http_request_free(request);
    mfa_sign_clear(&sign);
}

static void without_a_signature_a_request_stays_as_it_is(void **state)
{
    const struct mfa_sign sign = {0};
    struct mfa_http_request *request = new_request(MFA_HTTP_POST, "https://h/", NULL);

    (void)state;
    assert_false(mfa_sign_needs_time(&sign));
    assert_int_equal(mfa_sign_request(&sign, 5000, request), MFA_OK);
    assert_null(request->aws4);
    assert_int_equal(request->header_count, 0);
    mfa_http_request_free(request);
}

static void the_time_is_asked_for_where_it_is_signed(void **state)
{
    struct mfa_sign sign = ovh_sign("AK0", "AS0", "CK0");

    (void)state;
    assert_true(mfa_sign_needs_time(&sign));
    mfa_sign_clear(&sign);
    assert_false(mfa_sign_needs_time(&sign));
}

static void clearing_is_idempotent(void **state)
{
    static const struct mfa_sign zeroed;
    struct mfa_sign sign = ovh_sign("AK0", "AS0", "CK0");

    (void)state;
    sign.aws4 = (struct mfa_sign_aws4){
        .provider = copy("p"), .access_key_id = copy("a"), .secret_access_key_secret = copy("s")};
    mfa_sign_clear(&sign);
    assert_memory_equal(&sign, &zeroed, sizeof sign);
    mfa_sign_clear(&sign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ovh_was_sent_is_signed_as_it_was),
        cmocka_unit_test(a_request_without_a_body_has_an_empty_one_in_its_signature),
        cmocka_unit_test(everything_in_a_request_counts_in_its_signature),
        cmocka_unit_test(a_request_with_all_its_headers_can_still_be_signed),
        cmocka_unit_test(a_key_that_is_too_long_for_a_header_signs_nothing),
        cmocka_unit_test(a_signature_of_aws_is_left_to_whoever_sends),
        cmocka_unit_test(without_a_signature_a_request_stays_as_it_is),
        cmocka_unit_test(the_time_is_asked_for_where_it_is_signed),
        cmocka_unit_test(clearing_is_idempotent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
