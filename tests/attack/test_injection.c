/* SPDX-License-Identifier: Apache-2.0
 *
 * User data that try to be more than a value, in every place of a request: none changes the request's structure, or it is
 * not sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack.h"

/* Whether the request's structure is what the operator wrote. */
typedef bool check_fn(const struct gateway_request *request);

static size_t count_char(const char *text, char c)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == c;
    return count;
}

static bool is_framed(const char *text, const char *before, const char *after)
{
    size_t len = strlen(text);
    size_t before_len = strlen(before);
    size_t after_len = strlen(after);
    return len >= before_len + after_len && strncmp(text, before, before_len) == 0 &&
           strcmp(text + len - after_len, after) == 0;
}

static bool path_holds(const struct gateway_request *request)
{
    return is_framed(request->raw_url, "/a/", "/b") && count_char(request->raw_url, '/') == 3 &&
           !strpbrk(request->raw_url, "?#") && !strstr(request->path, "/../") && !strstr(request->path, "/./");
}

static bool query_holds(const struct gateway_request *request)
{
    return is_framed(request->raw_url, "/a?one=", "&two=2") && count_char(request->raw_url, '?') == 1 &&
           count_char(request->raw_url, '&') == 1 && count_char(request->raw_url, '=') == 2 &&
           json_object_size(request->query) == 2;
}

static bool form_holds(const struct gateway_request *request)
{
    return is_framed(request->body, "one=", "&two=2") && count_char(request->body, '&') == 1 &&
           count_char(request->body, '=') == 2 && !strpbrk(request->body, ";\r\n+ ");
}

static bool json_holds(const struct gateway_request *request)
{
    json_t *body = json_loadb(request->body, request->body_len, JSON_REJECT_DUPLICATES, NULL);
    bool holds = json_object_size(body) == 2 && json_object_get(body, "one") &&
                 json_integer_value(json_object_get(body, "two")) == 2;
    json_decref(body);
    return holds;
}

static bool json_string_holds(const struct gateway_request *request)
{
    json_t *body = json_loadb(request->body, request->body_len, JSON_REJECT_DUPLICATES, NULL);
    bool is_string = json_is_string(json_object_get(body, "one"));
    json_decref(body);
    return is_string && json_holds(request);
}

static bool xml_holds(const struct gateway_request *request)
{
    for (const char *at = strchr(request->body, '&'); at; at = strchr(at + 1, '&'))
        if (at[1 + strcspn(at + 1, " &;<\"")] != ';')
            return false;
    return is_framed(request->body, "<a one=\"", "\"><two>2</two></a>") && count_char(request->body, '<') == 4 &&
           count_char(request->body, '>') == 4 && count_char(request->body, '"') == 2;
}

static bool header_holds(const struct gateway_request *request)
{
    static const char *const known[] = {"host", "user-agent", "accept", "x-one", "x-two"};
    for (size_t i = 0; i < LIST_LEN(known); i++)
        if (!json_object_get(request->headers, known[i]))
            return false;
    return json_object_size(request->headers) == LIST_LEN(known) &&
           strcmp(json_string_value(json_object_get(request->headers, "x-two")), "2") == 0;
}

static bool plain_holds(const struct gateway_request *request)
{
    return is_framed(request->body, "one: ", " two: 2") && !strpbrk(request->body, "\r\n");
}

static const struct place {
    const char *name;
    const char *endpoint;
    check_fn *holds;
} places[] = {
    {"path", "{method: GET, url: 'GATEWAY/a/{{ one }}/b'}", path_holds},
    {"query", "{method: GET, url: 'GATEWAY/a?one={{ one }}&two=2'}", query_holds},
    {"form",
     "{url: 'GATEWAY/a', body: 'one={{ one }}&two=2', headers: {content-type: application/x-www-form-urlencoded}}",
     form_holds},
    {"JSON string",
     "{url: 'GATEWAY/a', body: '{\"one\":\"{{ one }}\",\"two\":2}', headers: {content-type: application/json}}",
     json_string_holds},
    {"JSON value",
     "{url: 'GATEWAY/a', body: '{\"one\":{{ one }},\"two\":2}', headers: {content-type: application/json}}",
     json_holds},
    {"XML", "{url: 'GATEWAY/a', body: '<a one=\"{{ one }}\"><two>2</two></a>', headers: {content-type: text/xml}}",
     xml_holds},
    {"header", "{method: GET, url: 'GATEWAY/a', headers: {x-one: '{{ one }}', x-two: '2'}}", header_holds},
    {"plain text", "{url: 'GATEWAY/a', body: 'one: {{ one }} two: 2', headers: {content-type: text/plain}}",
     plain_holds},
};

/* --- The values ------------------------------------------------------------------------------------------------- */

static const char *const more_values[] = {"1,\"two\":3",
                                          "1}",
                                          "1}{\"two\":3",
                                          "\"x\",\"two\":3",
                                          "{\"two\":3}",
                                          "1//",
                                          "\\",
                                          "\\u0022",
                                          "x\";}",
                                          "%0d%0aX-Evil: 1",
                                          "x%0d%0a%0d%0aGET / ",
                                          "x\nX-Evil: 1",
                                          "x\rX-Evil: 1",
                                          "x\tX-Evil: 1",
                                          "x\xc2\x85X-Evil: 1",
                                          ".",
                                          "%2e",
                                          "%2E%2E",
                                          ".%2e",
                                          "%2f..%2f",
                                          "..%2f..%2fadmin",
                                          "..\\",
                                          "%252e%252e",
                                          "x%",
                                          "%zz",
                                          "%00",
                                          "x;two=3",
                                          "x%26two=3",
                                          "' onload='x",
                                          "<!--",
                                          "<![CDATA[x]]>",
                                          "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
                                          "&x;",
                                          "&#60;two&#62;",
                                          "$(id)",
                                          "`id`",
                                          "' OR '1'='1",
                                          "http://169.254.169.254/"};

/* Begins an activation with the value. Either it is refused and nothing sent, or what is sent holds. */
static void try_value(struct stage *stage, const struct place *place, const char *token, json_t *value)
{
    size_t before = gateway_request_count(stage->gateway);
    char *shown = json_dumps(value, JSON_ENCODE_ANY);
    struct http_answer answer =
        user_mfa(stage_url(stage), "injects", "activate", token, json_pack("{s:o}", "one", value));
    size_t sent = gateway_request_count(stage->gateway) - before;
    if (answer.status == 302 && sent == 1) {
        const struct gateway_request *request = gateway_last_request(stage->gateway);
        if (!place->holds(request))
            fail_msg("%s: %s became %s %s", place->name, shown, request->raw_url, request->body);
        http_answer_clear(&answer);
    } else {
        if (sent > 0)
            fail_msg("%s: %s was refused, and sent %zu times", place->name, shown, sent);
        expect_refused(stage, "injects", answer, 400, "invalid-parameters-format");
    }
    free(shown);
}

static void A40_a_value_stays_one_value_in_every_place(void **state)
{
    (void)state;
    json_t *attacks = json_load_file("tests/data/providers/_attacks.json", JSON_ALLOW_NUL, NULL);
    const json_t *values = json_object_get(attacks, "value");
    assert_true(json_array_size(values) > 10);
    for (size_t i = 0; i < LIST_LEN(places); i++) {
        struct stage stage;
        char endpoints[256];
        snprintf(endpoints, sizeof endpoints, "single: %s", places[i].endpoint);
        stage_attacked_open(&stage, &(struct attack_settings){.endpoints = endpoints});
        char *token = stage_register(&stage, "injects");
        try_value(&stage, &places[i], token, json_string("123"));
        assert_int_equal(gateway_request_count(stage.gateway), 1); /* a harmless value is sent */
        for (size_t j = 0; j < json_array_size(values); j++)
            try_value(&stage, &places[i], token, json_incref(json_array_get(values, j)));
        for (size_t j = 0; j < LIST_LEN(more_values); j++)
            try_value(&stage, &places[i], token, json_string(more_values[j]));
        free(token);
        stage_close(&stage);
    }
    json_decref(attacks);
}

/* --- Placeholders in values --------------------------------------------------------------------------------------- */

static const char message_endpoint[] =
    "single: {url: 'GATEWAY/send?key=canary', headers: {content-type: "
    "application/json}, body: '{\"number\":\"{{ number }}\",\"message\":\"{{ message }}\"}'}";

/* `@` stands for the code. */
static const struct {
    const char *value;
    const char *sent;
} braces[] = {
    {"{{ code }}", "@"},
    {"{{code}}", "@"},
    {"{{ code }} {{ code }}", "@ @"},
    {"{{ token }}", "{{ token }}"},
    {"{{ mfaToken }} {{ password }} {{ nonce }}", "{{ mfaToken }} {{ password }} {{ nonce }}"},
    {"{{ number }}", "{{ number }}"},
    {"{{ message }}", "{{ message }}"},
    {"{{ {{ code }} }}", "{{ @ }}"},
    {"{{ co{{ code }}de }}", "{{ co@de }}"},
    {"{{ nu{{ code }}mber }}", "{{ nu@mber }}"},
    {"{{ CODE }}", "{{ CODE }}"},
    {"{{ code", "{{ code"},
    {"${code} %code% <%= code %> #{code}", "${code} %code% <%= code %> #{code}"},
    {"${env:HOME} ${file:/etc/passwd}", "${env:HOME} ${file:/etc/passwd}"},
};

static json_t *last_body(struct stage *stage)
{
    const struct gateway_request *request = gateway_last_request(stage->gateway);
    json_t *body = json_loadb(request->body, request->body_len, 0, NULL);
    assert_non_null(body);
    return body;
}

/* Compares what was sent with what was to be, and takes the digits at each `@` for the code. */
static void assert_sent(const char *sent, const char *expected)
{
    char code[GATEWAY_CODE_MAX + 1] = "";
    for (; *expected; expected++) {
        if (*expected != '@') {
            assert_int_equal(*sent++, *expected);
            continue;
        }
        assert_int_equal(strspn(sent, "0123456789"), 6);
        if (*code)
            assert_memory_equal(code, sent, 6);
        snprintf(code, sizeof code, "%.6s", sent);
        sent += 6;
    }
    assert_string_equal(sent, "");
}

static void A41_only_the_code_is_replaced_in_a_value_and_once(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.endpoints = message_endpoint});
    char *token = stage_register(&stage, "braces");
    for (size_t i = 0; i < LIST_LEN(braces); i++) {
        struct http_answer answer =
            user_mfa(stage_url(&stage), "braces", "activate", token,
                     json_pack("{s:s, s:s}", "number", USER_NUMBER, "message", braces[i].value));
        http_assert_answer(&answer, 302, NULL);
        json_t *body = last_body(&stage);
        assert_sent(json_string_value(json_object_get(body, "message")), braces[i].sent);
        assert_string_equal(json_string_value(json_object_get(body, "number")), USER_NUMBER);
        json_decref(body);
        http_answer_clear(&answer);
    }
    free(token);
    stage_close(&stage);
}

/* The service makes the code there: a value that asked for it would take what the client sends along to any field. */
static void A42_in_challenge_verify_no_value_takes_the_code_along(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.mode = "challenge-verify"});
    char *token = stage_register(&stage, "takes-along");
    json_t *asks = json_pack("{s:s}", "number", "{{ code }}");
    expect_refused(&stage, "takes-along", user_mfa(stage_url(&stage), "takes-along", "activate", token, asks), 400,
                   "invalid-parameters-format");
    assert_int_equal(gateway_request_count(stage.gateway), 0);
    free(token);
    stage_close(&stage);
}

/* Only `code` of a confirm or verify body reaches the service. */
static void A43_a_verify_body_cannot_change_the_destination(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &(struct attack_settings){.mode = "challenge-verify"});
    char *token = stage_register(&stage, "overrides");
    char *mfa_token = user_activate(stage_url(&stage), "overrides", token, NULL);
    json_t *sent = json_loads(
        "{\"code\": \"12345\", \"number\": \"999\", \"phone_number\": \"999\", \"url\": \"http://x/\"}", 0, NULL);
    http_expect(user_mfa(stage_url(&stage), "overrides", "confirm", mfa_token, sent), 200, NULL);
    json_t *body = last_body(&stage);
    assert_int_equal(json_object_size(body), 2);
    assert_string_equal(json_string_value(json_object_get(body, "phone_number")), USER_NUMBER);
    json_decref(body);
    free(mfa_token);
    free(token);
    stage_close(&stage);
}

static void A44_user_data_that_are_no_flat_values_are_refused(void **state)
{
    (void)state;
    struct stage stage;
    static const char *const bodies[] = {
        "{\"number\": {\"a\": 1}, \"message\": \"x\"}",
        "{\"number\": [\"1\"], \"message\": \"x\"}",
        "{\"number\": null, \"message\": \"x\"}",
        "{\"number\": \"\", \"message\": \"x\"}",
        "{\"message\": \"x\"}",
        "{\"number\": \"1\", \"message\": \"x\", \"code\": \"123456\"}",
        "{\"number\": \"1\", \"message\": \"x\", \"a b\": \"1\"}",
        "{\"number\": \"1\", \"message\": \"x\", \"\": \"1\"}",
        "{\"number\": \"1\", \"message\": \"x\", \"{{ code }}\": \"1\"}",
        "{\"number\": \"1\\u0000\", \"message\": \"x\"}",
        "{\"number\": \"\xed\xa0\x80\", \"message\": \"x\"}",
        "{\"number\": \"\xf4\x90\x80\x80\", \"message\": \"x\"}",
        "[]",
    };
    stage_attacked_open(&stage, &(struct attack_settings){.endpoints = message_endpoint});
    char *token = stage_register(&stage, "flatonly");
    for (size_t i = 0; i < LIST_LEN(bodies); i++)
        expect_refused(&stage, "flatonly",
                       post_raw(&stage, "/flatonly/mfa/activate", token, bodies[i], strlen(bodies[i])), 400, NULL);
    json_t *many = json_loads(USER_DATA_SINGLE, 0, NULL);
    for (size_t i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%zu", i);
        json_object_set_new(many, key, json_string("x"));
    }
    expect_refused(&stage, "flatonly", user_mfa(stage_url(&stage), "flatonly", "activate", token, many), 400, NULL);
    assert_int_equal(gateway_request_count(stage.gateway), 0);
    free(user_activate(stage_url(&stage), "flatonly", token, NULL));
    free(token);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A40_a_value_stays_one_value_in_every_place),
        cmocka_unit_test(A41_only_the_code_is_replaced_in_a_value_and_once),
        cmocka_unit_test(A42_in_challenge_verify_no_value_takes_the_code_along),
        cmocka_unit_test(A43_a_verify_body_cannot_change_the_destination),
        cmocka_unit_test(A44_user_data_that_are_no_flat_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
