/* SPDX-License-Identifier: Apache-2.0
 *
 * What a communication service can do wrong, on each call: the client gets the documented error within the time-out,
 * no session stays behind, nobody else notices, and the next login works.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness_stage.h"

#define TIMEOUT_MS "          timeoutMs: 1000\n"
/* Well above the time-out, and far below the ten seconds of the default. */
#define PATIENCE_S 8.0

#define PROVIDER_ERROR "{\"id\": \"mfa-sms-provider-error\"}"
#define PROVIDER_TIMEOUT "{\"id\": \"mfa-sms-provider-timeout\"}"

#define HUGE_TIMES (8 * 1024 * 1024)

static const char *const no_location[] = {"Location", "http://127.0.0.1:1/elsewhere", NULL};

static const struct failure {
    const char *name;
    struct gateway_script script;
    const char *data;
} failures[] = {
    {"stall", {.status = 200, .manner = GATEWAY_STALL}, PROVIDER_TIMEOUT},
    {"late", {.status = 200, .delay_ms = 3000}, PROVIDER_TIMEOUT},
    {"drip", {.status = 200, .manner = GATEWAY_DRIP, .body = "a body that drips", .drip_ms = 400}, PROVIDER_TIMEOUT},
    {"reset", {.status = 200, .manner = GATEWAY_RESET}, PROVIDER_ERROR},
    {"midway", {.status = 200, .manner = GATEWAY_RESET_MIDWAY, .body = "0123456789"}, PROVIDER_ERROR},
    {"huge", {.status = 200, .body = "x", .body_times = HUGE_TIMES}, PROVIDER_ERROR},
    {"500", {.status = 500, .body = "CANARY"}, PROVIDER_ERROR},
    {"401", {.status = 401, .body = "CANARY"}, PROVIDER_ERROR},
    {"302", {.status = 302, .headers = no_location}, PROVIDER_ERROR},
};

#define EACH(i, list) (size_t i = 0; i < sizeof(list) / sizeof *(list); i++)

static int open_stage(void **state)
{
    return stage_open_for_group(state, config_single, TIMEOUT_MS);
}

/* The error, within the time-out, and without a word of the gateway's. */
static void expect_failure(struct http_answer answer, const struct failure *failure)
{
    if (answer.status != 400 || answer.seconds >= PATIENCE_S)
        print_error("%s: %ld after %.1f s\n", failure->name, answer.status, answer.seconds);
    assert_true(answer.seconds < PATIENCE_S);
    assert_null(strstr(answer.body, "CANARY"));
    assert_null(json_object_get(answer.json, "mfaToken"));
    http_expect_error(answer, 400, "invalid-operation", failure->data); /* transferred */
}

static void a_login_whose_message_fails_is_told_so_and_leaves_nothing_behind(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "logs-in");
    for
        EACH(i, failures)
        {
            gateway_answer_next(stage->gateway, failures[i].script);
            expect_failure(user_login_answer(stage_url(stage), "logs-in"), &failures[i]);
            struct pending_login login = stage_login(stage, "logs-in");
            free(user_verify(stage_url(stage), "logs-in", login.mfa_token, login.code));
            pending_login_clear(&login);
        }
}

static void an_activation_whose_message_fails_is_told_so(void **state)
{
    struct stage *stage = *state;
    char *token = stage_register(stage, "activates");
    for
        EACH(i, failures)
        {
            gateway_answer_next(stage->gateway, failures[i].script);
            expect_failure(
                user_mfa(stage_url(stage), "activates", "activate", token, json_loads(USER_DATA_SINGLE, 0, NULL)),
                &failures[i]);
        }
    assert_false(stage_is_active(stage, "activates", token));
    free(token);
}

static void a_resend_that_fails_keeps_the_code_before_good(void **state)
{
    struct stage *stage = *state;
    stage_enrol(stage, "resends");
    for
        EACH(i, failures)
        {
            struct pending_login login = stage_login(stage, "resends");
            gateway_answer_next(stage->gateway, failures[i].script);
            expect_failure(user_mfa(stage_url(stage), "resends", "challenge", login.mfa_token, NULL), &failures[i]);
            free(user_verify(stage_url(stage), "resends", login.mfa_token, login.code));
            pending_login_clear(&login);
        }
}

static void a_verification_that_fails_is_told_so_and_the_session_lives_on(void **state)
{
    (void)state;
    struct stage stage;
    char *mfa_token = NULL;
    stage_open(&stage, config_challenge_verify, TIMEOUT_MS);
    char *token = stage_register(&stage, "verifies");
    mfa_token = user_activate(stage_url(&stage), "verifies", token, NULL);
    json_decref(user_confirm(stage_url(&stage), "verifies", mfa_token, "12345"));
    for
        EACH(i, failures)
        {
            free(mfa_token);
            mfa_token = user_login_mfa(stage_url(&stage), "verifies");
            gateway_answer_next(stage.gateway, failures[i].script);
            expect_failure(stage_send_code(&stage, "verifies", "verify", mfa_token, "12345"), &failures[i]);
            free(user_verify(stage_url(&stage), "verifies", mfa_token, "12345"));
        }
    free(mfa_token);
    free(token);
    stage_close(&stage);
}

/* Seven times: more than a session has attempts, and than there are failures without a delay. */
static void while_the_service_is_down_verifications_use_nothing_up(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_challenge_verify, TIMEOUT_MS);
    char *token = stage_register(&stage, "waits");
    char *mfa_token = user_activate(stage_url(&stage), "waits", token, NULL);
    gateway_stop(stage.gateway);
    stage.gateway = NULL;
    for (size_t i = 0; i < 7; i++)
        http_expect_error(stage_send_code(&stage, "waits", "confirm", mfa_token, "12345"), 400, "invalid-operation",
                          PROVIDER_ERROR);
    free(mfa_token);
    free(token);
    stage_close(&stage);
}

static void a_session_whose_message_failed_is_not_counted_as_pending(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, "    sessions:\n      maxPending: 1\n");
    stage_enrol(&stage, "uncounted");
    for (size_t i = 0; i < 3; i++) {
        gateway_answer_next(stage.gateway, (struct gateway_script){.status = 500});
        http_expect_error(user_login_answer(stage_url(&stage), "uncounted"), 400, "invalid-operation", PROVIDER_ERROR);
    }
    struct pending_login login = stage_login(&stage, "uncounted");
    free(user_verify(stage_url(&stage), "uncounted", login.mfa_token, login.code));
    pending_login_clear(&login);
    stage_close(&stage);
}

/* A port of the loopback address on which nobody listens while the socket is open. */
static int reserve_port(char url[static 64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(url, 64, "http://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return fd;
}

/* Not even a connection is made. */
static void a_redirect_is_not_followed(void **state)
{
    struct stage *stage = *state;
    static const unsigned statuses[] = {301, 302, 303, 307, 308};
    char elsewhere[64];
    int listener = reserve_port(elsewhere);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
    const char *const location[] = {"Location", elsewhere, NULL};
    stage_enrol(stage, "redirected");
    for
        EACH(i, statuses)
        {
            gateway_answer_next(stage->gateway, (struct gateway_script){.status = statuses[i], .headers = location});
            http_expect_error(user_login_answer(stage_url(stage), "redirected"), 400, "invalid-operation",
                              PROVIDER_ERROR);
        }
    assert_int_equal(accept(listener, NULL, NULL), -1);
    close(listener);
}

static void a_service_that_is_not_there_is_a_provider_error(void **state)
{
    (void)state;
    char url[64];
    int fd = reserve_port(url);
    char *yaml = config_single(url, TIMEOUT_MS);
    struct host *host = host_new(yaml, NULL, NULL);
    host_start(host);
    user_register(host_url(host), "refused");
    char *token = user_login(host_url(host), "refused");
    http_expect_error(user_mfa(host_url(host), "refused", "activate", token, json_loads(USER_DATA_SINGLE, 0, NULL)),
                      400, "invalid-operation", PROVIDER_ERROR);
    host_stop(host);
    host_free(host);
    close(fd);
    free(token);
    free(yaml);
}

/* Waits for the host to call, and answers with these bytes and the end of the connection. */
static void answer_with_bytes(int listener, const char *bytes, size_t len)
{
    char request[4096];
    int connection = accept(listener, NULL, NULL);
    assert_true(connection >= 0);
    assert_true(recv(connection, request, sizeof request, 0) > 0);
    while (len > 0) {
        ssize_t sent = send(connection, bytes, len, MSG_NOSIGNAL);
        if (sent < 0)
            break; /* the host has had enough */
        bytes += sent;
        len -= (size_t)sent;
    }
    close(connection);
}

static void an_answer_that_is_no_http_is_a_provider_error(void **state)
{
    (void)state;
    static const char *const garbage[] = {"",
                                          "garbage",
                                          "\x16\x03\x01\x02",
                                          "HTTP/1.1",
                                          "HTTP/1.1 abc\r\n\r\n",
                                          "HTTP/9.9 200 OK\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
                                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"};
    char url[64];
    int listener = reserve_port(url);
    assert_int_equal(listen(listener, 1), 0);
    char *yaml = config_single(url, TIMEOUT_MS);
    struct host *host = host_new(yaml, NULL, NULL);
    host_start(host);
    user_register(host_url(host), "garbage");
    char *token = user_login(host_url(host), "garbage");
    for
        EACH(i, garbage)
        {
            struct http_answer answer;
            struct http_request request = {.method = "POST",
                                           .path = "/garbage/mfa/activate",
                                           .token = token,
                                           .json = json_loads(USER_DATA_SINGLE, 0, NULL)};
            struct http_batch *batch = http_begin_all(host_url(host), &request, 1);
            answer_with_bytes(listener, garbage[i], strlen(garbage[i]));
            http_await_all(batch, &answer);
            expect_failure(answer, &(struct failure){.name = garbage[i], .data = PROVIDER_ERROR});
        }
    host_stop(host);
    host_free(host);
    close(listener);
    free(token);
    free(yaml);
}

static void others_are_served_while_one_message_hangs(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, NULL); /* time-out: ten seconds */
    stage_enrol(&stage, "hanging");
    stage_enrol(&stage, "enrolled");
    user_register(stage_url(&stage), "without");
    size_t before = gateway_request_count(stage.gateway);
    gateway_answer_next(stage.gateway, (struct gateway_script){.status = 200, .manner = GATEWAY_STALL});
    struct http_request request = {.method = "POST", .path = "/hanging/auth/login", .json = login_body("hanging")};
    struct http_answer answer;
    struct http_batch *batch = http_begin_all(stage_url(&stage), &request, 1);
    gateway_await_requests(stage.gateway, before + 1, 60000);

    uint64_t started_ms = hold_now_ms();
    free(user_login(stage_url(&stage), "without"));
    struct pending_login login = stage_login(&stage, "enrolled");
    free(user_verify(stage_url(&stage), "enrolled", login.mfa_token, login.code));
    pending_login_clear(&login);
    assert_true(hold_now_ms() - started_ms < 8000);

    gateway_release(stage.gateway); /* closes the connection of the one that hangs */
    http_await_all(batch, &answer);
    http_expect_error(answer, 400, "invalid-operation", PROVIDER_ERROR);
    stage_close(&stage);
}

static void past_the_most_in_flight_the_answer_is_503_at_once(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, config_single, "    gateway:\n      maxInFlight: 1\n");
    stage_enrol(&stage, "queue");
    user_register(stage_url(&stage), "without");
    size_t before = gateway_request_count(stage.gateway);
    gateway_answer_next(stage.gateway, (struct gateway_script){.status = 200, .manner = GATEWAY_STALL});
    struct http_request request = {.method = "POST", .path = "/queue/auth/login", .json = login_body("queue")};
    struct http_answer answer;
    struct http_batch *batch = http_begin_all(stage_url(&stage), &request, 1);
    gateway_await_requests(stage.gateway, before + 1, 60000);

    struct http_answer refused = user_login_answer(stage_url(&stage), "queue");
    assert_non_null(http_header(&refused, "Retry-After"));
    http_expect(refused, 503, "api-unavailable");
    assert_int_equal(gateway_request_count(stage.gateway), before + 1);
    free(user_login(stage_url(&stage), "without"));

    gateway_release(stage.gateway);
    http_await_all(batch, &answer);
    http_expect(answer, 400, "invalid-operation");
    free(user_login_mfa(stage_url(&stage), "queue"));
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_whose_message_fails_is_told_so_and_leaves_nothing_behind),
        cmocka_unit_test(an_activation_whose_message_fails_is_told_so),
        cmocka_unit_test(a_resend_that_fails_keeps_the_code_before_good),
        cmocka_unit_test(a_verification_that_fails_is_told_so_and_the_session_lives_on),
        cmocka_unit_test(while_the_service_is_down_verifications_use_nothing_up),
        cmocka_unit_test(a_session_whose_message_failed_is_not_counted_as_pending),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_service_that_is_not_there_is_a_provider_error),
        cmocka_unit_test(an_answer_that_is_no_http_is_a_provider_error),
        cmocka_unit_test(others_are_served_while_one_message_hangs),
        cmocka_unit_test(past_the_most_in_flight_the_answer_is_503_at_once),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
