/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_fixture.h"
#include "folder.h"

#define AT(key, line) CONFIG_AT("sms.endpoints.single." key, line)

#define USER_DATA "{\"phone\": \"+41 79\", \"odd\": \"a&b=\\\"c\\\" {{ code }}\"}"

/* --- Helpers --------------------------------------------------------------------------------------------------- */

static struct folder folder;

/* A preset that asks for a key, and has a default sender. */
static const char preset_text[] = "title: Acme\n"
                                  "parameters:\n"
                                  "  apiKey: the key\n"
                                  "  sender: {description: who sends, default: Acme}\n"
                                  "endpoints:\n"
                                  "  single:\n"
                                  "    url: 'https://acme.example/sms'\n"
                                  "    method: PUT\n"
                                  "    headers: {x-key: '${param:apiKey}', x-by: preset}\n"
                                  "    body: {to: '{{ phone }}', from: '${param:sender}'}\n"
                                  "    timeoutMs: 2000\n"
                                  "    expect: {status: [202]}\n";

static int make_world(void **state)
{
    (void)state;
    folder_init(&folder);
    folder_write(&folder, "acme.yml", preset_text);
    folder_write(&folder, "secret", "s3cret\n");
    assert_int_equal(setenv("MFA_TEST_A", "alpha", 1), 0);
    assert_int_equal(unsetenv("MFA_TEST_MISSING"), 0);
    return 0;
}

static int remove_world(void **state)
{
    (void)state;
    folder_clear(&folder);
    return 0;
}

/* A section whose endpoint `single` has these keys, a line each, from line 45 on. Borrowed until the next one. */
static const char *section(const char *mode, const char *keys)
{
    static char text[8192];
    size_t len = (size_t)snprintf(text, sizeof text, "mode: %s\nsms:\n  endpoints:\n    single:\n", mode);

    while (*keys != '\0') {
        const int line_len = (int)strcspn(keys, "\n");

        len += (size_t)snprintf(text + len, sizeof text - len, "      %.*s\n", line_len, keys);
        keys += line_len + (keys[line_len] == '\n');
    }
    (void)snprintf(text + len, sizeof text - len, "presetsDirectory: '%s'\n", folder.path);
    return text;
}

/* The endpoint is read in any mode; in this one nothing is asked of it besides. */
static void accept(struct mfa_config *config, const char *keys)
{
    config_accept(config, section("disabled", keys), "");
}

static void refuse(const char *keys, const char *expected)
{
    config_refuse(section("single", keys), expected);
}

struct refusal {
    const char *keys;
    const char *expected;
};

static void refuse_all(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        refuse(refusals[i].keys, refusals[i].expected);
}

/* Method and URL, each header, an empty line, the body. Owned by the caller. */
static char *text_of(const struct mfa_endpoint *endpoint)
{
    struct mfa_http_request *request = config_render(endpoint, USER_DATA);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fprintf(out, "%s %s\n", mfa_http_method_name(request->method), request->url_secret);
    for (size_t i = 0; i < request->header_count; i++)
        fprintf(out, "%s\n", request->header_secrets[i]);
    fprintf(out, "\n%s", request->body_secret != NULL ? request->body_secret : "");
    assert_int_equal(fclose(out), 0);
    mfa_http_request_free(request);
    return text;
}

static void check_request(const struct mfa_endpoint *endpoint, const char *expected)
{
    char *text = text_of(endpoint);

    assert_string_equal(text, expected);
    free(text);
}

/* Expects an endpoint with these keys to be accepted and to send that. */
static void sends(const char *keys, const char *expected)
{
    struct mfa_config config;

    accept(&config, keys);
    check_request(&config.single, expected);
    mfa_config_clear(&config);
}

/* --- Keys without a value ---------------------------------------------------------------------------------------- */

static void what_proves_and_judges_is_not_left_empty(void **state)
{
    static const char *const keys[] = {"auth", "sign", "expect", "success", "outcomes", "capture", "retryAfter"};
    static const char *const befores[] = {"url: 'https://h/'", "preset: full"};
    char text[100];
    char expected[2 * FOLDER_PATH_SIZE];

    (void)state;
    folder_write(
        &folder, "full.yml",
        "endpoints: {single: {url: 'https://h/', auth: {bearer: b}, expect: {status: [200]}, outcomes: [{when: "
        "{status: [404]}, is: rejected}], retryAfter: /wait}}\n");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        for (size_t j = 0; j < 2; j++) {
            (void)snprintf(text, sizeof text, "%s\n%s:%s", befores[j], keys[i], j == 0 ? "" : " ~");
            (void)snprintf(expected, sizeof expected,
                           AT("%s", 46) "must not be empty: give it a value or remove the key\n", keys[i]);
            refuse(text, expected);
        }
    folder_write(&folder, "empty.yml", "endpoints:\n  single:\n    url: 'https://h/'\n    auth:\n");
    (void)snprintf(expected, sizeof expected,
                   "empty.endpoints.single.auth (%s/empty.yml:4): must not be empty: give it a value or remove the "
                   "key\n",
                   folder.path);
    refuse("preset: empty", expected);
    refuse("url: 'https://h/'\nfallback:\n  - url: 'https://i/'\n    expect:",
           AT("fallback[0].expect", 48) "must not be empty: give it a value or remove the key\n");
}

/* --- Query, form, body, method ----------------------------------------------------------------------------------- */

static void a_query_is_appended_to_the_url(void **state)
{
    static const struct {
        const char *url;
        const char *expected;
    } urls[] = {
        {"https://h/a", "https://h/a?to=%2B41%2079&t=a%20b"},
        {"https://h/a?", "https://h/a?to=%2B41%2079&t=a%20b"},
        {"https://h/a?k=v", "https://h/a?k=v&to=%2B41%2079&t=a%20b"},
        {"https://h/a?k=v&", "https://h/a?k=v&to=%2B41%2079&t=a%20b"},
        {"https://h", "https://h?to=%2B41%2079&t=a%20b"},
    };
    char keys[200];
    char expected[200];

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        (void)snprintf(keys, sizeof keys, "url: '%s'\nmethod: GET\nquery: {to: '{{ phone }}', t: 'a b'}", urls[i].url);
        (void)snprintf(expected, sizeof expected, "GET %s\n\n", urls[i].expected);
        sends(keys, expected);
    }
    sends("url: 'https://h/a'\nquery: {}", "POST https://h/a\n\n");
    sends("url: 'https://h/a'\nquery: {a&b: 1, c: true, odd: '{{ odd }}'}",
          "POST https://h/a?a%26b=1&c=true&odd=a%26b%3D%22c%22%20123456\n\n");
}

static void a_form_is_sent_as_one(void **state)
{
    (void)state;
    sends("url: 'https://h/'\nform: {To: '{{ phone }}', Text: 'x y {{ odd }}', n: 1}",
          "POST https://h/\ncontent-type: application/x-www-form-urlencoded\n\n"
          "To=%2B41%2079&Text=x+y+a%26b%3D%22c%22%20123456&n=1");
    sends(
        "url: 'https://h/'\nform: {a: b}\nheaders: {Content-Type: 'application/x-www-form-urlencoded; charset=utf-8'}",
        "POST https://h/\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n\na=b");
}

static void keys_and_values_are_sent_as_json(void **state)
{
    (void)state;
    sends("url: 'https://h/'\nbody:\n  to: ['{{ phone | digits }}']\n  text: 'say \"{{ odd }}\"'\n  n: 1\n  b: true\n  "
          "z: ~",
          "POST https://h/\ncontent-type: application/json\n\n"
          "{\"to\":[\"4179\"],\"text\":\"say \\\"a&b=\\\"c\\\" 123456\\\"\",\"n\":1,\"b\":true,\"z\":null}");
    sends("url: 'https://h/'\nbody: ['{{ code }}', {}]",
          "POST https://h/\ncontent-type: application/json\n\n[\"123456\",{}]");
    sends("url: 'https://h/'\nbody: {a: b}\nheaders: {Content-Type: application/vnd.api+json}",
          "POST https://h/\nContent-Type: application/vnd.api+json\n\n{\"a\":\"b\"}");
}

static void each_method_is_sent(void **state)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    char keys[60];
    char expected[60];

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        (void)snprintf(keys, sizeof keys, "url: 'https://h/'\nmethod: %s", methods[i]);
        (void)snprintf(expected, sizeof expected, "%s https://h/\n\n", methods[i]);
        sends(keys, expected);
    }
    sends("url: 'https://h/'\nmethod: DELETE\nbody: {a: b}",
          "DELETE https://h/\ncontent-type: application/json\n\n{\"a\":\"b\"}");
}

static void what_cannot_be_sent_as_a_query_or_form_is_refused(void **state)
{
    /* clang-format off */
    static const struct refusal refusals[] = {
        {"url: 'https://h/'\nquery: [a]", AT("query", 46) "must be a mapping (keys with values)\n"},
        {"url: 'https://h/'\nquery: {a: [b]}", AT("query", 46) "must hold only strings, numbers, true and false\n"},
        {"url: 'https://h/'\nquery:\n  a: 1\n  b: ~", AT("query", 46) "must hold only strings, numbers, true and false\n"},
        {"url: 'https://h/'\nquery:\n  a: 1\n  b: yes",
         AT("query.b", 48) "is not clear: put it in quotes if it is a string, or write true, false, null or a decimal "
                           "number\n"},
        {"url: 'https://h/'\nquery: {'{{ phone }}': b}",
         AT("query", 46) "has a placeholder in a key: only values can have one\n"},
        {"url: 'https://h/#a'\nquery: {a: b}",
         AT("url", 45) "has a fragment, which is never sent: remove the \"#\" and what follows it, or write it as "
                       "%23\n"},
        {"url: 'https://h/'\nform: x", AT("form", 46) "must be a mapping (keys with values)\n"},
        {"url: 'https://h/'\nform: {a: {b: c}}", AT("form", 46) "must hold only strings, numbers, true and false\n"},
        {"url: 'https://h/'\nform: {'a{{ phone }}': b}",
         AT("form", 46) "has a placeholder in a key: only values can have one\n"},
        {"url: 'https://h/'\nbody: {a: [{'{{ phone }}': b}]}",
         AT("body", 46) "has a placeholder in a key: only values can have one\n"},
        {"url: 'https://h/'\nbody: 5", AT("body", 46) "must be a string: put it in quotes\n"},
        {"url: 'https://h/'\nheaders: {'x-{{ phone }}': b}",
         AT("headers.x-{{ phone }}", 46) "is not the name of a header: it may hold letters, digits and - _ . but no "
                                         "space and no colon\n"},
    };
    /* clang-format on */

    (void)state;
    refuse_all(refusals, sizeof refusals / sizeof refusals[0]);
}

static void a_body_is_one_thing_and_goes_with_its_method_and_type(void **state)
{
    static const char get[] = "must be empty when method is \"GET\": move its values into the url, or use \"POST\"\n";
    /* clang-format off */
    const struct refusal refusals[] = {
        {"url: 'https://h/'\nbody: x\nform: {a: b}", AT("form", 47) "cannot stand beside \"body\": keep one\n"},
        {"url: 'https://h/'\nbody: {a: b}\nheaders: {content-type: text/xml}",
         AT("body", 46) "needs the content-type application/json, or none\n"},
        {"url: 'https://h/'\nform: {a: b}\nheaders: {content-type: application/json}",
         AT("form", 46) "needs the content-type application/x-www-form-urlencoded, or none\n"},
    };
    char expected[300];
    /* clang-format on */

    (void)state;
    refuse_all(refusals, sizeof refusals / sizeof refusals[0]);
    (void)snprintf(expected, sizeof expected, AT("body", 46) "%s", get);
    refuse("url: 'https://h/'\nbody: {a: b}\nmethod: GET", expected);
    (void)snprintf(expected, sizeof expected, AT("form", 46) "%s", get);
    refuse("url: 'https://h/'\nform: {a: b}\nmethod: GET", expected);
}

static void a_number_is_sent_as_it_is_written_or_not_at_all(void **state)
{
    static const char *const numbers[] = {"5.130", "1.00", "0.00001", "1e3", "-0", "123456789.1234567890"};
    static const char *const keys[] = {"query", "form", "body"};
    char text[100];
    char expected[300];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++) {
            (void)snprintf(text, sizeof text, "url: 'https://h/'\n%s: {a: 1, b: %s}", keys[i], numbers[j]);
            (void)snprintf(expected, sizeof expected,
                           AT("%s.b", 46) "is a number that would be sent in another spelling: put it in quotes\n",
                           keys[i]);
            refuse(text, expected);
        }
    refuse("url: 'https://h/'\nbody:\n  a:\n    - 1\n    - 1.50",
           AT("body.a[1]", 49) "is a number that would be sent in another spelling: put it in quotes\n");
    sends("url: 'https://h/'\nmethod: GET\nquery: {a: '5.130', b: -7, c: 0.25, d: '1e3', e: 1e-5}",
          "GET https://h/?a=5.130&b=-7&c=0.25&d=1e3&e=1e-5\n\n");
}

static void a_url_is_text(void **state)
{
    (void)state;
    refuse("url: 7", AT("url", 45) "must be a string: put it in quotes\n");
    refuse("url: {a: b}", AT("url", 45) "must be a string: put it in quotes\n");
}

static void what_is_composed_is_bounded(void **state)
{
    static char keys[8000];
    static char value[7000];

    (void)state;
    memset(value, ' ', sizeof value - 1);
    (void)snprintf(keys, sizeof keys, "url: 'https://h/'\nquery: {a: '%.6000s'}", value);
    refuse(keys, AT("query", 46) "is too long\n");
}

static void an_unknown_filter_is_named_wherever_it_stands(void **state)
{
    static const char *const keys[] = {"url: 'https://h/{{ phone | digit }}'",
                                       "headers: {a: '{{ phone | digit }}'}",
                                       "auth: {bearer: '{{ phone | digit }}'}",
                                       "query: {a: '{{ phone | digit }}'}",
                                       "form: {a: '{{ phone | digit }}'}",
                                       "body: {a: '{{ phone | digit }}'}",
                                       "body: '{{ phone | digit }}'",
                                       "expect: {json: {/a: '{{ phone | digit }}'}}",
                                       "expect: {json: {'/{{ phone | digit }}': 1}}",
                                       "retryAfter: '/{{ phone | digit }}'"};
    static const char *const places[] = {"url",       "headers.a",      "auth.bearer",
                                         "query",     "form",           "body",
                                         "body",      "expect.json./a", "expect.json./{{ phone | digit }}",
                                         "retryAfter"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char text[200];
        char expected[300];

        (void)snprintf(text, sizeof text, "%s%s", keys[i], i == 0 ? "" : "\nurl: 'https://h/'");
        (void)snprintf(
            expected, sizeof expected,
            "services.mfa.sms.endpoints.single.%s (override-config.yml:45): has an unknown filter behind the "
            "name of a variable: those known are digits, e164, urlencode, json, xml, base64, lower and raw\n",
            places[i]);
        refuse(text, expected);
    }
}

/* --- Authorization ----------------------------------------------------------------------------------------------- */

static void basic_and_bearer_are_headers(void **state)
{
    (void)state;
    sends("url: 'https://h/'\nauth: {basic: {user: Aladdin, password: open sesame}}",
          "POST https://h/\nauthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n\n"); /* RFC 7617, 2 */
    sends("url: 'https://h/'\nauth: {basic: {user: test, password: '123£'}}",
          "POST https://h/\nauthorization: Basic dGVzdDoxMjPCow==\n\n"); /* RFC 7617, 2.1 */
    sends("url: 'https://h/'\nauth: {basic: {user: u, password: 'a:b'}}",
          "POST https://h/\nauthorization: Basic dTphOmI=\n\n");
    sends("url: 'https://h/'\nauth: {bearer: mF_9.B5f-4.1JqM}\nheaders: {a: b}",
          "POST https://h/\na: b\nauthorization: Bearer mF_9.B5f-4.1JqM\n\n"); /* RFC 6750, 2.1 */
}

static void an_access_token_is_fetched_as_the_service_wants_it(void **state)
{
    struct mfa_config config;

    (void)state;
    accept(&config, "url: 'https://h/'\ntimeoutMs: 700\nconnectTimeoutMs: 60\n"
                    "auth: {oauth2: {tokenUrl: 'https://t/token?a=b', clientId: 'i d:1', clientSecret: 's+/{{ x }}'}}");
    check_request(&config.single, "POST https://h/\n\n");
    assert_non_null(config.single.token);
    /* `i%20d%3A1:s%2B%2F%7B%7B%20x%20%7D%7D` */
    check_request(config.single.token, "POST https://t/token?a=b\ncontent-type: application/x-www-form-urlencoded\n"
                                       "authorization: Basic aSUyMGQlM0ExOnMlMkIlMkYlN0IlN0IlMjB4JTIwJTdEJTdE\n\n"
                                       "grant_type=client_credentials");
    assert_int_equal(config.single.token->timeout_ms, 700);
    assert_int_equal(config.single.token->connect_timeout_ms, 60);
    mfa_config_clear(&config);
    accept(&config,
           "url: 'https://h/'\nauth: {oauth2: {tokenUrl: 'https://t/', clientId: 'i d', clientSecret: 's&{{ x }}', "
           "credentials: body}}");
    check_request(config.single.token,
                  "POST https://t/\ncontent-type: application/x-www-form-urlencoded\n\n"
                  "grant_type=client_credentials&client_id=i%20d&client_secret=s%26%7B%7B%20x%20%7D%7D");
    mfa_config_clear(&config);
}

static void a_plain_token_url_is_warned_of(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(
        &config,
        section("single", "url: 'https://h/{{ code }}'\nauth:\n  oauth2:\n    clientId: a\n    clientSecret: b\n"
                          "    tokenUrl: 'http://t.example/'"),
        "warning: " AT("auth.oauth2.tokenUrl", 50) "is plain http: credentials, destinations and codes travel "
                                                   "in clear; use https\n");
    mfa_config_clear(&config);
}

static void a_mistake_in_auth_is_named(void **state)
{
    /* clang-format off */
    static const struct refusal refusals[] = {
        {"url: 'https://h/'\nauth: x", AT("auth", 46) "must be a mapping (keys with values)\n"},
        {"url: 'https://h/'\nauth: {}", AT("auth", 46) "must have exactly one key\n"},
        {"url: 'https://h/'\nauth: {bearer: a, basic: {user: b, password: c}}",
         AT("auth", 46) "must have exactly one key\n"},
        {"url: 'https://h/'\nauth: {digest: a}",
         AT("auth.digest", 46) "is not a known key: those known here are \"basic\", \"bearer\", \"oauth2\"\n"},
        {"url: 'https://h/'\nauth:\n  basic: u:p", AT("auth.basic", 47) "must be a mapping (keys with values)\n"},
        {"url: 'https://h/'\nauth:\n  basic: {user: u}", AT("auth.basic", 47) "must have the key \"password\"\n"},
        {"url: 'https://h/'\nauth:\n  basic: {password: p, user: }", AT("auth.basic", 47) "must have the key \"user\"\n"},
        {"url: 'https://h/'\nauth:\n  basic:\n    user: u\n    password: ''",
         AT("auth.basic.password", 49) "must not be empty\n"},
        {"url: 'https://h/'\nauth:\n  basic:\n    user: u\n    password: 1234",
         AT("auth.basic.password", 49) "must be a string: put it in quotes\n"},
        {"url: 'https://h/'\nauth:\n  basic: {user: 'u:v', password: p}",
         AT("auth.basic", 47) "has a \":\" in \"user\", which would end it (RFC 7617, 2)\n"},
        {"url: 'https://h/'\nauth:\n  basic: {user: '{{ phone }}', password: p}",
         AT("auth.basic", 47) "cannot have a placeholder: the credentials are the same for all users\n"},
        {"url: 'https://h/'\nauth:\n  basic: {user: u, password: '{{ phone }}'}",
         AT("auth.basic", 47) "cannot have a placeholder: the credentials are the same for all users\n"},
        {"url: 'https://h/'\nauth: {basic: {user: u, password: p, realm: r}}",
         AT("auth.basic.realm", 46) "is not a known key: those known here are \"user\", \"password\"\n"},
        {"url: 'https://h/'\nauth: {bearer: }", AT("auth.bearer", 46) "must be a string: put it in quotes\n"},
        {"url: 'https://h/'\nauth: {bearer: ''}", AT("auth.bearer", 46) "must not be empty\n"},
        {"url: 'https://h/'\nauth: {bearer: \"a\\nb\"}",
         AT("auth.bearer", 46) "has a character that a header cannot carry: only printable ASCII and spaces can stand "
                               "here\n"},
        {"url: 'https://h/'\nauth:\n  oauth2: {tokenUrl: 'https://t/', clientId: a}",
         AT("auth.oauth2", 47) "must have the key \"clientSecret\"\n"},
        {"url: 'https://h/'\nauth:\n  oauth2: {clientSecret: s, clientId: a}",
         AT("auth.oauth2", 47) "must have the key \"tokenUrl\"\n"},
        {"url: 'https://h/'\nauth: {oauth2: {tokenUrl: 'https://t/', clientId: a, clientSecret: b, credentials: header}}",
         AT("auth.oauth2.credentials", 46) "must be one of \"basic\", \"body\"\n"},
        {"url: 'https://h/'\nauth:\n  oauth2:\n    clientId: a\n    clientSecret: b\n    tokenUrl: 'ftp://t/'",
         AT("auth.oauth2.tokenUrl", 50) "must begin with http:// or https://\n"},
        {"url: 'https://h/'\nauth:\n  oauth2:\n    tokenUrl: 'https://t/{{ phone }}'\n    clientId: a\n    clientSecret: b",
         AT("auth.oauth2.tokenUrl", 48) "must not have a placeholder: the token is the same for all users\n"},
    };
    /* clang-format on */

    (void)state;
    refuse_all(refusals, sizeof refusals / sizeof refusals[0]);
}

static void credentials_that_no_header_can_hold_are_refused(void **state)
{
    static const char basic[] = "url: 'https://h/'\nauth: {basic: {user: u, password: '${env:MFA_TEST_LONG}'}}";
    static char secret[MFA_ENDPOINT_HEADER_MAX_LEN + 1];

    (void)state;
    memset(secret, 's', sizeof secret - 1);
    assert_int_equal(setenv("MFA_TEST_LONG", secret, 1), 0);
    refuse("url: 'https://h/'\nauth: {bearer: '${env:MFA_TEST_LONG}'}", AT("auth.bearer", 46) "is too long\n");
    refuse(basic, AT("auth.basic", 46) "is too long\n");
    secret[sizeof secret / 4 * 3] = '\0'; /* until it is base64 */
    assert_int_equal(setenv("MFA_TEST_LONG", secret, 1), 0);
    refuse(basic, AT("auth.basic", 46) "is too long\n");
    assert_int_equal(unsetenv("MFA_TEST_LONG"), 0);
}

/* --- Signatures -------------------------------------------------------------------------------------------------- */

#define AWS4 "aws4: {region: eu-central-1, service: sns, accessKeyId: AKID, secretAccessKey: 'se/cret'}"
#define OVH "ovh: {applicationKey: AK, applicationSecret: AS, consumerKey: CK}"
#define OAUTH2 "oauth2: {tokenUrl: 'https://t/', clientId: a, clientSecret: b}"

static void signatures_are_read(void **state)
{
    struct mfa_config config;

    (void)state;
    accept(&config, "url: 'https://h/'\nsign: {" AWS4 "}");
    assert_string_equal(config.single.sign.aws4.provider, "aws:amz:eu-central-1:sns");
    assert_string_equal(config.single.sign.aws4.access_key_id, "AKID");
    assert_string_equal(config.single.sign.aws4.secret_access_key_secret, "se/cret");
    assert_null(config.single.sign.ovh.application_key);
    mfa_config_clear(&config);
    accept(&config, "url: 'https://h/a%20b?c={{ phone }}'\nsign: {" OVH "}");
    assert_string_equal(config.single.sign.ovh.application_key, "AK");
    assert_string_equal(config.single.sign.ovh.application_secret_secret, "AS");
    assert_string_equal(config.single.sign.ovh.consumer_key_secret, "CK");
    assert_null(config.single.sign.aws4.provider);
    mfa_config_clear(&config);
}

static void a_mistake_in_sign_is_named(void **state)
{
    /* clang-format off */
    static const struct refusal refusals[] = {
        {"url: 'https://h/'\nsign: {" AWS4 ", " OVH "}", AT("sign", 46) "must have exactly one key\n"},
        {"url: 'https://h/'\nsign: {hmac: x}",
         AT("sign.hmac", 46) "is not a known key: those known here are \"aws4\", \"ovh\"\n"},
        {"url: 'https://h/'\nsign:\n  aws4: {region: r, service: s, accessKeyId: a}",
         AT("sign.aws4", 47) "must have the key \"secretAccessKey\"\n"},
        {"url: 'https://h/'\nsign:\n  aws4:\n    region: 'eu-central-1:x'\n    service: sns\n    accessKeyId: a\n"
         "    secretAccessKey: k",
         AT("sign.aws4.region", 48) "must be lower-case letters, digits and -, as AWS writes it\n"},
        {"url: 'https://h/'\nsign:\n  aws4:\n    region: eu-central-1\n    service: SNS\n    accessKeyId: a\n"
         "    secretAccessKey: k",
         AT("sign.aws4.service", 49) "must be lower-case letters, digits and -, as AWS writes it\n"},
        {"url: 'https://h/'\nsign:\n  ovh: {applicationKey: a, consumerKey: c}",
         AT("sign.ovh", 47) "must have the key \"applicationSecret\"\n"},
        {"url: 'https://h/'\nsign:\n  ovh:\n    applicationKey: a\n    applicationSecret: b\n    consumerKey: \"c\\nd\"",
         AT("sign.ovh.consumerKey", 50) "has a character that a header cannot carry\n"},
        {"url: 'https://h/'\nsign:\n  ovh:\n    applicationKey: a\n    applicationSecret: b\n    consumerKey: \"c\\x7f\"",
         AT("sign.ovh.consumerKey", 50) "has a character that a header cannot carry\n"},
    };
    static const char *const urls[] = {"url: 'https://h/?a=b'", "url: 'https://h/%20'", "url: 'https://h/{{ phone }}'",
                                       "url: 'https://h/'\nquery: {a: b}"};
    /* clang-format on */

    (void)state;
    refuse_all(refusals, sizeof refusals / sizeof refusals[0]);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        char keys[300];

        (void)snprintf(keys, sizeof keys, "%s\nsign: {" AWS4 "}", urls[i]);
        refuse(keys, AT("url", 45) "must have no query, escape or variable with sign.aws4: put values into form or "
                                   "body\n");
    }
}

static void a_request_is_authorized_in_one_way(void **state)
{
    static const char *const before[] = {"headers: {Authorization: x}", "auth: {bearer: x}",
                                         "auth: {basic: {user: u, password: p}}", "auth: {" OAUTH2 "}"};
    static const char expected[] = AT("sign", 47) "sets the header authorization, which is there already: keep one\n";

    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        char keys[300];

        (void)snprintf(keys, sizeof keys, "url: 'https://h/'\n%s\nsign: {" AWS4 "}", before[i]);
        refuse(keys, expected);
        (void)snprintf(keys, sizeof keys, "url: 'https://h/'\n%s\nsign: {" OVH "}", before[i]);
        refuse(keys, expected);
    }
    refuse("url: 'https://h/'\nauth: {bearer: x}\nheaders: {AUTHORIZATION: x}",
           AT("auth", 46) "sets the header authorization, which is there already: keep one\n");
    refuse("url: 'https://h/'\nauth: {" OAUTH2 "}\nheaders: {authorization: x}",
           AT("auth", 46) "sets the header authorization, which is there already: keep one\n");
}

/* --- What answers mean ------------------------------------------------------------------------------------------- */

static void rules_are_read(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(
        &config,
        "mode: challenge-verify\n"
        "sms:\n"
        "  endpoints:\n"
        "    challenge:\n"
        "      url: 'https://h/'\n"
        "      capture: {requestId: /request_id, session: 'header:X-Session'}\n"
        "      retryAfter: /parameters/retry_after\n"
        "      success: {jsonPath: status, equals: sent}\n"
        "    verify:\n"
        "      url: 'https://h/{{ requestId }}/{{ session }}/{{ nonce }}'\n"
        "      body: {code: '{{ code }}'}\n"
        "      expect: {status: [200, 2xx], json: {/status: approved, /to: '{{ phone }}'}, text: '^0 \\|',\n"
        "               empty: false}\n"
        "      outcomes:\n"
        "        - {when: {status: [404]}, is: expired}\n"
        "        - {when: {json: {/status: {in: [pending, 3]}}}, is: rejected}\n"
        "        - {when: {json: {/a: {not: x}, /b: {exists: false}, /c: {matches: '(?i)too many'}}}, is: throttled}\n",
        "");
    assert_true(mfa_rules_captures(&config.challenge.rules, "requestId"));
    assert_true(mfa_rules_captures(&config.challenge.rules, "session"));
    assert_non_null(config.challenge.rules.retry_after);
    assert_true(mfa_rules_has_expectation(&config.challenge.rules));
    assert_int_equal(config.challenge.rules.expect.member_count, 1);
    assert_true(mfa_rules_has_expectation(&config.verify.rules));
    assert_int_equal(config.verify.rules.expect.member_count, 2);
    assert_non_null(config.verify.rules.expect.text);
    assert_int_equal(config.verify.rules.outcome_count, 3);
    assert_int_equal(config.verify.rules.outcomes[0].is, MFA_MEANING_EXPIRED);
    assert_true(config.uses_nonce);
    mfa_config_clear(&config);
}

static void a_mistake_in_a_rule_is_named(void **state)
{
    /* clang-format off */
    static const struct refusal refusals[] = {
        {"url: 'https://h/'\nexpect: {json: {status: x}}",
         AT("expect.json.status", 46) "must be a JSON pointer: it begins with \"/\", as in \"/messages/0/status\"\n"},
        {"url: 'https://h/'\nexpect:\n  json:\n    /a: 1\n    /b~c: 2",
         AT("expect.json./b~c", 49) "has a \"~\" without 0 or 1 behind it: in a JSON pointer \"~\" is written ~0, and "
                                    "\"/\" in a name ~1\n"},
        {"url: 'https://h/'\nretryAfter: retry_after",
         AT("retryAfter", 46) "must be a JSON pointer: it begins with \"/\", as in \"/messages/0/status\"\n"},
        {"url: 'https://h/'\ncapture: {id: request_id}",
         AT("capture.id", 46) "must be a JSON pointer: it begins with \"/\", as in \"/messages/0/status\"\n"},
        {"url: 'https://h/'\ncapture: {code: /id}",
         AT("capture.code", 46) "is a name that is taken: captures must not be called \"code\" or \"nonce\"\n"},
        {"url: 'https://h/'\nexpect: {text: '(secret'}",
         AT("expect.text", 46) "is not a regular expression: missing closing parenthesis, at offset 7\n"},
        {"url: 'https://h/'\nexpect:\n  json:\n    /a: {matches: '*secret'}",
         AT("expect.json./a.matches", 48) "is not a regular expression: quantifier does not follow a repeatable item, "
                                          "at offset 0\n"},
        {"url: 'https://h/'\nexpect: {json: {/a: {is: x}}}",
         AT("expect.json./a.is", 46) "is not a known key: those known here are \"in\", \"not\", \"exists\", "
                                     "\"matches\"\n"},
        {"url: 'https://h/'\nexpect: {}", AT("expect", 46) "must not be empty: it would hold for any answer\n"},
        {"url: 'https://h/'\nexpect: {statuses: [200]}",
         AT("expect.statuses", 46) "is not a known key: those known here are \"status\", \"json\", \"text\", "
                                   "\"empty\"\n"},
        {"url: 'https://h/'\nexpect: {status: [200, 99]}",
         AT("expect.status[1]", 46) "must be a status from 100 to 599, or a class of them, as 2xx\n"},
        {"url: 'https://h/'\noutcomes:\n  - {when: {status: [404]}, is: expired}\n  - {when: {status: [403]}, is: denied}",
         AT("outcomes[1].is", 48) "must be one of \"error\", \"throttled\", \"expired\", \"rejected\", \"accepted\"\n"},
        {"url: 'https://h/'\noutcomes: [{when: {status: [404]}}]",
         AT("outcomes[0]", 46) "must have both \"when\" and \"is\"\n"},
        {"url: 'https://h/'\noutcomes: {when: {status: [404]}, is: expired}",
         AT("outcomes", 46) "must be a list of rules, each with \"when\" and \"is\"\n"},
        {"url: 'https://h/'\nsuccess: {jsonPath: status}",
         AT("success", 46) "must have both \"jsonPath\" and \"equals\"\n"},
    };
    /* clang-format on */

    (void)state;
    refuse_all(refusals, sizeof refusals / sizeof refusals[0]);
}

/* --- Presets ----------------------------------------------------------------------------------------------------- */

static void a_preset_is_filled_in_with_its_parameters(void **state)
{
    struct mfa_config config;

    (void)state;
    accept(&config, "preset: acme\nparameters: {apiKey: k3y, sender: Me}");
    check_request(&config.single, "PUT https://acme.example/sms\nx-key: k3y\nx-by: preset\n"
                                  "content-type: application/json\n\n{\"to\":\"+41 79\",\"from\":\"Me\"}");
    assert_int_equal(config.single.timeout_ms, 2000);
    assert_true(mfa_rules_has_expectation(&config.single.rules));
    mfa_config_clear(&config);
    sends("preset: acme\nparameters: {apiKey: 12}", "PUT https://acme.example/sms\nx-key: 12\nx-by: preset\n"
                                                    "content-type: application/json\n\n"
                                                    "{\"to\":\"+41 79\",\"from\":\"Acme\"}");
}

/* Nothing else is said about what needs it. */
static void a_missing_parameter_is_one_problem(void **state)
{
    (void)state;
    refuse("preset: acme", AT("preset", 45) "must have the parameter apiKey for the preset acme: the key\n");
    refuse("preset: acme\nparameters: {apiKey: [a]}",
           AT("parameters.apiKey", 46) "must be a string: put it in quotes\n");
}

static void a_preset_is_checked_as_what_an_operator_writes(void **state)
{
    char expected[2 * FOLDER_PATH_SIZE];

    (void)state;
    folder_write(&folder, "bad.yml",
                 "endpoints:\n  single:\n    url: 'https://h/'\n    metod: GET\n    body: {'{{ a }}': b}\n");
    (void)snprintf(
        expected, sizeof expected,
        "bad.endpoints.single.metod (%s/bad.yml:4): is not a known key: those known here are \"url\", "
        "\"method\", \"query\", \"body\", \"form\", \"headers\", \"auth\", \"sign\", \"timeoutMs\", "
        "\"connectTimeoutMs\", \"capture\", \"expect\", \"outcomes\", \"success\", \"retryAfter\", \"preset\", "
        "\"parameters\"\nbad.endpoints.single.body (%s/bad.yml:5): has a placeholder in a key: only values can "
        "have one\n",
        folder.path, folder.path);
    refuse("preset: bad", expected);
}

static void keys_beside_a_preset_take_the_place_of_its_keys(void **state)
{
    struct mfa_config config;

    (void)state;
    accept(&config, "preset: acme\nparameters: {apiKey: k3y}\nmethod: POST\nheaders: {x-own: '1'}\ntimeoutMs: 500\n"
                    "url: 'https://own.example/'\nquery: {a: b}\nexpect: {status: [200], text: ok}");
    check_request(&config.single, "POST https://own.example/?a=b\nx-own: 1\ncontent-type: application/json\n\n"
                                  "{\"to\":\"+41 79\",\"from\":\"Acme\"}");
    assert_int_equal(config.single.timeout_ms, 500);
    assert_int_equal(config.single.connect_timeout_ms, 3000);
    assert_non_null(config.single.rules.expect.text);
    mfa_config_clear(&config);
}

static void a_proof_of_any_kind_takes_the_place_of_the_presets(void **state)
{
    static const struct {
        const char *preset;
        const char *own;
        const char *headers;
    } proofs[] = {
        {"bearer", "headers: {x-own: '1'}", "x-own: 1\nauthorization: Bearer preset\n"},
        {"bearer", "headers: {Authorization: own}", "Authorization: own\n"},
        {"bearer", "auth: {bearer: own}", "authorization: Bearer own\n"},
        {"signed", "headers: {authorization: own}", "authorization: own\n"},
        {"signed", "auth: {bearer: own}", "authorization: Bearer own\n"},
    };

    (void)state;
    folder_write(&folder, "bearer.yml",
                 "endpoints: {single: {url: 'https://h/', auth: {bearer: preset}, body: '{{ phone }}'}}");
    folder_write(&folder, "signed.yml",
                 "endpoints: {single: {url: 'https://h/', sign: {" OVH "}, body: '{{ phone }}'}}");
    for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++) {
        struct mfa_config config;
        char keys[200];
        char expected[300];

        (void)snprintf(keys, sizeof keys, "preset: %s\n%s", proofs[i].preset, proofs[i].own);
        (void)snprintf(expected, sizeof expected, "POST https://h/\n%s\n+41 79", proofs[i].headers);
        accept(&config, keys);
        assert_null(config.single.sign.ovh.application_key);
        check_request(&config.single, expected);
        mfa_config_clear(&config);
    }
    folder_write(&folder, "header.yml",
                 "endpoints: {single: {url: 'https://h/', headers: {authorization: preset}, body: '{{ phone }}'}}");
    refuse("preset: header\nauth: {bearer: own}",
           AT("auth", 46) "sets the header authorization, which is there already: keep one\n");
}

static void a_body_of_any_kind_takes_the_place_of_the_presets(void **state)
{
    static const char start[] = "PUT https://acme.example/sms\nx-key: k\nx-by: preset\n";
    static const struct {
        const char *own;
        const char *rest;
    } bodies[] = {{"form: {a: b}", "content-type: application/x-www-form-urlencoded\n\na=b"},
                  {"body: {a: b}", "content-type: application/json\n\n{\"a\":\"b\"}"},
                  {"body: text", "\ntext"},
                  {"body: ''", "\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char keys[200];
        char expected[300];

        (void)snprintf(keys, sizeof keys, "preset: acme\nparameters: {apiKey: k}\n%s", bodies[i].own);
        (void)snprintf(expected, sizeof expected, "%s%s", start, bodies[i].rest);
        sends(keys, expected);
    }
}

/* A section with `preset` for all endpoints, and the keys of `single` on line 46. */
static const char *section_for_all(const char *mode, const char *single)
{
    static char text[1000];

    (void)snprintf(text, sizeof text,
                   "mode: %s\n"
                   "presetsDirectory: '%s'\n"
                   "sms:\n"
                   "  endpoints:\n"
                   "    preset: acme\n"
                   "    parameters: {apiKey: general}\n"
                   "    single: %s\n",
                   mode, folder.path, single);
    return text;
}

static void a_preset_for_all_endpoints_gives_way_to_an_endpoints_own(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, section_for_all("single", "{headers: {}, body: '{{ code }}'}"), "");
    check_request(&config.single, "PUT https://acme.example/sms\n\n123456");
    mfa_config_clear(&config);
    config_accept(&config, section_for_all("single", "{parameters: {apiKey: own}, body: '{{ code }}'}"), "");
    check_request(&config.single, "PUT https://acme.example/sms\nx-key: own\nx-by: preset\n\n123456");
    mfa_config_clear(&config);
    folder_write(&folder, "other.yml", "endpoints: {single: {url: 'https://other.example/{{ code }}'}}");
    config_accept(&config, section_for_all("single", "{preset: other, parameters: {}}"), "");
    check_request(&config.single, "POST https://other.example/123456\n\n");
    mfa_config_clear(&config);
}

static void a_preset_need_not_have_endpoints_of_another_mode(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config, section_for_all("disabled", "{}"), "");
    assert_null(config.single.url);
    mfa_config_clear(&config);
    config_refuse(section_for_all("challenge-verify", "{}"),
                  CONFIG_AT("sms.endpoints.preset",
                            45) "is a preset without the endpoint \"challenge\": it is for "
                                "another mode\n" CONFIG_AT(
                                    "sms.endpoints.preset",
                                    45) "is a preset without the endpoint \"verify\": it is for another mode\n");
}

/* --- Fallbacks --------------------------------------------------------------------------------------------------- */

static void fallbacks_are_endpoints_of_their_own_in_their_order(void **state)
{
    struct mfa_config config;
    const struct mfa_endpoint *fallback;

    (void)state;
    accept(&config, "url: 'https://h/'\nmethod: GET\ntimeoutMs: 500\nheaders: {a: b}\n"
                    "fallback:\n"
                    "  - {url: 'https://one.example/', form: {a: '{{ code }}'}}\n"
                    "  - {preset: acme, parameters: {apiKey: k}, body: ''}\n"
                    "  - {url: 'https://three.example/', timeoutMs: 600, expect: {status: [200]}}");
    check_request(&config.single, "GET https://h/\na: b\n\n");
    fallback = config.single.fallback;
    assert_non_null(fallback);
    check_request(fallback, "POST https://one.example/\ncontent-type: application/x-www-form-urlencoded\n\na=123456");
    assert_int_equal(fallback->timeout_ms, 10000);
    fallback = fallback->fallback;
    assert_non_null(fallback);
    check_request(fallback, "PUT https://acme.example/sms\nx-key: k\nx-by: preset\n\n");
    fallback = fallback->fallback;
    assert_non_null(fallback);
    check_request(fallback, "POST https://three.example/\n\n");
    assert_int_equal(fallback->timeout_ms, 600);
    assert_true(mfa_rules_has_expectation(&fallback->rules));
    assert_null(fallback->fallback);
    mfa_config_clear(&config);
}

static void a_fallback_takes_nothing_from_the_preset_for_all(void **state)
{
    (void)state;
    config_refuse(
        section_for_all("single", "{fallback: [{parameters: {apiKey: k}}]}"),
        CONFIG_AT("sms.endpoints.single.fallback[0].parameters",
                  47) "belongs to a preset: name it in \"preset\"\n" CONFIG_AT("sms.endpoints.single.fallback[0]",
                                                                               47) "must have a url\n");
}

static const char *with_fallbacks(size_t count)
{
    static char keys[1000];
    size_t len = (size_t)snprintf(keys, sizeof keys, "url: 'https://h/'\nfallback:\n");

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(keys + len, sizeof keys - len, "  - {url: 'https://h%zu/'}\n", i);
    return keys;
}

static void eight_fallbacks_are_tried_at_most(void **state)
{
    struct mfa_config config;
    size_t count = 0;

    (void)state;
    accept(&config, with_fallbacks(8));
    for (const struct mfa_endpoint *at = config.single.fallback; at != NULL; at = at->fallback)
        count++;
    assert_int_equal(count, 8);
    mfa_config_clear(&config);
    refuse(with_fallbacks(9), AT("fallback[8]", 55) "is one fallback too many: at most 8 are tried\n");
}

static void a_mistake_in_a_fallback_is_named(void **state)
{
    /* clang-format off */
    static const struct refusal refusals[] = {
        {"url: 'https://h/'\nfallback: {url: 'https://h/'}", AT("fallback", 46) "must be a list of endpoints\n"},
        {"url: 'https://h/'\nfallback: []", AT("fallback", 46) "must be a list of endpoints\n"},
        {"url: 'https://h/'\nfallback: ['https://h/']",
         AT("fallback[0]", 46) "must be a mapping (keys with values)\n"},
        {"url: 'https://h/'\nfallback:\n  - {url: 'https://h/'}\n  - {method: GET}",
         AT("fallback[1]", 48) "must have a url\n"},
        {"url: 'https://h/'\nfallback:\n  - url: ''", AT("fallback[0].url", 47) "must have a url\n"},
        {"url: 'https://h/'\nfallback:\n  - {url: 'https://h/'}\n  - url: 'https://h/'\n    auth: {bearer: ''}",
         AT("fallback[1].auth.bearer", 49) "must not be empty\n"},
        {"url: 'https://h/'\nfallback:\n  - url: 'https://h/'\n    fallback: [{url: 'https://i/'}]",
         AT("fallback[0].fallback", 48) "is not a known key: those known here are \"url\", \"method\", \"query\", "
            "\"body\", \"form\", \"headers\", \"auth\", \"sign\", \"timeoutMs\", \"connectTimeoutMs\", \"capture\", "
            "\"expect\", \"outcomes\", \"success\", \"retryAfter\", \"preset\", \"parameters\"\n"},
    };
    /* clang-format on */

    (void)state;
    refuse_all(refusals, sizeof refusals / sizeof refusals[0]);
}

static void a_plain_fallback_is_warned_of(void **state)
{
    struct mfa_config config;

    (void)state;
    config_accept(&config,
                  section("single", "url: 'https://h/{{ code }}'\nfallback:\n  - {url: 'http://h.example/{{ code }}'}"),
                  "warning: " AT("fallback[0].url", 47) "is plain http: credentials, destinations and codes travel in "
                                                        "clear; use https\n");
    mfa_config_clear(&config);
}

/* --- Secrets ----------------------------------------------------------------------------------------------------- */

static void secrets_are_put_in_wherever_a_string_stands(void **state)
{
    char keys[FOLDER_PATH_SIZE + 300];

    (void)state;
    (void)snprintf(keys, sizeof keys,
                   "url: 'https://h/${env:MFA_TEST_A}'\nheaders: {a: '${env:MFA_TEST_A} b'}\n"
                   "auth: {basic: {user: '${env:MFA_TEST_A}', password: '${file:%s}'}}\n"
                   "body: {k: ['${env:MFA_TEST_A}']}",
                   folder_path(&folder, "secret"));
    sends(keys,
          "POST https://h/alpha\na: alpha b\nauthorization: Basic YWxwaGE6czNjcmV0\ncontent-type: application/json\n\n"
          "{\"k\":[\"alpha\"]}");
    sends("preset: acme\nparameters: {apiKey: '${env:MFA_TEST_A}'}\nbody: ''",
          "PUT https://acme.example/sms\nx-key: alpha\nx-by: preset\n\n");
}

static void a_secret_that_is_missing_is_named_and_none_is_told(void **state)
{
    char expected[FOLDER_PATH_SIZE + 300];
    char keys[FOLDER_PATH_SIZE + 300];

    (void)state;
    refuse(
        "url: 'https://h/?key=hunter2${env:MFA_TEST_MISSING}'\nauth:\n  basic:\n    user: u\n"
        "    password: 'hunter2${env:MFA_TEST_MISSING}'\nfallback:\n  - {url: 'https://h/', form: {a: '${vault:x}'}}",
        AT("url", 45) "needs the environment variable MFA_TEST_MISSING, which is not set\n" AT(
            "auth.basic.password",
            49) "needs the environment variable MFA_TEST_MISSING, which is not set\n" AT("fallback[0].form.a",
                                                                                         51) "has \"${\" with a source "
                                                                                             "that is not known: write "
                                                                                             "${env:NAME} or "
                                                                                             "${file:/path}\n");
    (void)snprintf(keys, sizeof keys, "url: 'https://h/'\nauth: {bearer: '${file:%s}'}",
                   folder_path(&folder, "missing"));
    (void)snprintf(expected, sizeof expected,
                   AT("auth.bearer", 46) "needs the file %s, which cannot be read: No such file or directory\n",
                   folder.file);
    refuse(keys, expected);
    refuse("url: 'https://h/'\nbody: {a: '${param:apiKey}'}",
           AT("body.a", 46) "has \"${\" with a source that is not known: write ${env:NAME} or ${file:/path}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_proves_and_judges_is_not_left_empty),
        cmocka_unit_test(a_query_is_appended_to_the_url),
        cmocka_unit_test(a_form_is_sent_as_one),
        cmocka_unit_test(keys_and_values_are_sent_as_json),
        cmocka_unit_test(each_method_is_sent),
        cmocka_unit_test(what_cannot_be_sent_as_a_query_or_form_is_refused),
        cmocka_unit_test(a_body_is_one_thing_and_goes_with_its_method_and_type),
        cmocka_unit_test(a_number_is_sent_as_it_is_written_or_not_at_all),
        cmocka_unit_test(a_url_is_text),
        cmocka_unit_test(what_is_composed_is_bounded),
        cmocka_unit_test(an_unknown_filter_is_named_wherever_it_stands),
        cmocka_unit_test(basic_and_bearer_are_headers),
        cmocka_unit_test(an_access_token_is_fetched_as_the_service_wants_it),
        cmocka_unit_test(a_plain_token_url_is_warned_of),
        cmocka_unit_test(a_mistake_in_auth_is_named),
        cmocka_unit_test(credentials_that_no_header_can_hold_are_refused),
        cmocka_unit_test(signatures_are_read),
        cmocka_unit_test(a_mistake_in_sign_is_named),
        cmocka_unit_test(a_request_is_authorized_in_one_way),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(a_mistake_in_a_rule_is_named),
        cmocka_unit_test(a_preset_is_filled_in_with_its_parameters),
        cmocka_unit_test(a_missing_parameter_is_one_problem),
        cmocka_unit_test(a_preset_is_checked_as_what_an_operator_writes),
        cmocka_unit_test(keys_beside_a_preset_take_the_place_of_its_keys),
        cmocka_unit_test(a_proof_of_any_kind_takes_the_place_of_the_presets),
        cmocka_unit_test(a_body_of_any_kind_takes_the_place_of_the_presets),
        cmocka_unit_test(a_preset_for_all_endpoints_gives_way_to_an_endpoints_own),
        cmocka_unit_test(a_preset_need_not_have_endpoints_of_another_mode),
        cmocka_unit_test(fallbacks_are_endpoints_of_their_own_in_their_order),
        cmocka_unit_test(a_fallback_takes_nothing_from_the_preset_for_all),
        cmocka_unit_test(eight_fallbacks_are_tried_at_most),
        cmocka_unit_test(a_mistake_in_a_fallback_is_named),
        cmocka_unit_test(a_plain_fallback_is_warned_of),
        cmocka_unit_test(secrets_are_put_in_wherever_a_string_stands),
        cmocka_unit_test(a_secret_that_is_missing_is_named_and_none_is_told),
    };

    return cmocka_run_group_tests(tests, make_world, remove_world);
}
