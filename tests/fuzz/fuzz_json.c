/* SPDX-License-Identifier: Apache-2.0
 *
 * What clients send: a request's JSON, and user data in it; and what services answer. The input is the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>

#include "fuzz.h"
#include "mfa_destination.h"
#include "mfa_endpoint.h"
#include "mfa_json.h"
#include "mfa_policy.h"
#include "mfa_user_data.h"

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static void check_parsed(enum mfa_status status, const json_t *parsed, const char *text, size_t len, size_t flags)
{
    json_t *expected = json_loadb(text, len, JSON_REJECT_DUPLICATES | flags, NULL);
    bool is_good =
        json_is_object(expected) && fuzz_json_depth(expected) <= MFA_BODY_MAX_DEPTH && !memchr(text, '\0', len);

    assert_int_equal(status, is_good ? MFA_OK : MFA_ERR_SYNTAX);
    assert_true(is_good ? json_equal(parsed, expected) : parsed == NULL);
    json_decref(expected);
}

/* jansson knows large integers only where all are reals. */
static void check_answer(const char *text, size_t len)
{
    static const size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;
    const size_t mark_len = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    json_t *expected = json_loadb(text + mark_len, len - mark_len, flags, NULL);
    json_t *with_reals = json_loadb(text + mark_len, len - mark_len, flags | JSON_DECODE_INT_AS_REAL, NULL);
    json_t *parsed = NULL;
    enum mfa_status status = mfa_json_parse_answer(&parsed, text, len, MFA_JSON_MAX_DEPTH);

    assert_int_equal(status, with_reals != NULL && !memchr(text, '\0', len) ? MFA_OK : MFA_ERR_SYNTAX);
    if (status == MFA_OK && expected != NULL)
        assert_true(json_equal(parsed, expected));
    mfa_json_free(parsed);
    json_decref(with_reals);
    json_decref(expected);
}

/* What is written is read as what it was, to 15 digits. */
static void check_written(const json_t *value)
{
    struct mfa_buffer text;
    struct mfa_buffer again;
    json_t *read = NULL;

    mfa_buffer_init(&text, SIZE_MAX);
    mfa_buffer_init(&again, SIZE_MAX);
    assert_int_equal(mfa_json_encode(value, &text), MFA_OK);
    assert_int_equal(mfa_json_parse_request(&read, text.data, text.len, MFA_BODY_MAX_DEPTH), MFA_OK);
    assert_int_equal(mfa_json_encode(read, &again), MFA_OK);
    assert_string_equal(text.data, again.data);
    mfa_json_free(read);
    mfa_buffer_clear(&text);
    mfa_buffer_clear(&again);
}

/* --- User data ---------------------------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

    return len > 0 && text[len] == '\0' && len <= 64 && (isalpha((unsigned char)*text) || *text == '_');
}

static bool is_good_member(const char *name, const json_t *value, size_t *len)
{
    size_t value_len = json_is_string(value) ? json_string_length(value) : 24;

    *len += strlen(name) + value_len;
    if (json_is_string(value) && memchr(json_string_value(value), '\0', value_len) != NULL)
        return false;
    if (json_is_real(value) && (json_real_value(value) > 1e300 || json_real_value(value) < -1e300))
        return false;
    return is_name(name) && strcmp(name, "code") != 0 && !json_is_object(value) && !json_is_array(value) &&
           !json_is_null(value);
}

static bool is_good_user_data(const json_t *user_data)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t len = 0;

    json_object_foreach((json_t *)(uintptr_t)user_data, name, value)
    {
        if (!is_good_member(name, value, &len))
            return false;
    }
    return json_object_size(user_data) <= 32 && len <= 4096;
}

static size_t count_digits(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text >= '0' && *text <= '9';
    return count;
}

/* An endpoint that sends to whatever there is. */
static const struct mfa_endpoint *an_endpoint(void)
{
    static struct mfa_endpoint endpoint;
    const char *problem = NULL;

    if (endpoint.url == NULL)
        assert_int_equal(mfa_endpoint_set_url(&endpoint,
                                              "https://example.com/?{{phone}}{{phone_number}}{{number}}{{to}}{{email}}",
                                              &problem),
                         MFA_OK);
    return &endpoint;
}

static void check_normal(const char *destination)
{
    char normal[MFA_DESTINATION_SIZE];

    mfa_destination_normalise(destination, normal);
    assert_true(strlen(normal) < sizeof normal);
    assert_int_equal(normal[strcspn(normal, " \t\n\v\f\rABCDEFGHIJKLMNOPQRSTUVWXYZ")], '\0');
}

/* Shows whose it is to nobody but its owner. */
static void check_hint(const char *hint)
{
    json_t *text = json_string(hint);

    assert_non_null(text);
    assert_true(strlen(hint) < MFA_HINT_SIZE);
    if (strchr(hint, '@') == NULL)
        assert_true(count_digits(hint) <= 6);
    else
        assert_true(strcspn(hint, "@") <= strlen("j***"));
    json_decref(text);
}

static void check_user_data(const json_t *user_data)
{
    char number[MFA_DESTINATION_NUMBER_SIZE];
    char hint[MFA_HINT_SIZE];
    struct mfa_parameter_problem problem;
    enum mfa_status status = mfa_user_data_check(user_data, &problem);
    const char *destination = NULL;

    assert_int_equal(status, is_good_user_data(user_data) ? MFA_OK : MFA_ERR_SYNTAX);
    if (status != MFA_OK) {
        assert_true(fuzz_is_line(problem.path) && fuzz_is_line(problem.message));
        return;
    }
    status = mfa_destination_check(user_data, an_endpoint(), &problem);
    assert_true(status == MFA_OK || (fuzz_is_line(problem.path) && fuzz_is_line(problem.message)));
    mfa_user_data_hint(user_data, NULL, hint);
    destination = mfa_destination_find(user_data, an_endpoint(), number);
    if (destination == NULL) {
        assert_string_equal(hint, "");
        return;
    }
    check_normal(destination);
    check_hint(hint);
}

/* --- The whole ---------------------------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    json_t *parsed = NULL;
    enum mfa_status status = mfa_json_parse_object(&parsed, text, len, MFA_BODY_MAX_DEPTH);

    check_answer(text, len);
    check_parsed(status, parsed, text, len, 0);
    mfa_json_free(parsed);
    status = mfa_json_parse_request(&parsed, text, len, MFA_BODY_MAX_DEPTH);
    check_parsed(status, parsed, text, len, JSON_ALLOW_NUL);
    if (status == MFA_OK) {
        check_written(parsed);
        check_user_data(parsed);
    }
    mfa_json_free(parsed);
    return 0;
}
