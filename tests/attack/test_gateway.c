/* SPDX-License-Identifier: Apache-2.0
 *
 * A communication service that lies, leads elsewhere, never ends, or is somebody else.
 */
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"

#define PROVIDER_ERROR "{\"id\": \"mfa-sms-provider-error\"}"
#define PROVIDER_TIMEOUT "{\"id\": \"mfa-sms-provider-timeout\"}"

/* Far above the endpoints' time-out of a second, far below a hang. */
#define PATIENCE_S 20.0

static const char hasty_verify[] =
    "challenge: {url: 'GATEWAY/send', timeoutMs: 1000, headers: {authorization: 'Bearer canary-credential'}, body: "
    "'{\"to\": \"{{ number }}\"}'}, verify: {url: 'GATEWAY/check', timeoutMs: 1000, headers: {authorization: 'Bearer "
    "canary-credential'}, body: '{\"to\": \"{{ number }}\", \"code\": \"{{ code }}\"}'}";

static const struct attack_settings challenge_verify = {.mode = "challenge-verify", .endpoints = hasty_verify};

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &challenge_verify);
}

static void enrol(struct stage *stage, const char *username)
{
    char *token = stage_register(stage, username);
    char *mfa_token = user_activate(stage_url(stage), username, token, NULL);
    json_decref(user_confirm(stage_url(stage), username, mfa_token, "12345"));
    free(mfa_token);
    free(token);
}

static struct pending_login log_in(struct stage *stage, const char *username)
{
    return (struct pending_login){.mfa_token = user_login_mfa(stage_url(stage), username), .code = "12345"};
}

/* Sends the right code while the service answers with this. */
static void expect_not_released(struct stage *stage, const char *username, struct gateway_script script,
                                const char *data)
{
    struct pending_login login = log_in(stage, username);
    gateway_answer_next(stage->gateway, script);
    struct http_answer answer = stage_send_code(stage, username, "verify", login.mfa_token, login.code);
    assert_true(answer.seconds < PATIENCE_S);
    assert_gives_nothing(&answer);
    assert_nothing_opens_access(stage, username, &answer);
    if (answer.status == 200)
        fail_msg("released by %u %s", script.status, script.body ? script.body : "");
    if (data)
        http_expect_error(answer, 400, "invalid-operation", data);
    else
        http_answer_clear(&answer);
    expect_right_code_works(stage, username, &login);
}

/* Many services answer a wrong code with 200. */
static void A50_a_200_with_a_refusal_in_its_body_is_a_refusal(void **state)
{
    struct stage *stage = *state;
    static const char *const bodies[] = {"{\"status\": \"rejected\"}",
                                         "{\"status\": \"pending\", \"valid\": false}",
                                         "{\"valid\": true}", /* nobody said what a yes looks like */
                                         "{\"error\": null}",
                                         "false",
                                         "null",
                                         "0",
                                         "\"\"",
                                         "[]",
                                         "[{}]",
                                         "{}x",
                                         "{",
                                         "INVALID",
                                         "ERR: 102",
                                         "<html><body>Please sign in</body></html>",
                                         "OK"};
    enrol(stage, "refused");
    for (size_t i = 0; i < LIST_LEN(bodies); i++)
        expect_not_released(stage, "refused", (struct gateway_script){.status = 200, .body = bodies[i]},
                            PROVIDER_ERROR);
}

static void A51_only_a_2xx_is_a_yes(void **state)
{
    struct stage *stage = *state;
    static const unsigned statuses[] = {300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 410, 418,
                                        422, 429, 451, 499, 500, 501, 502, 503, 504, 511, 599, 600, 999};
    enrol(stage, "statuses");
    for (size_t i = 0; i < LIST_LEN(statuses); i++)
        expect_not_released(stage, "statuses", (struct gateway_script){.status = statuses[i]}, NULL);
}

static void A52_no_credential_follows_a_redirect(void **state)
{
    struct stage *stage = *state;
    static const unsigned statuses[] = {300, 301, 302, 303, 305, 307, 308};
    struct gateway *elsewhere = gateway_start();
    char url[128];
    char refresh[160];
    snprintf(url, sizeof url, "%s/check", gateway_url(elsewhere));
    snprintf(refresh, sizeof refresh, "0; url=%s", url);
    const char *const headers[] = {"Location", url, "Refresh", refresh, NULL};
    enrol(stage, "redirects");
    for (size_t i = 0; i < LIST_LEN(statuses); i++) {
        struct gateway_script script = {.status = statuses[i], .headers = headers};
        gateway_answer_next(stage->gateway, script);
        expect_refused(stage, "redirects", user_login_answer(stage_url(stage), "redirects"), 400, "invalid-operation");
        expect_not_released(stage, "redirects", script, PROVIDER_ERROR);
    }
    assert_int_equal(gateway_request_count(elsewhere), 0);
    gateway_stop(elsewhere);
}

static size_t resident_bytes(const struct stage *stage)
{
    char path[64];
    unsigned long size = 0;
    unsigned long resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)host_pid(stage->host));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void A53_a_service_that_hangs_or_drips_ends_with_the_time_out(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "endless");
    expect_not_released(stage, "endless", (struct gateway_script){.status = 200, .manner = GATEWAY_STALL},
                        PROVIDER_TIMEOUT);
    expect_not_released(stage, "endless",
                        (struct gateway_script){
                            .status = 200, .body = "{}", .body_times = 1000, .manner = GATEWAY_DRIP, .drip_ms = 100},
                        PROVIDER_TIMEOUT);
}

static void A54_a_gigabyte_is_not_read(void **state)
{
    struct stage *stage = *state;
    static char kilobyte[1025];
    memset(kilobyte, ' ', sizeof kilobyte - 1);
    enrol(stage, "gigabyte");
    size_t before = resident_bytes(stage);
    for (size_t i = 0; i < 5; i++)
        expect_not_released(stage, "gigabyte",
                            (struct gateway_script){.status = 200, .body = kilobyte, .body_times = 1024 * 1024},
                            PROVIDER_ERROR);
    assert_true(resident_bytes(stage) < before + 32 * 1024 * 1024);
}

/* An answer that is cut off may be the beginning of a no. */
static void A55_half_an_answer_is_no_yes(void **state)
{
    struct stage *stage = *state;
    enrol(stage, "halfway");
    expect_not_released(stage, "halfway", (struct gateway_script){.status = 200, .manner = GATEWAY_RESET},
                        PROVIDER_ERROR);
    expect_not_released(stage, "halfway",
                        (struct gateway_script){.status = 200, .body = "{}", .manner = GATEWAY_RESET_MIDWAY},
                        PROVIDER_ERROR);
}

static void A56_what_the_service_says_does_not_reach_the_client_or_the_log(void **state)
{
    struct stage *stage = *state;
    static const char canary[] = "canary-of-the-service";
    static const char *const headers[] = {
        "Set-Cookie", "canary-of-the-service=1", "X-Canary", "canary-of-the-service", "Retry-After", "7", NULL};
    static const unsigned statuses[] = {200, 302, 400, 401, 429, 500};
    enrol(stage, "talkative");
    for (size_t i = 0; i < LIST_LEN(statuses); i++) {
        struct pending_login login = log_in(stage, "talkative");
        gateway_answer_next(stage->gateway,
                            (struct gateway_script){.status = statuses[i], .body = canary, .headers = headers});
        struct http_answer answer = stage_send_code(stage, "talkative", "verify", login.mfa_token, login.code);
        struct curl_header *header = NULL;
        assert_null(strstr(answer.body, canary));
        while ((header = curl_easy_nextheader(answer.curl, CURLH_HEADER, -1, header)))
            assert_null(strstr(header->value, canary));
        assert_gives_nothing(&answer);
        http_answer_clear(&answer);
        pending_login_clear(&login);
    }
    const char *const secrets[] = {canary, "canary-credential", NULL};
    host_assert_log_lacks(stage->host, secrets);
}

/* --- TLS -------------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer_yes(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload, size_t *upload_len,
                                  void **state)
{
    atomic_size_t *count = context;
    (void)path;
    (void)method;
    (void)version;
    (void)upload;
    (void)state;
    atomic_fetch_add(count, 1);
    *upload_len = 0;
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(getdelim(&text, &len, '\0', file) > 0);
    fclose(file);
    return text;
}

/* Its certificate is for the right name, and signed by nobody else. */
static struct MHD_Daemon *start_impostor(atomic_size_t *count)
{
    char *pem = read_text("tests/data/self-signed.pem");
    struct MHD_Daemon *impostor =
        MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, answer_yes, count,
                         MHD_OPTION_HTTPS_MEM_KEY, pem, MHD_OPTION_HTTPS_MEM_CERT, pem, MHD_OPTION_END);
    assert_non_null(impostor);
    free(pem);
    return impostor;
}

static void A57_a_self_signed_certificate_gets_no_message_and_no_credential(void **state)
{
    (void)state;
    static const char *const names[] = {"127.0.0.1", "localhost"};
    atomic_size_t count = 0;
    struct MHD_Daemon *impostor = start_impostor(&count);
    unsigned port = MHD_get_daemon_info(impostor, MHD_DAEMON_INFO_BIND_PORT)->port;
    for (size_t i = 0; i < LIST_LEN(names); i++) {
        struct stage stage;
        char endpoints[256];
        snprintf(
            endpoints, sizeof endpoints,
            "single: {url: 'https://%s:%u/send', headers: {authorization: 'Bearer canary'}, body: '{{ message }}'}",
            names[i], port);
        stage_attacked_open(&stage, &(struct attack_settings){.endpoints = endpoints});
        char *token = stage_register(&stage, "impostor");
        expect_refused(
            &stage, "impostor",
            user_mfa(stage_url(&stage), "impostor", "activate", token, json_loads(USER_DATA_SINGLE, 0, NULL)), 400,
            "invalid-operation");
        free(token);
        stage_close(&stage);
    }
    assert_int_equal(atomic_load(&count), 0);
    MHD_stop_daemon(impostor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A50_a_200_with_a_refusal_in_its_body_is_a_refusal),
        cmocka_unit_test(A51_only_a_2xx_is_a_yes),
        cmocka_unit_test(A52_no_credential_follows_a_redirect),
        cmocka_unit_test(A53_a_service_that_hangs_or_drips_ends_with_the_time_out),
        cmocka_unit_test(A54_a_gigabyte_is_not_read),
        cmocka_unit_test(A55_half_an_answer_is_no_yes),
        cmocka_unit_test(A56_what_the_service_says_does_not_reach_the_client_or_the_log),
        cmocka_unit_test(A57_a_self_signed_certificate_gets_no_message_and_no_credential),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
