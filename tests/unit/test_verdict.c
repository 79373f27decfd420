/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mfa_verdict.h"

static const enum mfa_call calls[] = {MFA_CALL_SEND, MFA_CALL_VERIFY};

static struct mfa_gateway_answer answered(int http_status, const char *body, size_t body_len)
{
    return (struct mfa_gateway_answer){
        .delivery = MFA_DELIVERY_ANSWERED,
        .http_status = http_status,
        .body = body,
        .body_len = body_len,
        .reason = "answered",
    };
}

static enum mfa_verdict verdict(enum mfa_call call, int http_status, const char *body)
{
    struct mfa_gateway_answer answer = answered(http_status, body, strlen(body));
    const char *why = NULL;
    enum mfa_verdict verdict = mfa_verdict_of(call, &answer, &why);

    assert_non_null(why);
    return verdict;
}

static void a_zeroed_answer_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *why = NULL;
        assert_int_equal(mfa_verdict_of(calls[i], &(struct mfa_gateway_answer){.body = "", .reason = "none"}, &why), 0);
        assert_string_equal(why, "none");
    }
    assert_int_equal(MFA_VERDICT_ERROR, 0);
}

static void no_delivery_but_an_answer_is_looked_into(void **state)
{
    static const struct {
        enum mfa_delivery delivery;
        enum mfa_verdict verdict;
    } cases[] = {
        {MFA_DELIVERY_FAILED, MFA_VERDICT_ERROR},
        {MFA_DELIVERY_TIMEOUT, MFA_VERDICT_TIMEOUT},
        {MFA_DELIVERY_STOPPED, MFA_VERDICT_ERROR},
        {(enum mfa_delivery)99, MFA_VERDICT_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct mfa_gateway_answer answer = answered(200, "", 0);
            const char *why = NULL;
            answer.delivery = cases[i].delivery;
            answer.reason = "as the gateway says";
            assert_int_equal(mfa_verdict_of(calls[j], &answer, &why), cases[i].verdict);
            assert_string_equal(why, "as the gateway says");
        }
    }
}

static void every_status_of_a_send(void **state)
{
    (void)state;
    for (int status = -1; status < 1000; status++) {
        enum mfa_verdict expected = status == 429                   ? MFA_VERDICT_THROTTLED
                                    : status >= 200 && status < 300 ? MFA_VERDICT_SENT
                                                                    : MFA_VERDICT_ERROR;
        assert_int_equal(verdict(MFA_CALL_SEND, status, ""), expected);
        assert_int_equal(verdict(MFA_CALL_SEND, status, "{\"error\": 1}"), expected);
    }
}

static void every_status_of_a_verify(void **state)
{
    (void)state;
    for (int status = -1; status < 1000; status++) {
        enum mfa_verdict expected = status == 429                   ? MFA_VERDICT_THROTTLED
                                    : status >= 200 && status < 300 ? MFA_VERDICT_ACCEPTED
                                                                    : MFA_VERDICT_ERROR;
        assert_int_equal(verdict(MFA_CALL_VERIFY, status, ""), expected);
    }
}

static void a_verify_is_accepted_only_when_the_body_says_nothing(void **state)
{
    static const char *const nothing[] = {"", "{}", " ", "\r\n", " {}", "{} ", "{ }", "\t{\r\n }\n"};
    static const char *const something[] = {
        "{",
        "}",
        "{}}",
        "{}{}",
        "{}x",
        "x{}",
        "x",
        "[]",
        "null",
        "0",
        "true",
        "\"\"",
        "{\"status\": \"approved\"}",
        "{\"ok\": true}",
        "{\f}",
        "\v",
        "\xef\xbb\xbf{}",
        "\xc2\xa0",
        "OK",
        "<html></html>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        assert_int_equal(verdict(MFA_CALL_VERIFY, 200, nothing[i]), MFA_VERDICT_ACCEPTED);
        assert_int_equal(verdict(MFA_CALL_VERIFY, 400, nothing[i]), MFA_VERDICT_ERROR);
    }
    for (size_t i = 0; i < sizeof something / sizeof something[0]; i++)
        assert_int_equal(verdict(MFA_CALL_VERIFY, 200, something[i]), MFA_VERDICT_ERROR);
}

static void a_nul_does_not_end_the_body(void **state)
{
    static const struct {
        const char *body;
        size_t body_len;
    } cases[] = {{"\0", 1}, {"\0wrong code", 11}, {"{}\0wrong code", 13}, {"{\0}", 3}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfa_gateway_answer answer = answered(200, cases[i].body, cases[i].body_len);
        const char *why = NULL;
        assert_int_equal(mfa_verdict_of(MFA_CALL_VERIFY, &answer, &why), MFA_VERDICT_ERROR);
    }
}

static void a_refused_verify_says_what_is_missing(void **state)
{
    struct mfa_gateway_answer answer = answered(200, "{\"secret\": 1}", strlen("{\"secret\": 1}"));
    const char *why = NULL;

    (void)state;
    assert_int_equal(mfa_verdict_of(MFA_CALL_VERIFY, &answer, &why), MFA_VERDICT_ERROR);
    assert_string_equal(why, "refused: answer has a body and no expect rule");
}

static void an_unknown_call_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(verdict((enum mfa_call)7, 200, ""), MFA_VERDICT_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_answer_is_an_error),
        cmocka_unit_test(no_delivery_but_an_answer_is_looked_into),
        cmocka_unit_test(every_status_of_a_send),
        cmocka_unit_test(every_status_of_a_verify),
        cmocka_unit_test(a_verify_is_accepted_only_when_the_body_says_nothing),
        cmocka_unit_test(a_nul_does_not_end_the_body),
        cmocka_unit_test(a_refused_verify_says_what_is_missing),
        cmocka_unit_test(an_unknown_call_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
