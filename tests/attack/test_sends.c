/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages cost money and reach people: an attacker who makes the host send more of them than it should, with the default
 * limits. What was sent is counted at the gateway.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attack.h"

#define FLOOD 50
#define INTERVAL_S 30
#define PER_USER 10
#define HOUR_S 3600
#define PER_DESTINATION 20
#define DAY_S 86400
/* A user's sessions do not make room for each other here, so that the right code can be tried after a flood of them. */
static const struct attack_settings defaults = {.send_limits = "", .sessions = "maxPendingPerUser: 0"};

static int open_stage(void **state)
{
    return stage_attacked_open_for_group(state, &defaults);
}

static size_t messages(struct stage *stage)
{
    return gateway_request_count(stage->gateway);
}

static json_t *user_data(const char *number)
{
    return json_pack("{s:s, s:s}", "message", "{{ code }}", "number", number);
}

static void enrol_at(struct stage *stage, const char *username, const char *number)
{
    json_t *data = user_data(number);
    char *text = json_dumps(data, JSON_COMPACT);
    json_decref(user_enrol(stage_url(stage), stage->gateway, username, text));
    json_decref(data);
    free(text);
}

static void log_in_times(struct stage *stage, const char *username, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(user_login_mfa(stage_url(stage), username));
}

/* With a service slow enough for each to meet those that are on their way; it serves as before afterwards. */
static void send_at_once(struct stage *stage, const struct http_request *requests, struct http_answer *answers,
                         size_t count)
{
    gateway_answer(stage->gateway, (struct gateway_script){.status = 200, .delay_ms = 100});
    http_send_all(stage_url(stage), requests, answers, count);
    gateway_answer(stage->gateway, (struct gateway_script){.status = 200});
}

static struct http_answer challenge(struct stage *stage, const char *username, const char *mfa_token)
{
    return user_mfa(stage_url(stage), username, "challenge", mfa_token, NULL);
}

/* The code of the message that has just been sent. */
static struct pending_login activate(struct stage *stage, const char *username, const char *token, json_t *data)
{
    struct http_answer answer = user_mfa(stage_url(stage), username, "activate", token, data /* transferred */);
    http_assert_answer(&answer, 302, NULL);
    struct pending_login activation = {.mfa_token = strdup(http_json_string(&answer, "mfaToken"))};
    gateway_last_code(stage->gateway, activation.code);
    http_answer_clear(&answer);
    return activation;
}

static void expect_right_code_confirms(struct stage *stage, const char *username, struct pending_login *activation)
{
    json_decref(user_confirm(stage_url(stage), username, activation->mfa_token, activation->code));
    pending_login_clear(activation);
}

/* --- What must hold of refusals ---------------------------------------------------------------------------------------- */

/* A 429 that gives nothing away and tells to wait almost so long. */
static void expect_limit(struct stage *stage, const char *username, struct http_answer answer, long longest)
{
    http_assert_answer(&answer, 429, "too-many-attempts");
    assert_true(retry_after_s(&answer, longest) > longest / 2);
    expect_refused(stage, username, answer, 429, "too-many-attempts");
}

static bool is_delayed(const struct http_answer *login)
{
    return json_object_get(login->json, "retryAfterSeconds") != NULL;
}

/* A login past a limit is an mfaToken that opens nothing, the seconds to wait, and no more. */
static void assert_is_delayed(struct stage *stage, const char *username, const struct http_answer *login, long longest)
{
    http_assert_answer(login, 200, NULL);
    assert_int_equal(json_object_size(login->json), 3);
    assert_non_null(json_object_get(login->json, "meta"));
    assert_in_range(json_integer_value(json_object_get(login->json, "retryAfterSeconds")), longest / 2, longest);
    assert_null(http_header(login, "Set-Cookie"));
    assert_false(opens_access(stage, username, http_json_string(login, "mfaToken")));
}

static void expect_delayed_login(struct stage *stage, const char *username, long longest)
{
    struct http_answer login = user_login_answer(stage_url(stage), username);
    assert_is_delayed(stage, username, &login, longest);
    expect_limit(stage, username, challenge(stage, username, http_json_string(&login, "mfaToken")), longest);
    http_answer_clear(&login);
}

/* --- One session -------------------------------------------------------------------------------------------------------- */

typedef struct pending_login login_fn(struct stage *stage, const char *username);
typedef void flood_fn(struct stage *stage, const char *username, const char *mfa_token);

static void ask_in_turn(struct stage *stage, const char *username, const char *mfa_token)
{
    http_expect(challenge(stage, username, mfa_token), 200, NULL);
    for (size_t i = 1; i < FLOOD; i++)
        expect_limit(stage, username, challenge(stage, username, mfa_token), INTERVAL_S);
}

static void ask_at_once(struct stage *stage, const char *username, const char *mfa_token)
{
    struct http_request requests[FLOOD];
    struct http_answer answers[FLOOD];
    size_t sent = 0;
    char *path = user_path(username, "/mfa/challenge");
    for (size_t i = 0; i < FLOOD; i++)
        requests[i] = (struct http_request){.method = "POST", .path = path, .token = mfa_token};
    send_at_once(stage, requests, answers, FLOOD);
    for (size_t i = 0; i < FLOOD; i++) {
        if (answers[i].status == 200) {
            sent++;
            http_answer_clear(&answers[i]);
        } else {
            retry_after_s(&answers[i], INTERVAL_S);
            expect_refused(stage, username, answers[i], 429, "too-many-attempts");
        }
    }
    assert_int_equal(sent, 1);
    free(path);
}

static void assert_a_flood_sends_one(struct stage *stage, const char *username, login_fn *log_in, flood_fn *flood)
{
    struct pending_login login = log_in(stage, username);
    size_t sent = messages(stage);
    flood(stage, username, login.mfa_token);
    assert_int_equal(messages(stage), sent + 1);
    expect_right_code_works(stage, username, &login); /* that of the message before the flood */
}

static void A100_a_flood_of_re_sends_sends_one(void **state)
{
    struct stage *stage = *state;
    enrol_at(stage, "resends", "41795550100");
    assert_a_flood_sends_one(stage, "resends", stage_login, ask_in_turn);
    assert_a_flood_sends_one(stage, "resends", stage_login, ask_at_once);
}

static struct pending_login log_in_to_service(struct stage *stage, const char *username)
{
    return (struct pending_login){.mfa_token = user_login_mfa(stage_url(stage), username), .code = "12345"};
}

static void A101_a_flood_of_re_sends_sends_one_in_challenge_verify(void **state)
{
    (void)state;
    struct stage stage;
    struct attack_settings settings = defaults;
    settings.mode = "challenge-verify";
    stage_attacked_open(&stage, &settings);
    char *token = stage_register(&stage, "resends");
    char *mfa_token = user_activate(stage_url(&stage), "resends", token, NULL);
    json_decref(user_confirm(stage_url(&stage), "resends", mfa_token, "12345"));
    assert_a_flood_sends_one(&stage, "resends", log_in_to_service, ask_in_turn);
    assert_a_flood_sends_one(&stage, "resends", log_in_to_service, ask_at_once);
    free(mfa_token);
    free(token);
    stage_close(&stage);
}

/* --- One user ----------------------------------------------------------------------------------------------------------- */

static void A102_new_logins_get_round_the_interval_but_not_past_the_hour(void **state)
{
    struct stage *stage = *state;
    enrol_at(stage, "relogins", "41795550102");
    size_t sent = messages(stage) - 1;
    struct pending_login first = stage_login(stage, "relogins");
    http_expect(challenge(stage, "relogins", first.mfa_token), 200, NULL); /* re-sends count as well */
    log_in_times(stage, "relogins", PER_USER - 4);
    struct pending_login login = stage_login(stage, "relogins");
    for (size_t i = 0; i < 20; i++)
        expect_delayed_login(stage, "relogins", HOUR_S);
    expect_limit(stage, "relogins", challenge(stage, "relogins", login.mfa_token), HOUR_S);
    assert_int_equal(messages(stage), sent + PER_USER);
    expect_right_code_works(stage, "relogins", &first);
    expect_right_code_works(stage, "relogins", &login);
}

static void A103_activations_again_and_again_stop_after_ten_an_hour(void **state)
{
    struct stage *stage = *state;
    char number[16];
    size_t sent = messages(stage);
    char *token = stage_register(stage, "bomber");
    struct pending_login activation = {0};
    for (unsigned i = 0; i < FLOOD; i++) { /* a victim each */
        snprintf(number, sizeof number, "417955510%02u", i);
        if (i >= PER_USER) {
            struct http_answer answer =
                user_mfa(stage_url(stage), "bomber", "activate", token, user_data(number) /* transferred */);
            expect_limit(stage, "bomber", answer, HOUR_S);
            continue;
        }
        pending_login_clear(&activation);
        activation = activate(stage, "bomber", token, user_data(number));
    }
    expect_right_code_confirms(stage, "bomber", &activation);
    http_expect(user_mfa(stage_url(stage), "bomber", "deactivate", token, json_object()), 200, NULL);
    expect_limit(stage, "bomber", user_mfa(stage_url(stage), "bomber", "activate", token, user_data("41795551100")),
                 HOUR_S);
    assert_int_equal(messages(stage), sent + PER_USER);
    free(token);
}

/* --- One destination ---------------------------------------------------------------------------------------------------- */

static json_t *spelling(size_t index)
{
    static const char *const texts[] = {
        "41795550123",         "+41 79 555 01 23",   "0041795550123",      "%2B41795550123",   "+41-79-555-01-23",
        "(0041) 79/555.01.23", "%30%30 41795550123", "tel:+41-79-5550123", "0000041795550123",
    };
    switch (index) {
    case LIST_LEN(texts): return json_pack("{s:s, s:I}", "message", "{{ code }}", "number", (json_int_t)41795550123);
    case LIST_LEN(texts) + 1: /* destinations that the request does not use */
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "phone", "41795550000", "phone_number", "41795550001", "to",
                         "41795550002", "email", "nobody@example.org", "message", "{{ code }}", "number",
                         "41795550123");
    default: return index < LIST_LEN(texts) ? user_data(texts[index]) : NULL;
    }
}

static void A104_many_accounts_cannot_bomb_one_number_in_any_spelling(void **state)
{
    struct stage *stage = *state;
    char username[32];
    size_t sent = messages(stage);
    struct pending_login activation = {0};
    size_t spellings = 0;
    for (json_t *data = NULL; (data = spelling(spellings)); spellings++)
        json_decref(data);
    for (size_t i = 0; i < PER_DESTINATION + spellings; i++) {
        snprintf(username, sizeof username, "account-%02zu", i);
        char *token = stage_register(stage, username);
        if (i < PER_DESTINATION) {
            pending_login_clear(&activation);
            activation = activate(stage, username, token, spelling(i % spellings));
        } else {
            struct http_answer answer =
                user_mfa(stage_url(stage), username, "activate", token, spelling(i - PER_DESTINATION));
            expect_limit(stage, username, answer, DAY_S);
        }
        free(token);
    }
    assert_int_equal(messages(stage), sent + PER_DESTINATION);
    snprintf(username, sizeof username, "account-%02d", PER_DESTINATION - 1);
    expect_right_code_confirms(stage, username, &activation);
    expect_delayed_login(stage, username, DAY_S);
    enrol_at(stage, "neighbour", "41795550124");
    assert_int_equal(messages(stage), sent + PER_DESTINATION + 1);
}

static void A110_a_list_is_no_destination_nor_is_a_number_with_anything_behind(void **state)
{
    static const char *const hostile[] = {
        "41795550110,41795550111",     "41795550110%2C41795550111",
        "41795550110;41795550111",     "41795550110%0a41795550111",
        "41795550110 41795550111",     "\uff14\uff11\uff17\uff19\uff15\uff15\uff15\uff10\uff11\uff11\uff10",
        "%EF%BC%9441795550110",        "41795550110 ext 77",
        "tel:+41795550110 ext 77",     "%2541795550110",
        "a <41795550110@example.com>", "+4179555{{ code }}",
    };
    struct stage *stage = *state;
    size_t sent = messages(stage);
    char *token = stage_register(stage, "lists");
    for (size_t i = 0; i < LIST_LEN(hostile); i++) {
        struct http_answer answer =
            user_mfa(stage_url(stage), "lists", "activate", token, user_data(hostile[i]) /* transferred */);
        expect_refused(stage, "lists", answer, 400, "invalid-parameters-format");
    }
    json_t *with_point = json_pack("{s:s, s:f}", "message", "{{ code }}", "number", 4179555011.5);
    expect_refused(stage, "lists", user_mfa(stage_url(stage), "lists", "activate", token, with_point) /* transferred */,
                   400, "invalid-parameters-format");
    assert_int_equal(messages(stage), sent);
    struct pending_login activation = activate(stage, "lists", token, user_data("41795550110"));
    expect_right_code_confirms(stage, "lists", &activation);
    free(token);
}

/* --- At once ------------------------------------------------------------------------------------------------------------ */

static void A105_of_logins_at_once_one_gets_the_last_message(void **state)
{
    struct stage *stage = *state;
    struct http_request requests[FLOOD];
    struct http_answer answers[FLOOD];
    const struct http_answer *winner = NULL;
    enrol_at(stage, "lastlogin", "41795550105");
    log_in_times(stage, "lastlogin", PER_USER - 2);
    size_t sent = messages(stage);
    for (size_t i = 0; i < FLOOD; i++)
        requests[i] =
            (struct http_request){.method = "POST", .path = "/lastlogin/auth/login", .json = login_body("lastlogin")};
    send_at_once(stage, requests, answers, FLOOD);
    for (size_t i = 0; i < FLOOD; i++) {
        if (is_delayed(&answers[i])) {
            assert_is_delayed(stage, "lastlogin", &answers[i], HOUR_S);
            continue;
        }
        assert_null(winner);
        winner = &answers[i];
    }
    assert_int_equal(messages(stage), sent + 1);
    struct pending_login login = {.mfa_token = strdup(http_json_string(winner, "mfaToken"))};
    gateway_last_code(stage->gateway, login.code);
    expect_right_code_works(stage, "lastlogin", &login);
    for (size_t i = 0; i < FLOOD; i++)
        http_answer_clear(&answers[i]);
}

/* Sends all and expects one of them to be served. Returns its index, and its mfaToken in `login`. */
static size_t expect_one_activation(struct stage *stage, const struct http_request *requests, size_t count,
                                    long longest, struct pending_login *login)
{
    struct http_answer answers[FLOOD];
    size_t winner = count;
    size_t sent = messages(stage);
    send_at_once(stage, requests, answers, count);
    for (size_t i = 0; i < count; i++) {
        if (answers[i].status == 302) {
            assert_int_equal(winner, count);
            winner = i;
            login->mfa_token = strdup(http_json_string(&answers[i], "mfaToken"));
        } else {
            http_assert_answer(&answers[i], 429, "too-many-attempts");
            assert_true(retry_after_s(&answers[i], longest) > longest / 2);
            assert_gives_nothing(&answers[i]);
        }
        http_answer_clear(&answers[i]);
    }
    assert_int_equal(messages(stage), sent + 1);
    gateway_last_code(stage->gateway, login->code);
    return winner;
}

static void A106_of_activations_at_once_one_gets_the_last_message(void **state)
{
    struct stage *stage = *state;
    struct http_request requests[FLOOD];
    struct pending_login activation = {0};
    char *token = stage_register(stage, "lastone");
    for (size_t i = 1; i < PER_USER; i++) {
        activation = activate(stage, "lastone", token, user_data("41795550106"));
        pending_login_clear(&activation);
    }
    for (size_t i = 0; i < FLOOD; i++)
        requests[i] = (struct http_request){
            .method = "POST", .path = "/lastone/mfa/activate", .token = token, .json = user_data("41795550106")};
    expect_one_activation(stage, requests, FLOOD, HOUR_S, &activation);
    expect_right_code_confirms(stage, "lastone", &activation);
    free(token);
}

static void A107_of_accounts_at_once_one_gets_the_last_message_to_a_number(void **state)
{
    struct stage *stage = *state;
    char usernames[FLOOD][32];
    char *tokens[FLOOD];
    char *paths[FLOOD];
    struct http_request requests[FLOOD];
    struct pending_login activation = {0};
    for (size_t i = 0; i < FLOOD; i++) {
        snprintf(usernames[i], sizeof usernames[i], "crowd-%02zu", i);
        tokens[i] = stage_register(stage, usernames[i]);
        paths[i] = user_path(usernames[i], "/mfa/activate");
        requests[i] = (struct http_request){.method = "POST", .path = paths[i], .token = tokens[i]};
    }
    for (size_t i = 1; i < PER_DESTINATION; i++) {
        activation = activate(stage, usernames[i], tokens[i], user_data("41795550107"));
        pending_login_clear(&activation);
    }
    for (size_t i = 0; i < FLOOD; i++)
        requests[i].json = user_data("41795550107");
    size_t winner = expect_one_activation(stage, requests, FLOOD, DAY_S, &activation);
    expect_right_code_confirms(stage, usernames[winner], &activation);
    for (size_t i = 0; i < FLOOD; i++) {
        free(paths[i]);
        free(tokens[i]);
    }
}

/* --- Ways to make the host forget --------------------------------------------------------------------------------------- */

static void expect_used_up(struct stage *stage, const char *username, long longest)
{
    size_t sent = messages(stage);
    expect_delayed_login(stage, username, longest);
    assert_int_equal(messages(stage), sent);
}

static void A108_neither_a_restart_nor_a_crash_resets_the_counts(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &defaults);
    enrol_at(&stage, "first-half", "41795550108");
    log_in_times(&stage, "first-half", PER_USER - 1);
    host_stop(stage.host);
    host_start(stage.host);
    expect_used_up(&stage, "first-half", HOUR_S);
    enrol_at(&stage, "second-half", "0041 79 555 01 08");
    log_in_times(&stage, "second-half", PER_USER - 1);
    pause_ms(2500); /* written behind, every second */
    host_kill(stage.host);
    host_start(stage.host);
    expect_used_up(&stage, "first-half", DAY_S); /* now by its number as well */
    expect_used_up(&stage, "second-half", DAY_S);
    char *token = stage_register(&stage, "third");
    expect_limit(&stage, "third", user_mfa(stage_url(&stage), "third", "activate", token, user_data("+41795550108")),
                 DAY_S);
    assert_int_equal(messages(&stage), PER_DESTINATION);
    free(token);
    stage_close(&stage);
}

/* Sends a whole request and closes the connection, without waiting for the answer. */
static void post_and_hang_up(struct stage *stage, const char *path, json_t *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)strtoul(strrchr(stage_url(stage), ':') + 1, NULL, 10));
    char *text = json_dumps(body, JSON_COMPACT);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_true(
        dprintf(fd, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                path, strlen(text), text) > 0);
    close(fd);
    json_decref(body);
    free(text);
}

/* Waits until so many logins have come to something. */
static void await_logins(struct stage *stage, size_t count)
{
    static const char event[] = "event=mfa.login ";
    size_t seen = 0;
    for (int tries = 0; seen < count; tries++) {
        assert_true(tries < 400); /* twenty seconds */
        pause_ms(50);
        char *log = host_log(stage->host);
        seen = 0;
        for (const char *at = strstr(log, event); at; at = strstr(at + 1, event))
            seen++;
        free(log);
    }
}

static void A109_who_hangs_up_before_the_answer_is_counted(void **state)
{
    (void)state;
    struct stage stage;
    stage_attacked_open(&stage, &defaults);
    enrol_at(&stage, "hangs-up", "41795550109");
    gateway_answer(stage.gateway, (struct gateway_script){.status = 200, .delay_ms = 100});
    for (size_t i = 0; i < FLOOD; i++)
        post_and_hang_up(&stage, "/hangs-up/auth/login", login_body("hangs-up"));
    await_logins(&stage, FLOOD);
    assert_int_equal(messages(&stage), PER_USER);
    expect_used_up(&stage, "hangs-up", HOUR_S);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A100_a_flood_of_re_sends_sends_one),
        cmocka_unit_test(A101_a_flood_of_re_sends_sends_one_in_challenge_verify),
        cmocka_unit_test(A102_new_logins_get_round_the_interval_but_not_past_the_hour),
        cmocka_unit_test(A103_activations_again_and_again_stop_after_ten_an_hour),
        cmocka_unit_test(A104_many_accounts_cannot_bomb_one_number_in_any_spelling),
        cmocka_unit_test(A110_a_list_is_no_destination_nor_is_a_number_with_anything_behind),
        cmocka_unit_test(A105_of_logins_at_once_one_gets_the_last_message),
        cmocka_unit_test(A106_of_activations_at_once_one_gets_the_last_message),
        cmocka_unit_test(A107_of_accounts_at_once_one_gets_the_last_message_to_a_number),
        cmocka_unit_test(A108_neither_a_restart_nor_a_crash_resets_the_counts),
        cmocka_unit_test(A109_who_hangs_up_before_the_answer_is_counted),
        cmocka_unit_test(host_ends_in_good_order),
    };
    return cmocka_run_group_tests(tests, open_stage, NULL);
}
