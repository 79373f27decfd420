/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "mfa_pattern.h"
#include "mfa_policy.h"

static struct mfa_pattern *parse(const char *text)
{
    char problem[MFA_PATTERN_PROBLEM_SIZE];
    struct mfa_pattern *pattern = NULL;

    if (mfa_pattern_parse(&pattern, text, problem) != MFA_OK)
        fail_msg("%s: %s", text, problem);
    assert_string_equal(problem, "");
    assert_string_equal(mfa_pattern_text(pattern), text);
    return pattern;
}

static bool matches(const char *pattern_text, const char *text, size_t len)
{
    struct mfa_pattern *pattern = parse(pattern_text);
    bool is_match = false;
    enum mfa_status status = mfa_pattern_match(pattern, text, len, &is_match);

    mfa_pattern_free(pattern);
    assert_int_equal(status, MFA_OK);
    return is_match;
}

static void perls_syntax_is_understood(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        {"^0 \\|", "0 | accepted", true},
        {"^0 \\|", "10 | failed", false},
        {"^0 \\|", "35 | failed\n0 |", false},
        {"(?m)^0 \\|", "35 | failed\n0 |", true},
        {"^(0: Accepted|3: Queued)", "3: Queued for later delivery", true},
        {"^(0: Accepted|3: Queued)", "4: Rejected", false},
        {"(?i)expired|max limit|already", "OTP EXPIRED", true},
        {"(?i)expired|max limit|already", "Max Limit reached", true},
        {"(?i)expired|max limit|already", "OTP not match", false},
        {"<int>\\s*200\\s*</int>", "<value><int>\r\n200</int></value>", true},
        {"<MessageId>[0-9a-f-]+</MessageId>", "<MessageId>94f20ce6-13c5</MessageId>", true},
        {"<MessageId>[0-9a-f-]+</MessageId>", "<MessageId></MessageId>", false},
        {"^.{3}$", "a\xc3\xa9\xe2\x82\xac", true},
        {"(?i)^\xc3\x89TAT$", "\xc3\xa9tat", true},
        {"\\bok(?!ay)\\b", "not okay", false},
        {"^$", "", true},
        {"x", "", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (matches(cases[i].pattern, cases[i].text, strlen(cases[i].text)) != cases[i].matches)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void a_mistake_is_explained_without_quoting_the_pattern(void **state)
{
    static const struct {
        const char *pattern;
        const char *problem;
    } cases[] = {
        {"", "must not be empty: that would match anything"},
        {"secret(", "is not a regular expression: missing closing parenthesis, at offset 7"},
        {"secret[a-", "is not a regular expression: missing terminating ] for character class, at offset 9"},
        {"*", "is not a regular expression: quantifier does not follow a repeatable item, at offset 0"},
        {"a\\Cb", "is not a regular expression: using \\C is disabled by the application, at offset 3"},
        {"ab\xff", "is not a regular expression: UTF-8 error: illegal byte (0xfe or 0xff), at offset 2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char problem[MFA_PATTERN_PROBLEM_SIZE] = "unset";
        struct mfa_pattern *pattern = (struct mfa_pattern *)problem;

        assert_int_equal(mfa_pattern_parse(&pattern, cases[i].pattern, problem), MFA_ERR_SYNTAX);
        assert_null(pattern);
        assert_string_equal(problem, cases[i].problem);
    }
}

static void what_is_not_utf8_matches_nothing(void **state)
{
    (void)state;
    assert_true(matches("ok", "\xff\xfe ok \xc3", 7));
    assert_false(matches("o.k", "o\xffk", 3));
    assert_false(matches("[^a]", "\xff\xfe", 2));
    assert_true(matches("a$",
                        "\xffz\xff"
                        "a",
                        4));
    assert_false(matches("^a",
                         "\xff"
                         "a",
                         2));
}

static void a_nul_does_not_end_the_text(void **state)
{
    (void)state;
    assert_true(matches("ok", "\0ok", 3));
    assert_false(matches("^ok$", "ok\0", 3));
}

/* As long as answers can be. */
static void fill(char *text, char with, char last)
{
    memset(text, with, MFA_GATEWAY_ANSWER_MAX_LEN);
    text[MFA_GATEWAY_ANSWER_MAX_LEN - 1] = last;
}

static void no_text_makes_a_match_run_away(void **state)
{
    static const struct {
        const char *pattern;
        char with, last;
    } cases[] = {
        {"(a+)+$", 'a', '!'},           /* exponential */
        {"(?s).*a.*a.*b", 'a', 'c'},    /* cubic */
        {"\\s*x\\d", ' ', 'x'},         /* quadratic, in steps of which PCRE2 counts one per place */
        {"(?:\\s|\\s\\s)*x", ' ', 'x'}, /* deep */
        {"(?s)((.)(?1)|b)", 'a', 'a'},  /* recursive */
        {"(*LIMIT_MATCH=400000000)(a|aa)+$", 'a', '!'},
    };
    static char text[MFA_GATEWAY_ANSWER_MAX_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfa_pattern *pattern = parse(cases[i].pattern);
        bool is_match = true;

        fill(text, cases[i].with, cases[i].last);
        if (mfa_pattern_match(pattern, text, sizeof text, &is_match) != MFA_ERR_TOO_LARGE)
            fail_msg("%s", cases[i].pattern);
        assert_false(is_match);
        mfa_pattern_free(pattern);
    }
}

static void the_longest_answer_is_no_match_too_many(void **state)
{
    static const char *const patterns[] = {
        "(?i)expired|max limit|already|exceeded|elapsed|ended|x|y|z|end!", "^(?s:.*)!$", "[ae!]*!", "\\W", "a!$", "!",
    };
    static char text[MFA_GATEWAY_ANSWER_MAX_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        fill(text, i == 0 ? 'e' : 'a', '!');
        if (i == 0)
            memcpy(text + sizeof text - 4, "end!", 4);
        assert_true(matches(patterns[i], text, sizeof text));
    }
    memset(text, 0xff, sizeof text);
    assert_false(matches("a\\s*b", text, sizeof text));
}

static void *match_often(void *arg)
{
    const struct mfa_pattern *pattern = arg;

    for (size_t i = 0; i < 500; i++) {
        bool is_match = false;

        if (mfa_pattern_match(pattern, i % 2 == 0 ? "1: is Queued" : "1: is Qeued", 11, &is_match) != MFA_OK ||
            is_match != (i % 2 == 0))
            return arg;
    }
    return NULL;
}

static void threads_share_a_pattern(void **state)
{
    struct mfa_pattern *pattern = parse("(?i)^(\\d): .*queue");
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_often, pattern), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed = pattern;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    mfa_pattern_free(pattern);
    mfa_pattern_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perls_syntax_is_understood),
        cmocka_unit_test(a_mistake_is_explained_without_quoting_the_pattern),
        cmocka_unit_test(what_is_not_utf8_matches_nothing),
        cmocka_unit_test(a_nul_does_not_end_the_text),
        cmocka_unit_test(no_text_makes_a_match_run_away),
        cmocka_unit_test(the_longest_answer_is_no_match_too_many),
        cmocka_unit_test(threads_share_a_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
