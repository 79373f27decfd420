/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mfa_template.h"

#define ATTACKS "tests/data/providers/_attacks.json"

/* --- Helpers --------------------------------------------------------------------------------------------------- */

static struct mfa_template *parse(const char *text, enum mfa_template_kind kind)
{
    struct mfa_template *tmpl = NULL;
    const char *problem = "unset";

    if (mfa_template_parse(&tmpl, text, kind, &problem) != MFA_OK)
        fail_msg("%s: %s", text, problem);
    assert_null(problem);
    assert_string_equal(mfa_template_text(tmpl), text);
    return tmpl;
}

static void check_syntax(const char *text, enum mfa_template_kind kind, const char *expected_problem)
{
    struct mfa_template *tmpl = (struct mfa_template *)&tmpl;
    const char *problem = NULL;

    if (mfa_template_parse(&tmpl, text, kind, &problem) != MFA_ERR_SYNTAX)
        fail_msg("accepted: %s", text);
    assert_null(tmpl);
    assert_non_null(problem);
    if (strstr(problem, expected_problem) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", text, problem, expected_problem);
}

/* Renders with variables; `out` must be cleared. */
static enum mfa_status render_with(const char *text, enum mfa_template_kind kind, const struct mfa_variables *variables,
                                   struct mfa_buffer *out)
{
    struct mfa_template *tmpl = parse(text, kind);
    enum mfa_status status;

    mfa_buffer_init(out, 100000);
    status = mfa_template_render(tmpl, variables, out);
    mfa_template_free(tmpl);
    return status;
}

static json_t *object(const char *text)
{
    json_t *parsed = json_loads(text, JSON_ALLOW_NUL, NULL);

    assert_true(json_is_object(parsed));
    return parsed;
}

/* The documented user of single mode: a code, also inside values. */
static void check(const char *text, enum mfa_template_kind kind, const char *user_data, const char *expected)
{
    json_t *values = object(user_data);
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456", .code_in_values = true};
    struct mfa_buffer out;

    assert_int_equal(render_with(text, kind, &variables, &out), MFA_OK);
    assert_string_equal(out.data, expected);
    mfa_buffer_clear(&out);
    json_decref(values);
}

static void check_status(const char *text, enum mfa_template_kind kind, const char *user_data, enum mfa_status expected)
{
    json_t *values = object(user_data);
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456", .code_in_values = true};
    struct mfa_buffer out;
    const enum mfa_status status = render_with(text, kind, &variables, &out);

    if (status != expected)
        fail_msg("%s with %s: %d", text, user_data, status);
    mfa_buffer_clear(&out);
    json_decref(values);
}

/* --- The documented examples ----------------------------------------------------------------------------------- */

static void the_single_example_renders_to_the_letter(void **state)
{
    (void)state;
    check("https://api.smsmode.com/http/1.6/"
          "sendSMS.do?accessToken=your-api-key&message={{ message }}&emetteur=Pryv%20Lab&numero={{ number }}",
          MFA_TEMPLATE_URL,
          "{\"number\": \"41791231212\", \"message\": \"Your%20Pryv%20Lab%20MFA%20code%20is%3A%20{{ code }}\"}",
          "https://api.smsmode.com/http/1.6/sendSMS.do?accessToken=your-api-key&message="
          "Your%20Pryv%20Lab%20MFA%20code%20is%3A%20123456&emetteur=Pryv%20Lab&numero=41791231212");
}

static void the_challenge_verify_examples_render_to_the_letter(void **state)
{
    (void)state;
    check("https://api.smsapi.com/mfa/codes", MFA_TEMPLATE_URL, "{}", "https://api.smsapi.com/mfa/codes");
    check("{\"phone_number\":\"{{ number }}\"}", MFA_TEMPLATE_JSON, "{\"number\": \"41791231212\"}",
          "{\"phone_number\":\"41791231212\"}");
    check("{\"phone_number\":\"{{ number }}\",\"code\":\"{{ code }}\"}", MFA_TEMPLATE_JSON,
          "{\"number\": \"41791231212\"}", "{\"phone_number\":\"41791231212\",\"code\":\"123456\"}");
    check("Bearer: your-api-key", MFA_TEMPLATE_HEADER, "{}", "Bearer: your-api-key");
}

static void the_endpoint_shape_example_renders_to_the_letter(void **state)
{
    static const char user_data[] = "{\"language\": \"en\", \"phone\": \"41791231212\"}";

    (void)state;
    check("https://api.smsapi.com/mfa/codes?language={{ language }}", MFA_TEMPLATE_URL, user_data,
          "https://api.smsapi.com/mfa/codes?language=en");
    check("{\"phone\":\"{{ phone }}\"}", MFA_TEMPLATE_JSON, user_data, "{\"phone\":\"41791231212\"}");
}

/* --- Placeholders ---------------------------------------------------------------------------------------------- */

static void blanks_inside_the_braces_mean_nothing(void **state)
{
    (void)state;
    check("{{a}}{{ a }}{{  a\t}}{{a }}", MFA_TEMPLATE_PLAIN, "{\"a\": \"x\"}", "xxxx");
}

static void names_are_those_of_user_data(void **state)
{
    char longest[] = "{{ n234567890123456789012345678901234567890123456789012345678901234 }}";
    char too_long[] = "{{ n2345678901234567890123456789012345678901234567890123456789012345 }}";

    (void)state;
    check("{{ _a.b-C9 }}", MFA_TEMPLATE_PLAIN, "{\"_a.b-C9\": \"x\"}", "x");
    check(longest, MFA_TEMPLATE_PLAIN, "{\"n234567890123456789012345678901234567890123456789012345678901234\": \"x\"}",
          "x");
    check_syntax(too_long, MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{ 9a }}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{ -a }}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{ .a }}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{ ~a }}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{ }}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{}}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{{ a }}}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{\na }}", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("{{ \xc3\xa9 }}", MFA_TEMPLATE_PLAIN, "name");
}

static void an_opening_without_its_end_is_a_mistake(void **state)
{
    (void)state;
    check_syntax("text {{", MFA_TEMPLATE_PLAIN, "name");
    check_syntax("text {{ a", MFA_TEMPLATE_PLAIN, "}}");
    check_syntax("text {{ a }", MFA_TEMPLATE_PLAIN, "}}");
    check_syntax("text {{ a } }", MFA_TEMPLATE_PLAIN, "}}");
    check_syntax("text {{ a b }}", MFA_TEMPLATE_PLAIN, "}}");
    check_syntax("{{ a }} {{ b", MFA_TEMPLATE_PLAIN, "}}");
}

static void an_unknown_filter_is_a_mistake(void **state)
{
    (void)state;
    check_syntax("{{ phone | digit }}", MFA_TEMPLATE_PLAIN, "unknown filter");
    check_syntax("{{ phone | }}", MFA_TEMPLATE_PLAIN, "unknown filter");
    check_syntax("{{ phone | digits", MFA_TEMPLATE_PLAIN, "without \"}}\"");
    check_syntax("{{ phone | raw | digits }}", MFA_TEMPLATE_PLAIN, "must come last");
    check_syntax("{{ a|lower|lower|lower|lower|lower }}", MFA_TEMPLATE_PLAIN, "more than four");
}

static void filters_change_the_value(void **state)
{
    (void)state;
    check("{{ p | digits }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"+41 (0)79-123\"}", "41079123");
    check("{{ p|digits }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"%2B41%2079\"}", "4179");
    check("{{ p | digits }}", MFA_TEMPLATE_PLAIN, "{\"p\": 41791231212}", "41791231212");
    check_status("{{ p | digits }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"none\"}", MFA_ERR_REFUSED);
    check_status("{{ p | digits }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"41791231212@a\"}", MFA_ERR_REFUSED);
    check_status("{{ p | e164 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"41791231212%40a\"}", MFA_ERR_REFUSED);
    check("{{ p | e164 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"0041 79 123 12 12\"}", "+41791231212");
    check("{{ p | e164 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"41791231212\"}", "+41791231212");
    check_status("{{ p | e164 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"079 123 12 12\"}", MFA_ERR_REFUSED);
    check_status("{{ p | e164 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"1234567890123456\"}", MFA_ERR_REFUSED);
    check_status("{{ p | e164 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"+\"}", MFA_ERR_REFUSED);
    check("{{ p | lower }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"Ada@EXAMPLE.org\"}", "ada@example.org");
    check("{{ p | base64 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"ab:c\"}", "YWI6Yw==");
    check("{{ p | lower | base64 }}", MFA_TEMPLATE_PLAIN, "{\"p\": \"A\"}", "YQ==");
}

static void a_long_value_is_base64_in_one_piece(void **state)
{
    (void)state;
    check("{{ p | base64 }}", MFA_TEMPLATE_PLAIN,
          "{\"p\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
          "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=");
}

/* A form's field may hold JSON, a JSON string XML: both encodings apply. */
static void what_a_filter_leaves_is_encoded_for_its_place(void **state)
{
    (void)state;
    check("p={{ p | json }}", MFA_TEMPLATE_FORM, "{\"p\": \"a\\\"b\"}", "p=a%5C%22b");
    check("{\"p\":\"<a>{{ p | xml }}</a>\"}", MFA_TEMPLATE_JSON, "{\"p\": \"\\\"<\"}", "{\"p\":\"<a>&quot;&lt;</a>\"}");
    check("https://h/?p={{ p | e164 }}", MFA_TEMPLATE_URL, "{\"p\": \"41791231212\"}", "https://h/?p=%2B41791231212");
    check_status("{{ p | base64 | raw }}", MFA_TEMPLATE_HEADER, "{\"p\": \"\"}", MFA_OK);
}

static void the_encoding_of_the_place_is_applied_once(void **state)
{
    (void)state;
    check("{\"p\":\"{{ p | json }}\"}", MFA_TEMPLATE_JSON, "{\"p\": \"\\\"\"}", "{\"p\":\"\\\"\"}");
    check("<a>{{ p | xml }}</a>", MFA_TEMPLATE_XML, "{\"p\": \"&\"}", "<a>&amp;</a>");
    check("p={{ p | urlencode }}", MFA_TEMPLATE_FORM, "{\"p\": \"a b%\"}", "p=a%20b%25");
}

static void json_makes_a_string_where_json_has_a_value(void **state)
{
    (void)state;
    check("{\"p\":{{ p | json }}}", MFA_TEMPLATE_JSON, "{\"p\": \"0123\"}", "{\"p\":\"0123\"}");
    check("{\"p\":{{ code | json }}}", MFA_TEMPLATE_JSON, "{}", "{\"p\":\"123456\"}");
}

static void a_code_cannot_be_a_json_number(void **state)
{
    (void)state;
    check_syntax("{\"pin\": {{ code }}}", MFA_TEMPLATE_JSON, "put quotes around it");
    check_syntax("[{{ code | digits }}]", MFA_TEMPLATE_JSON, "put quotes around it");
}

static void raw_is_as_it_is_but_ends_no_request(void **state)
{
    (void)state;
    check("p={{ p | raw }}", MFA_TEMPLATE_FORM, "{\"p\": \"a&b=c\"}", "p=a&b=c");
    check("https://h/a?{{ p | raw }}", MFA_TEMPLATE_URL, "{\"p\": \"x=1&y=2\"}", "https://h/a?x=1&y=2");
    check_status("https://h/{{ p | raw }}", MFA_TEMPLATE_URL, "{\"p\": \"a b\"}", MFA_ERR_REFUSED);
    check_status("https://h/{{ p | raw }}", MFA_TEMPLATE_URL, "{\"p\": \"a/../b\"}", MFA_ERR_REFUSED);
    check_status("{{ p | raw }}", MFA_TEMPLATE_HEADER, "{\"p\": \"a\\r\\nb: c\"}", MFA_ERR_REFUSED);
}

static void a_value_in_a_pointer_is_one_token(void **state)
{
    (void)state;
    check("/a/{{ p }}/b", MFA_TEMPLATE_POINTER, "{\"p\": \"x/y~z\"}", "/a/x~1y~0z/b");
}

static void single_braces_and_closing_ones_are_text(void **state)
{
    (void)state;
    check("{ } }} }{ {", MFA_TEMPLATE_PLAIN, "{}", "{ } }} }{ {");
    check("{\"a\":{\"b\":\"{{ n }}\"}}", MFA_TEMPLATE_JSON, "{\"n\": \"x\"}", "{\"a\":{\"b\":\"x\"}}");
    check("{\"a\":{{ n }}}", MFA_TEMPLATE_JSON, "{\"n\": 5}", "{\"a\":5}");
    check("[18446744073709551616,{{ n }}]", MFA_TEMPLATE_JSON, "{\"n\": 5}", "[18446744073709551616,5]");
    check("{\"a\":{\"b\":{{ n }}}}", MFA_TEMPLATE_JSON, "{\"n\": 5}", "{\"a\":{\"b\":5}}");
}

static void text_around_and_between_placeholders_stays(void **state)
{
    (void)state;
    check("", MFA_TEMPLATE_PLAIN, "{}", "");
    check("a\n\tb", MFA_TEMPLATE_PLAIN, "{}", "a\n\tb");
    check("<{{ a }}-{{ b }}>", MFA_TEMPLATE_PLAIN, "{\"a\": \"1\", \"b\": \"2\"}", "<1-2>");
    check("a={{ a }}&b=x+y%20z", MFA_TEMPLATE_FORM, "{\"a\": \"1 2\"}", "a=1%202&b=x+y%20z");
}

static void variables_are_named_in_order(void **state)
{
    struct mfa_template *tmpl = parse("a {{ b }} c {{ code }}{{ b }} d", MFA_TEMPLATE_PLAIN);

    (void)state;
    assert_string_equal(mfa_template_variable(tmpl, 0), "b");
    assert_string_equal(mfa_template_variable(tmpl, 1), "code");
    assert_string_equal(mfa_template_variable(tmpl, 2), "b");
    assert_null(mfa_template_variable(tmpl, 3));
    assert_null(mfa_template_variable(tmpl, 100));
    mfa_template_free(tmpl);
    mfa_template_free(NULL);
}

/* --- Values ---------------------------------------------------------------------------------------------------- */

static void numbers_and_booleans_are_their_json_text(void **state)
{
    static const char values[] = "{\"i\": -42, \"big\": 41791231212345, \"r\": 0.1, \"t\": true, \"f\": false}";

    (void)state;
    check("{{ i }} {{ big }} {{ r }} {{ t }} {{ f }}", MFA_TEMPLATE_PLAIN, values, "-42 41791231212345 0.1 true false");
    check("{\"i\": {{ i }}, \"r\": {{ r }}, \"t\": {{ t }}, \"s\": \"{{ f }}\"}", MFA_TEMPLATE_JSON, values,
          "{\"i\": -42, \"r\": 0.1, \"t\": true, \"s\": \"false\"}");
    check("http://h/{{ i }}?r={{ r }}", MFA_TEMPLATE_URL, values, "http://h/-42?r=0.1");
    check("{{ e }}", MFA_TEMPLATE_FORM, "{\"e\": 1e300}", "1e300");
}

static void what_user_data_cannot_hold_is_refused(void **state)
{
    (void)state;
    check_status("{{ a }}", MFA_TEMPLATE_PLAIN, "{\"a\": null}", MFA_ERR_REFUSED);
    check_status("{{ a }}", MFA_TEMPLATE_PLAIN, "{\"a\": []}", MFA_ERR_REFUSED);
    check_status("{\"x\": {{ a }}}", MFA_TEMPLATE_JSON, "{\"a\": {\"b\": 1}}", MFA_ERR_REFUSED);
}

static void a_missing_variable_is_not_found(void **state)
{
    const struct mfa_variables none = {.user_data = NULL};
    struct mfa_buffer out;

    (void)state;
    check_status("{{ a }}", MFA_TEMPLATE_PLAIN, "{\"A\": \"x\"}", MFA_ERR_NOT_FOUND);
    assert_int_equal(render_with("{{ a }}", MFA_TEMPLATE_PLAIN, &none, &out), MFA_ERR_NOT_FOUND);
    mfa_buffer_clear(&out);
}

static void code_never_comes_from_user_data(void **state)
{
    json_t *values = object("{\"code\": \"999999\", \"m\": \"{{ code }}\"}");
    struct mfa_variables variables = {.user_data = values};
    struct mfa_buffer out;

    (void)state;
    assert_int_equal(render_with("{{ code }}", MFA_TEMPLATE_PLAIN, &variables, &out), MFA_ERR_NOT_FOUND);
    mfa_buffer_clear(&out);
    variables.code_in_values = true;
    assert_int_equal(render_with("{{ m }}", MFA_TEMPLATE_PLAIN, &variables, &out), MFA_ERR_NOT_FOUND);
    mfa_buffer_clear(&out);
    check("{{ code }}", MFA_TEMPLATE_PLAIN, "{\"code\": \"999999\"}", "123456");
    json_decref(values);
}

static void code_inside_a_value_is_replaced_wherever_it_stands(void **state)
{
    (void)state;
    check("{{ m }}", MFA_TEMPLATE_PLAIN, "{\"m\": \"{{code}}\"}", "123456");
    check("{{ m }}", MFA_TEMPLATE_PLAIN, "{\"m\": \"a {{ code }} b {{code}}{{  code }}\"}", "a 123456 b 123456123456");
    check("{{ m }}", MFA_TEMPLATE_PLAIN, "{\"m\": \"{{{ code }}}\"}", "{123456}");
    check("{{ m }}", MFA_TEMPLATE_PLAIN, "{\"m\": \"{{ {{ code }} }}\"}", "{{ 123456 }}");
}

static void code_inside_a_long_value_is_replaced_too(void **state)
{
    char values[4096], expected[4096], text[2001];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    snprintf(values, sizeof values, "{\"m\": \"{{ code }}%s{{ code }}\"}", text);
    snprintf(expected, sizeof expected, "123456%s123456", text);
    check("{{ m }}", MFA_TEMPLATE_PLAIN, values, expected);
}

static void nothing_else_inside_a_value_is_replaced(void **state)
{
    static const char values[] = "{\"n\": \"1\", \"m\": \"{{ n }} {{ m }} {{ Code }} {{ code | raw }} {{ code } {{\"}";

    (void)state;
    check("{{ m }}", MFA_TEMPLATE_PLAIN, values, "{{ n }} {{ m }} {{ Code }} {{ code | raw }} {{ code } {{");
    check("{{ m }}", MFA_TEMPLATE_FORM, "{\"m\": \"{{ n }}\"}", "%7B%7B%20n%20%7D%7D");
}

static void code_inside_a_value_stays_text_outside_single_mode(void **state)
{
    json_t *values = object("{\"m\": \"{{ code }}\"}");
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456", .code_in_values = false};
    struct mfa_buffer out;

    (void)state;
    assert_int_equal(render_with("{{ m }}/{{ code }}", MFA_TEMPLATE_PLAIN, &variables, &out), MFA_OK);
    assert_string_equal(out.data, "{{ code }}/123456");
    mfa_buffer_clear(&out);
    json_decref(values);
}

static void a_code_is_never_looked_into(void **state)
{
    json_t *values = object("{\"m\": \"<{{ code }}>\"}");
    const struct mfa_variables variables = {.user_data = values, .code_secret = "{{ code }}", .code_in_values = true};
    struct mfa_buffer out;

    (void)state;
    assert_int_equal(render_with("{{ m }}{{ code }}", MFA_TEMPLATE_PLAIN, &variables, &out), MFA_OK);
    assert_string_equal(out.data, "<{{ code }}>{{ code }}");
    mfa_buffer_clear(&out);
    json_decref(values);
}

/* A percent sign before the code begins no escape with it. */
static void a_value_with_the_code_is_encoded(void **state)
{
    (void)state;
    check("{{ m }}", MFA_TEMPLATE_FORM, "{\"m\": \"%{{ code }} {{ code }}%20\"}", "%25123456%20123456%20");
    check("https://h/{{ m }}", MFA_TEMPLATE_URL, "{\"m\": \"{{ code }}%\"}", "https://h/123456%25");
    check("https://h/?{{ m | lower }}", MFA_TEMPLATE_URL, "{\"m\": \"A%{{ code }}\"}", "https://h/?a%25123456");
    check("{{ m | urlencode }}", MFA_TEMPLATE_PLAIN, "{\"m\": \"%{{ code }}\"}", "%25123456");
    check("{{ m | digits }}", MFA_TEMPLATE_FORM, "{\"m\": \"a {{ code }}\"}", "123456");
    check("{{ m | base64 }}", MFA_TEMPLATE_PLAIN, "{\"m\": \"a{{ code }}\"}", "YTEyMzQ1Ng==");
    check("[{{ m }}]", MFA_TEMPLATE_JSON, "{\"m\": \"{\\\"c\\\":\\\"{{ code }}\\\"}\"}", "[{\"c\":\"123456\"}]");
    check("[{{ m | json }}]", MFA_TEMPLATE_JSON, "{\"m\": \"\\\"{{ code }}\"}", "[\"\\\"123456\"]");
    check("[{{ m }}]", MFA_TEMPLATE_JSON, "{\"m\": \"{{ code }}\"}", "[123456]");
    check("[\"{{ m }}\"]", MFA_TEMPLATE_JSON, "{\"m\": \"\\\"{{ code }}\\\"\"}", "[\"\\\"123456\\\"\"]");
    check("<m>{{ m }}</m>", MFA_TEMPLATE_XML, "{\"m\": \"<{{ code }}>\"}", "<m>&lt;123456&gt;</m>");
}

static void rendering_appends_and_stops_at_the_cap(void **state)
{
    json_t *values = object("{\"a\": \"12345\"}");
    const struct mfa_variables variables = {.user_data = values};
    struct mfa_template *tmpl = parse("https://h/{{ a }}?x", MFA_TEMPLATE_URL);
    struct mfa_buffer out;

    (void)state;
    mfa_buffer_init(&out, 31);
    assert_int_equal(mfa_buffer_append_text(&out, "0123456789/../"), MFA_OK);
    assert_int_equal(mfa_template_render(tmpl, &variables, &out), MFA_OK);
    assert_string_equal(out.data, "0123456789/../https://h/12345?x");
    mfa_buffer_clear(&out);
    for (size_t max_len = 0; max_len < 17; max_len++) {
        mfa_buffer_init(&out, max_len);
        assert_int_equal(mfa_template_render(tmpl, &variables, &out), MFA_ERR_TOO_LARGE);
        mfa_buffer_clear(&out);
    }
    mfa_template_free(tmpl);
    json_decref(values);
}

/* --- URL ------------------------------------------------------------------------------------------------------- */

static void user_data_cannot_choose_the_host(void **state)
{
    static const char *const urls[] = {
        "{{ scheme }}://h/",      "https://{{ host }}/x",   "https://h{{ x }}",         "https://h.{{ tld }}/",
        "https://h:{{ port }}/x", "https://{{ user }}@h/x", "https://h:80{{ port }}?x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        check_syntax(urls[i], MFA_TEMPLATE_URL, i == 0 ? "http://" : "before the path");
    check("https://h/{{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"y\"}", "https://h/y");
    check("https://h?{{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"y\"}", "https://h?y");
}

static void only_http_urls_with_a_host_are_accepted(void **state)
{
    (void)state;
    check_syntax("", MFA_TEMPLATE_URL, "http://");
    check_syntax("example.com/x", MFA_TEMPLATE_URL, "http://");
    check_syntax("file:///x", MFA_TEMPLATE_URL, "http://");
    check_syntax("https://", MFA_TEMPLATE_URL, "host");
    check_syntax("https:///x", MFA_TEMPLATE_URL, "host");
    check_syntax("https://h:99999/x", MFA_TEMPLATE_URL, "port");
    check("HTTPS://user:secret@h:8443/x", MFA_TEMPLATE_URL, "{}", "HTTPS://user:secret@h:8443/x");
}

static void literal_urls_hold_neither_blanks_nor_fragments(void **state)
{
    (void)state;
    check_syntax("https://h/a b", MFA_TEMPLATE_URL, "%20");
    check_syntax("https://h/?a=b c", MFA_TEMPLATE_URL, "%20");
    check_syntax("https://h/a\r\nX: 1", MFA_TEMPLATE_URL, "%20");
    check_syntax("https://h/{{ a }} ", MFA_TEMPLATE_URL, "%20");
    check_syntax("https://h/a#b", MFA_TEMPLATE_URL, "fragment");
    check_syntax("https://h#b", MFA_TEMPLATE_URL, "fragment");
    check_syntax("https://h/?a={{ a }}#b", MFA_TEMPLATE_URL, "fragment");
}

static void dot_segments_in_the_template_are_refused(void **state)
{
    (void)state;
    check_syntax("https://h/a/../b", MFA_TEMPLATE_URL, "segment");
    check_syntax("https://h/./{{ x }}", MFA_TEMPLATE_URL, "segment");
    check_syntax("https://h/%2e%2e/{{ x }}", MFA_TEMPLATE_URL, "segment");
    check("https://h/a?b=/../{{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"..\"}", "https://h/a?b=/../..");
}

static void values_cannot_make_dot_segments(void **state)
{
    static const char *const values[] = {".",          "..",         "%2e",      "%2E%2e",       ".%2e",
                                         "../x",       "a/..",       "a%2f..",   "a%2F./b",      "a\\..\\b",
                                         "a%5c%2e%2e", "%252e%252e", "a%252f..", "{{ code }}/.."};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        json_t *user_data = json_pack("{s:s}", "x", values[i]);
        char *text = json_dumps(user_data, 0);

        check_status("https://h/v1/{{ x }}/send", MFA_TEMPLATE_URL, text, MFA_ERR_REFUSED);
        check_status("https://h/v1/{{ x }}?q", MFA_TEMPLATE_URL, text, MFA_ERR_REFUSED);
        check_status("https://h/v1/send?q={{ x }}", MFA_TEMPLATE_URL, text, MFA_OK);
        free(text);
        json_decref(user_data);
    }
    check_status("https://h/{{ x }}{{ y }}", MFA_TEMPLATE_URL, "{\"x\": \".\", \"y\": \".\"}", MFA_ERR_REFUSED);
    check_status("https://h/.{{ x }}", MFA_TEMPLATE_URL, "{\"x\": \".\"}", MFA_ERR_REFUSED);
    check_status("https://h/%2{{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"e\"}", MFA_ERR_REFUSED);
    check("https://h/v1/{{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"...a..\"}", "https://h/v1/...a..");
}

static void an_empty_value_cannot_take_a_segment_away(void **state)
{
    (void)state;
    check_status("https://h/v1/{{ x }}/send", MFA_TEMPLATE_URL, "{\"x\": \"\"}", MFA_ERR_REFUSED);
    check("https://h/v1/send?x={{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"\"}", "https://h/v1/send?x=");
}

static void the_first_question_mark_begins_the_query(void **state)
{
    (void)state;
    check("https://h/{{ x }}?a={{ x }}?b={{ x }}", MFA_TEMPLATE_URL, "{\"x\": \"?/#&=+ \"}",
          "https://h/%3F%2F%23%26%3D%2B%20?a=%3F%2F%23%26%3D%2B%20?b=%3F%2F%23%26%3D%2B%20");
}

/* --- JSON, headers, XML, plain --------------------------------------------------------------------------------- */

static void json_places_are_told_by_the_quotes(void **state)
{
    static const char values[] = "{\"s\": \"a\\\"b\\\\\", \"n\": \"7\", \"o\": \"{\\\"x\\\":[1]}\"}";

    (void)state;
    check("{\"{{ s }}\":\"<{{ s }}>\",\"n\":{{ n }},\"o\":{{ o }}}", MFA_TEMPLATE_JSON, values,
          "{\"a\\\"b\\\\\":\"<a\\\"b\\\\>\",\"n\":7,\"o\":{\"x\":[1]}}");
    check("[\"\\\"{{ n }}\\\\\", {{ n }}, \"{{ n }}\"]", MFA_TEMPLATE_JSON, values, "[\"\\\"7\\\\\", 7, \"7\"]");
    check("{{ o }}", MFA_TEMPLATE_JSON, values, "{\"x\":[1]}");
    check_status("[{{ s }}]", MFA_TEMPLATE_JSON, values, MFA_ERR_REFUSED);
    check_status("[{{ s }}]", MFA_TEMPLATE_JSON, "{\"s\": \"1,2\"}", MFA_ERR_REFUSED);
    check_status("[{{ s }}]", MFA_TEMPLATE_JSON, "{\"s\": \"\"}", MFA_ERR_REFUSED);
}

static void a_json_template_is_json_whatever_the_values(void **state)
{
    static const char *const texts[] = {
        "{\"a\":\"{{ x }}\"",
        "{\"a\":\"{{ x }}\"}}",
        "[Acme] Your code is {{ code }}",
        "{\"a\":{{ x }}{{ y }}}",
        "{\"a\":1{{ x }}}",
        "{\"a\":-{{ x }}}",
        "{{{ x }}:1}",
        "[\"\\{{ x }}\"]",
        "[\"\\u00{{ x }}\"]",
        "{ {{ x }}: 1}",
        "[\"a\nb\"]",
        "{'a':'{{ x }}'}",
        "[\"\\{{ x }}\",\"b\"]",
        "[\"\\{{ x }}\", \"]",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_syntax(texts[i], MFA_TEMPLATE_JSON, i == 6 ? "name" : "JSON");
}

static void header_values_stay_one_line(void **state)
{
    (void)state;
    check("Bearer {{ t }}", MFA_TEMPLATE_HEADER, "{\"t\": \"a b~\"}", "Bearer a b~");
    check_status("{{ t }}", MFA_TEMPLATE_HEADER, "{\"t\": \"x\\r\\nX-Evil: 1\"}", MFA_ERR_REFUSED);
    check_status("{{ t }}", MFA_TEMPLATE_HEADER, "{\"t\": \"\\u00e9\"}", MFA_ERR_REFUSED);
    check_status("{{ t }}", MFA_TEMPLATE_HEADER, "{\"t\": \"a\\u0000\"}", MFA_ERR_REFUSED);
    check_syntax("a\r\nX-Evil: 1", MFA_TEMPLATE_HEADER, "ASCII");
    check_syntax("{{ t }}\n", MFA_TEMPLATE_HEADER, "ASCII");
    check_syntax("\xc3\xa9", MFA_TEMPLATE_HEADER, "ASCII");
    check_syntax("\x7f", MFA_TEMPLATE_HEADER, "ASCII");
}

static void xml_and_plain_bodies_keep_their_structure(void **state)
{
    (void)state;
    check("<a b=\"{{ x }}\">{{ x }}</a>", MFA_TEMPLATE_XML, "{\"x\": \"</a>\\\"'&\"}",
          "<a b=\"&lt;/a&gt;&quot;&apos;&amp;\">&lt;/a&gt;&quot;&apos;&amp;</a>");
    check_status("<a>{{ x }}</a>", MFA_TEMPLATE_XML, "{\"x\": \"\\u0000\"}", MFA_ERR_REFUSED);
    check("to {{ x }}\r\nend", MFA_TEMPLATE_PLAIN, "{\"x\": \"<\\\"&\"}", "to <\"&\r\nend");
    check_status("{{ x }}", MFA_TEMPLATE_PLAIN, "{\"x\": \"a\\nb\"}", MFA_ERR_REFUSED);
}

/* --- Hostile values -------------------------------------------------------------------------------------------- */

/* Renders a template with `value` in every variable. Returns the text, or NULL when it was refused. */
static char *render_hostile(const char *text, enum mfa_template_kind kind, const char *value)
{
    json_t *values = json_pack("{s:s}", "v", value);
    const struct mfa_variables variables = {.user_data = values, .code_secret = "123456", .code_in_values = true};
    struct mfa_buffer out;
    const enum mfa_status status = render_with(text, kind, &variables, &out);
    char *rendered = status == MFA_OK ? strdup(out.data) : NULL;

    assert_true(status == MFA_OK || status == MFA_ERR_REFUSED);
    mfa_buffer_clear(&out);
    json_decref(values);
    return rendered;
}

static size_t count(const char *text, const char *characters)
{
    size_t found = 0;

    for (; *text != '\0'; text++)
        found += strchr(characters, *text) != NULL;
    return found;
}

static void check_url_structure(const char *value)
{
    static const char url[] = "https://host.example/v1/{{ v }}/send?to={{ v }}&text=x{{ v }}&{{ v }}=1";
    char *rendered = render_hostile(url, MFA_TEMPLATE_URL, value);

    if (rendered == NULL)
        return;
    assert_memory_equal(rendered, "https://host.example/v1/", 24);
    assert_int_equal(count(rendered, "/"), count(url, "/"));
    assert_int_equal(count(rendered, "?"), 1);
    assert_int_equal(count(rendered, "&"), 2);
    assert_int_equal(count(rendered, "="), 3);
    assert_int_equal(count(rendered, " #+\\\"<>@\r\n"), 0);
    assert_non_null(strstr(rendered, "/send?to="));
    assert_non_null(strstr(rendered, "&text=x"));
    free(rendered);
}

static void check_form_structure(const char *value)
{
    char *rendered = render_hostile("To={{ v }}&From=x&Body={{ v }}", MFA_TEMPLATE_FORM, value);

    assert_non_null(rendered);
    assert_int_equal(count(rendered, "&"), 2);
    assert_int_equal(count(rendered, "="), 3);
    assert_int_equal(count(rendered, " +"), 0);
    free(rendered);
}

static void check_json_structure(const char *value)
{
    char *rendered = render_hostile("{\"to\":\"{{ v }}\",\"list\":[\"{{ v }}\"]}", MFA_TEMPLATE_JSON, value);
    json_t *parsed = NULL;
    const char *to;

    assert_non_null(rendered);
    parsed = json_loads(rendered, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_object_size(parsed), 2);
    to = json_string_value(json_object_get(parsed, "to"));
    assert_string_equal(to, strcmp(value, "{{ code }}") == 0 ? "123456" : value);
    assert_int_equal(json_array_size(json_object_get(parsed, "list")), 1);
    json_decref(parsed);
    free(rendered);
    rendered = render_hostile("{\"to\":{{ v }}}", MFA_TEMPLATE_JSON, value);
    if (rendered != NULL)
        assert_string_equal(rendered, "{\"to\":123456}");
    free(rendered);
}

static void check_line_structure(const char *value)
{
    char *header = render_hostile("Bearer {{ v }}", MFA_TEMPLATE_HEADER, value);
    char *xml = render_hostile("<string a=\"{{ v }}\">{{ v }}</string>", MFA_TEMPLATE_XML, value);
    char *plain = render_hostile("to: {{ v }}\nend", MFA_TEMPLATE_PLAIN, value);

    if (header != NULL)
        assert_int_equal(count(header, "\r\n"), 0);
    if (xml != NULL) {
        assert_int_equal(count(xml, "<>"), 4);
        assert_int_equal(count(xml, "\""), 2);
    }
    if (plain != NULL)
        assert_int_equal(count(plain, "\r\n"), 1);
    free(header);
    free(xml);
    free(plain);
}

static void hostile_values_change_no_structure(void **state)
{
    json_t *attacks = json_load_file(ATTACKS, JSON_ALLOW_NUL, NULL);
    json_t *values = json_object_get(attacks, "value");
    size_t i;
    json_t *value;

    (void)state;
    assert_true(json_array_size(values) > 10);
    json_array_foreach(values, i, value)
    {
        check_url_structure(json_string_value(value));
        check_form_structure(json_string_value(value));
        check_json_structure(json_string_value(value));
        check_line_structure(json_string_value(value));
    }
    json_decref(attacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_single_example_renders_to_the_letter),
        cmocka_unit_test(the_challenge_verify_examples_render_to_the_letter),
        cmocka_unit_test(the_endpoint_shape_example_renders_to_the_letter),
        cmocka_unit_test(blanks_inside_the_braces_mean_nothing),
        cmocka_unit_test(names_are_those_of_user_data),
        cmocka_unit_test(an_opening_without_its_end_is_a_mistake),
        cmocka_unit_test(an_unknown_filter_is_a_mistake),
        cmocka_unit_test(filters_change_the_value),
        cmocka_unit_test(a_long_value_is_base64_in_one_piece),
        cmocka_unit_test(what_a_filter_leaves_is_encoded_for_its_place),
        cmocka_unit_test(the_encoding_of_the_place_is_applied_once),
        cmocka_unit_test(json_makes_a_string_where_json_has_a_value),
        cmocka_unit_test(a_code_cannot_be_a_json_number),
        cmocka_unit_test(raw_is_as_it_is_but_ends_no_request),
        cmocka_unit_test(a_value_in_a_pointer_is_one_token),
        cmocka_unit_test(single_braces_and_closing_ones_are_text),
        cmocka_unit_test(text_around_and_between_placeholders_stays),
        cmocka_unit_test(variables_are_named_in_order),
        cmocka_unit_test(numbers_and_booleans_are_their_json_text),
        cmocka_unit_test(what_user_data_cannot_hold_is_refused),
        cmocka_unit_test(a_missing_variable_is_not_found),
        cmocka_unit_test(code_never_comes_from_user_data),
        cmocka_unit_test(code_inside_a_value_is_replaced_wherever_it_stands),
        cmocka_unit_test(code_inside_a_long_value_is_replaced_too),
        cmocka_unit_test(nothing_else_inside_a_value_is_replaced),
        cmocka_unit_test(code_inside_a_value_stays_text_outside_single_mode),
        cmocka_unit_test(a_code_is_never_looked_into),
        cmocka_unit_test(a_value_with_the_code_is_encoded),
        cmocka_unit_test(rendering_appends_and_stops_at_the_cap),
        cmocka_unit_test(user_data_cannot_choose_the_host),
        cmocka_unit_test(only_http_urls_with_a_host_are_accepted),
        cmocka_unit_test(literal_urls_hold_neither_blanks_nor_fragments),
        cmocka_unit_test(dot_segments_in_the_template_are_refused),
        cmocka_unit_test(values_cannot_make_dot_segments),
        cmocka_unit_test(an_empty_value_cannot_take_a_segment_away),
        cmocka_unit_test(the_first_question_mark_begins_the_query),
        cmocka_unit_test(json_places_are_told_by_the_quotes),
        cmocka_unit_test(a_json_template_is_json_whatever_the_values),
        cmocka_unit_test(header_values_stay_one_line),
        cmocka_unit_test(xml_and_plain_bodies_keep_their_structure),
        cmocka_unit_test(hostile_values_change_no_structure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
