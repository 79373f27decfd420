/* SPDX-License-Identifier: Apache-2.0
 *
 * test_host.c: the whole host in this process, with two plugins (plugins/gate.c), over HTTP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "host.h"

#define ANSWER_MAX 16384
#define SHORT_DEADLINE_MS 100

#define FEW_CONNECTIONS 3

#define CONFIG(http)                                                                                                   \
    "http: {port: 0" http "}\n"                                                                                        \
    "auth: {adminAccessKey: the-key, passwordHashing: minimum}\n"

struct world {
    struct host host;
    char token[64]; /* alice's */
};

struct answer {
    int status;
    char text[ANSWER_MAX]; /* with the headers */
};

/* --- HTTP ---------------------------------------------------------------------------------------------------------- */

/* Returns -1 when the host refuses the connection. */
static int try_connect_from(const char *own_ip, const struct host *host)
{
    const char *port = strchr(host->address, ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    struct sockaddr_in own = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(AF_INET, own_ip, &own.sin_addr), 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof(own)), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(fd);
    return -1;
}

static int connect_from(const char *own_ip, const struct host *host)
{
    int fd = try_connect_from(own_ip, host);

    assert_true(fd >= 0);
    return fd;
}

static int connect_to(const struct host *host)
{
    return connect_from("127.0.0.1", host);
}

static void send_request(int fd, const char *method, const char *path, const char *token, const char *body)
{
    char head[512];
    int len = snprintf(head, sizeof(head),
                       "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%sContent-Length: %zu\r\n\r\n", method,
                       path, token ? "Authorization: " : "", token ? token : "", token ? "\r\n" : "", strlen(body));

    assert_true(len > 0 && (size_t)len < sizeof(head));
    assert_int_equal(send(fd, head, (size_t)len, MSG_NOSIGNAL), len);
    assert_int_equal(send(fd, body, strlen(body), MSG_NOSIGNAL), (ssize_t)strlen(body));
}

static struct answer receive(int fd)
{
    struct answer answer = {0};
    size_t used = 0;
    ssize_t len;

    while ((len = recv(fd, answer.text + used, sizeof(answer.text) - 1 - used, 0)) > 0)
        used += (size_t)len;
    (void)close(fd);
    (void)sscanf(answer.text, "HTTP/1.1 %d", &answer.status);
    return answer;
}

static struct answer ask(const struct world *world, const char *method, const char *path, const char *token,
                         const char *body)
{
    int fd = connect_to(&world->host);

    send_request(fd, method, path, token, body);
    return receive(fd);
}

/* The text member `key` of an answer, "" when it has none. */
static void read_text(const struct answer *answer, const char *key, char *out, size_t size)
{
    char pattern[64];

    (void)snprintf(pattern, sizeof(pattern), "\"%s\":\"", key);
    const char *start = strstr(answer->text, pattern);
    start = start ? start + strlen(pattern) : "";
    (void)snprintf(out, size, "%.*s", (int)strcspn(start, "\""), start);
}

static bool has_token(const struct answer *answer)
{
    return strstr(answer->text, "\"token\"") || strstr(answer->text, "apiEndpoint");
}

static void assert_error(const struct answer *answer, int status, const char *id)
{
    char found[64];

    read_text(answer, "id", found, sizeof(found));
    assert_string_equal(found, id);
    assert_int_equal(answer->status, status);
    assert_non_null(strstr(answer->text, "\"meta\":{\"apiVersion\""));
    assert_non_null(strstr(answer->text, "Access-Control-Allow-Origin: *"));
    assert_non_null(strstr(answer->text, "API-Version: "));
    assert_false(has_token(answer));
}

/* --- the host ------------------------------------------------------------------------------------------------------ */

static struct answer log_in(const struct world *world, const char *username, const char *app_id)
{
    char path[128], body[256];

    (void)snprintf(path, sizeof(path), "/%s/auth/login", username);
    (void)snprintf(body, sizeof(body), "{\"username\":\"%s\",\"password\":\"pw\",\"appId\":\"%s\"}", username, app_id);
    return ask(world, "POST", path, NULL, body);
}

static int start(void **state, const char *yaml, uint64_t call_deadline_ms)
{
    struct world *world = calloc(1, sizeof(*world));
    const char *build = getenv("BUILD");
    char config[] = "/tmp/test_host_XXXXXX", plugins[256];
    int fd = mkstemp(config);

    *state = world;
    if (!world || sodium_init() < 0 || fd < 0 || write(fd, yaml, strlen(yaml)) != (ssize_t)strlen(yaml))
        return -1;
    (void)close(fd);
    (void)snprintf(plugins, sizeof(plugins), "%s/tests/host/plugins", build ? build : "build");
    const struct host_options options = {.config = config, .plugins = plugins, .call_deadline_ms = call_deadline_ms};
    core_status status = host_start(&world->host, &options);
    (void)unlink(config);
    if (status != CORE_OK || host_listen(&world->host) != CORE_OK)
        return -1;
    (void)ask(world, "POST", "/users", NULL, "{\"appId\":\"a\",\"username\":\"alice\",\"password\":\"pw\"}");
    (void)ask(world, "POST", "/users", NULL, "{\"appId\":\"a\",\"username\":\"bobby\",\"password\":\"pw\"}");
    const struct answer answer = log_in(world, "alice", "allow");
    read_text(&answer, "token", world->token, sizeof(world->token));
    return world->token[0] ? 0 : -1;
}

static int set_up(void **state)
{
    return start(state, CONFIG(""), CALLS_DEADLINE_MS);
}

static int set_up_with_short_deadline(void **state)
{
    return start(state, CONFIG(""), SHORT_DEADLINE_MS);
}

static int set_up_with_few_connections(void **state)
{
    return start(state, CONFIG(", maxConnectionsPerAddress: 3"), CALLS_DEADLINE_MS);
}

static int tear_down_stopped(void **state)
{
    struct world *world = *state;

    host_clear(&world->host);
    free(world);
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    host_stop(&world->host);
    return tear_down_stopped(state);
}

/* --- logins -------------------------------------------------------------------------------------------------------- */

static void a_login_that_all_allow_gives_a_token(void **state)
{
    const struct world *world = *state;
    const struct answer login = log_in(world, "alice", "late");
    char token[64];

    assert_int_equal(login.status, 200);
    read_text(&login, "token", token, sizeof(token));
    assert_int_equal(ask(world, "GET", "/alice/access-info", token, "").status, 200);
    assert_int_equal(ask(world, "POST", "/alice/auth/logout", token, "{}").status, 200);
    const struct answer after = ask(world, "GET", "/alice/access-info", token, "");
    assert_error(&after, 403, "invalid-access-token");
}

static void a_login_that_one_denies_gives_none(void **state)
{
    const struct answer login = log_in(*state, "alice", "deny");

    assert_error(&login, 403, "denied");
}

static void a_wrong_password_asks_no_plugin(void **state)
{
    const struct answer login = ask(*state, "POST", "/alice/auth/login", NULL,
                                    "{\"username\":\"alice\",\"password\":\"px\",\"appId\":\"deny\"}");

    assert_error(&login, 401, "invalid-credentials");
}

static void a_login_is_released_when_every_plugin_was_satisfied(void **state)
{
    const struct world *world = *state;
    char grant[2 * CORE_GRANT_MAX + 1], body[2 * CORE_GRANT_MAX + 16], by[16];
    const struct answer first = log_in(world, "alice", "challenge");

    assert_int_equal(first.status, 200);
    assert_false(has_token(&first));
    read_text(&first, "challengedBy", by, sizeof(by));
    assert_string_equal(by, "gate");
    read_text(&first, "grant", grant, sizeof(grant));
    (void)snprintf(body, sizeof(body), "release %s", grant);
    const struct answer second = ask(world, "POST", "/alice/gate", NULL, body);
    assert_int_equal(second.status, 200);
    assert_false(has_token(&second));
    read_text(&second, "challengedBy", by, sizeof(by));
    assert_string_equal(by, "second");
    read_text(&second, "grant", grant, sizeof(grant));
    (void)snprintf(body, sizeof(body), "release %s", grant);
    const struct answer released = ask(world, "POST", "/alice/second", NULL, body);
    assert_int_equal(released.status, 200);
    assert_true(has_token(&released));
    assert_non_null(strstr(released.text, "X-Gate: second"));
    const struct answer again = ask(world, "POST", "/alice/second", NULL, body);
    assert_error(&again, 500, "unexpected-error");
}

static void a_grant_releases_nothing_for_another_user_or_plugin(void **state)
{
    const struct world *world = *state;
    char grant[2 * CORE_GRANT_MAX + 1], body[2 * CORE_GRANT_MAX + 16];
    const struct answer login = log_in(world, "alice", "challenge");

    read_text(&login, "grant", grant, sizeof(grant));
    (void)snprintf(body, sizeof(body), "release %s", grant);
    const struct answer other_user = ask(world, "POST", "/bobby/gate", NULL, body);
    assert_error(&other_user, 500, "unexpected-error");
    const struct answer other_plugin = ask(world, "POST", "/alice/second", NULL, body);
    assert_error(&other_plugin, 500, "unexpected-error");
    const struct answer forged = ask(world, "POST", "/alice/gate", NULL, "release 00112233");
    assert_error(&forged, 500, "unexpected-error");
    assert_int_equal(ask(world, "POST", "/alice/gate", NULL, body).status, 200);
}

static void a_call_that_is_never_completed_is_denied(void **state)
{
    const struct answer login = log_in(*state, "alice", "silent");

    assert_error(&login, 500, "unexpected-error");
    const struct answer route = ask(*state, "POST", "/alice/gate", NULL, "silent");
    assert_error(&route, 500, "unexpected-error");
}

static void a_plugin_cannot_end_the_call_of_another(void **state)
{
    struct world *world = *state;
    int login = connect_to(&world->host);

    send_request(login, "POST", "/alice/auth/login", NULL,
                 "{\"username\":\"alice\",\"password\":\"pw\",\"appId\":\"silent\"}");
    while (calls_count(world->host.calls) == 0)
        (void)sched_yield();
    const struct answer meddler = ask(world, "POST", "/alice/second", NULL, "meddle");
    assert_non_null(strstr(meddler.text, "{\"asked\":-10,\"ended\":-10,")); /* CORE_ERR_CLOSED */
    assert_int_equal(calls_count(world->host.calls), 1);
    host_stop(&world->host);
    const struct answer denied = receive(login);
    assert_error(&denied, 403, "denied");
}

/* --- routes --------------------------------------------------------------------------------------------------------- */

static void an_answer_may_come_later(void **state)
{
    const struct answer answer = ask(*state, "POST", "/alice/gate", NULL, "late");

    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.text, "{\"late\":true,\"meta\":{"));
}

static void an_answer_that_is_no_object_is_an_error(void **state)
{
    const struct answer answer = ask(*state, "POST", "/alice/gate", NULL, "bad");

    assert_error(&answer, 500, "unexpected-error");
}

/* Keeps what is logged, until end_log gives it. */
static int start_log(int *stderr_fd)
{
    int fd = memfd_create("log", MFD_CLOEXEC);

    *stderr_fd = dup(STDERR_FILENO);
    assert_true(fd >= 0 && *stderr_fd >= 0);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    return fd;
}

static void end_log(int fd, int stderr_fd, char text[static ANSWER_MAX])
{
    assert_int_equal(dup2(stderr_fd, STDERR_FILENO), STDERR_FILENO);
    ssize_t len = pread(fd, text, ANSWER_MAX - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    (void)close(fd);
    (void)close(stderr_fd);
}

static void a_result_that_cannot_be_used_is_logged(void **state)
{
    char log[ANSWER_MAX];
    int stderr_fd = -1, fd = start_log(&stderr_fd);
    const struct answer bad = ask(*state, "POST", "/alice/gate", NULL, "bad");
    const struct answer wrong = ask(*state, "POST", "/alice/gate", NULL, "wrong");
    const struct answer login = log_in(*state, "alice", "wrong");

    end_log(fd, stderr_fd, log);
    assert_error(&bad, 500, "unexpected-error");
    assert_error(&wrong, 500, "unexpected-error");
    assert_error(&login, 500, "unexpected-error");
    assert_non_null(strstr(log, "error host plugin gate: /{username}/gate: its result has a body that is not a JSON"));
    assert_non_null(strstr(log, "error host plugin gate: /{username}/gate: its result has an outcome that is not"));
    assert_non_null(strstr(log, "error host plugin gate: login hook: its result has an outcome that is not"));
}

static void the_host_enforces_the_token_of_a_route(void **state)
{
    const struct world *world = *state;
    char app_token[64];
    struct answer answer = ask(world, "POST", "/alice/accesses", world->token,
                               "{\"name\":\"an app\",\"type\":\"app\",\"permissions\":[]}");

    assert_int_equal(answer.status, 201);
    read_text(&answer, "token", app_token, sizeof(app_token));
    assert_int_equal(ask(world, "GET", "/alice/gate", world->token, "").status, 200);
    answer = ask(world, "GET", "/alice/gate", NULL, "");
    assert_error(&answer, 401, "invalid-access-token");
    answer = ask(world, "GET", "/alice/gate", "Bearer", "");
    assert_error(&answer, 401, "invalid-access-token");
    answer = ask(world, "GET", "/alice/gate", "wrong", "");
    assert_error(&answer, 403, "invalid-access-token");
    answer = ask(world, "GET", "/bobby/gate", world->token, "");
    assert_error(&answer, 403, "invalid-access-token");
    answer = ask(world, "GET", "/alice/gate", app_token, "");
    assert_error(&answer, 403, "forbidden");
}

static void a_token_is_taken_in_three_ways(void **state)
{
    const struct world *world = *state;
    char path[128], header[128];

    (void)snprintf(path, sizeof(path), "/alice/gate?auth=%s", world->token);
    (void)snprintf(header, sizeof(header), "bEaReR %s", world->token);
    assert_int_equal(ask(world, "GET", path, NULL, "").status, 200);
    assert_int_equal(ask(world, "GET", "/alice/gate", header, "").status, 200);
    assert_int_equal(ask(world, "GET", "/alice/gate", world->token, "").status, 200);
}

static void the_administrators_key_opens_only_its_routes(void **state)
{
    const struct world *world = *state;
    struct answer answer = ask(world, "DELETE", "/system/users/alice/gate", "the-key", "");

    assert_int_equal(answer.status, 200);
    answer = ask(world, "DELETE", "/system/users/alice/gate", NULL, "");
    assert_error(&answer, 401, "invalid-access-token");
    answer = ask(world, "DELETE", "/system/users/alice/gate", "the-kez", "");
    assert_error(&answer, 403, "invalid-access-token");
    answer = ask(world, "DELETE", "/system/users/alice/gate", world->token, "");
    assert_error(&answer, 403, "invalid-access-token");
    answer = ask(world, "GET", "/alice/gate", "the-key", "");
    assert_error(&answer, 403, "invalid-access-token");
}

static void who_and_what_does_not_exist_is_not_found(void **state)
{
    static const char *const paths[] = {"/nobody/gate", "/alice/nothing", "/{username}/gate", "/"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct answer answer = ask(*state, "POST", paths[i], NULL, "x");
        assert_error(&answer, 404, "unknown-resource");
    }
}

static bool has_body(const struct answer *answer)
{
    const char *end = strstr(answer->text, "\r\n\r\n");

    return end && end[4];
}

static void head_is_get_without_the_body(void **state)
{
    const struct world *world = *state;
    struct answer answer = ask(world, "HEAD", "/alice/gate", world->token, "");

    assert_int_equal(answer.status, 200);
    assert_false(has_body(&answer));
    assert_non_null(strstr(answer.text, "Content-Type: application/json"));
    assert_int_equal(ask(world, "HEAD", "/alice/gate", NULL, "").status, 401);
    assert_int_equal(ask(world, "HEAD", "/service/info", NULL, "").status, 200);
    assert_int_equal(ask(world, "HEAD", "/alice/nothing", NULL, "").status, 404);
}

static void a_browser_may_send_every_method_of_a_route(void **state)
{
    const struct answer answer = ask(*state, "OPTIONS", "/alice/gate", NULL, "");

    assert_int_equal(answer.status, 200);
    assert_non_null(
        strstr(answer.text, "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"));
}

static void a_body_that_is_too_long_is_refused(void **state)
{
    char body[8192];

    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    const struct answer answer = ask(*state, "POST", "/alice/gate", NULL, body);
    assert_error(&answer, 400, "invalid-request-structure");
    body[4096] = '\0';
    assert_int_equal(ask(*state, "POST", "/alice/gate", NULL, body).status, 200);
}

/* An open connection on which an answer has been read; -1: the host closed it. */
static int hold_connection(const struct world *world, const char *own_ip)
{
    static const char request[] = "GET /service/info HTTP/1.1\r\nHost: x\r\n\r\n";
    char answer[ANSWER_MAX];
    int fd = connect_from(own_ip, &world->host);

    if (send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) &&
        recv(fd, answer, sizeof(answer), 0) > 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* The host is a moment behind in counting those that were closed. */
static int hold_connection_at_last(const struct world *world)
{
    int fd = -1;

    for (int i = 0; i < 5000 && fd < 0; i++) {
        fd = hold_connection(world, "127.0.0.1");
        if (fd < 0)
            (void)usleep(1000);
    }
    assert_true(fd >= 0);
    return fd;
}

static void one_address_cannot_take_all_connections(void **state)
{
    const struct world *world = *state;
    int held[FEW_CONNECTIONS];

    for (size_t i = 0; i < FEW_CONNECTIONS; i++)
        held[i] = hold_connection_at_last(world);
    assert_int_equal(hold_connection(world, "127.0.0.1"), -1);
    int other = hold_connection(world, "127.0.0.2");
    assert_true(other >= 0);
    (void)close(other);
    (void)close(held[0]);
    held[0] = hold_connection_at_last(world);
    for (size_t i = 0; i < FEW_CONNECTIONS; i++)
        (void)close(held[i]);
}

static void a_claimed_field_cannot_be_written_by_the_user(void **state)
{
    const struct world *world = *state;
    struct answer answer = ask(world, "PUT", "/alice/profile/private", world->token, "{\"a\":1,\"gate\":null}");

    assert_error(&answer, 403, "forbidden");
    answer = ask(world, "GET", "/alice/profile/private", world->token, "");
    assert_non_null(strstr(answer.text, "{\"profile\":{},"));
    answer = ask(world, "PUT", "/alice/profile/private", world->token, "{\"a\":1}");
    assert_non_null(strstr(answer.text, "{\"profile\":{\"a\":1},"));
}

/* --- the end -------------------------------------------------------------------------------------------------------- */

static void stopping_answers_what_is_open(void **state)
{
    struct world *world = *state;
    int route = connect_to(&world->host);

    send_request(route, "POST", "/alice/gate", NULL, "silent");
    while (calls_count(world->host.calls) == 0)
        (void)sched_yield();
    host_stop(&world->host);
    const struct answer answer = receive(route);
    assert_error(&answer, 403, "denied");
}

static void *stop_host(void *host)
{
    host_stop(host);
    return NULL;
}

static void wait_for_exchanges(struct world *world, size_t count)
{
    while (atomic_load(&world->host.exchanges) != count)
        (void)sched_yield();
}

static bool refuses_new_connections(const struct world *world)
{
    int fd = 0;

    for (int i = 0; i < 2000 && fd >= 0; i++) {
        fd = try_connect_from("127.0.0.1", &world->host);
        if (fd >= 0)
            (void)close(fd);
        (void)usleep(1000);
    }
    return fd < 0;
}

static void a_host_that_stops_refuses_new_connections(void **state)
{
    static const char half[] = "POST /alice/gate HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n";
    struct world *world = *state;
    int unfinished = connect_to(&world->host);
    pthread_t stopping;

    wait_for_exchanges(world, 0);
    assert_int_equal(send(unfinished, half, strlen(half), MSG_NOSIGNAL), (ssize_t)strlen(half));
    wait_for_exchanges(world, 1);
    assert_int_equal(pthread_create(&stopping, NULL, stop_host, &world->host), 0);
    assert_true(refuses_new_connections(world));
    assert_int_equal(atomic_load(&world->host.exchanges), 1); /* it is still waited for */
    (void)close(unfinished);
    assert_int_equal(pthread_join(stopping, NULL), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_login_that_all_allow_gives_a_token),
        TEST(a_login_that_one_denies_gives_none),
        TEST(a_wrong_password_asks_no_plugin),
        TEST(a_login_is_released_when_every_plugin_was_satisfied),
        TEST(a_grant_releases_nothing_for_another_user_or_plugin),
        cmocka_unit_test_setup_teardown(a_call_that_is_never_completed_is_denied, set_up_with_short_deadline,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_plugin_cannot_end_the_call_of_another, set_up, tear_down_stopped),
        TEST(an_answer_may_come_later),
        TEST(an_answer_that_is_no_object_is_an_error),
        TEST(a_result_that_cannot_be_used_is_logged),
        TEST(the_host_enforces_the_token_of_a_route),
        TEST(a_token_is_taken_in_three_ways),
        TEST(the_administrators_key_opens_only_its_routes),
        TEST(who_and_what_does_not_exist_is_not_found),
        TEST(head_is_get_without_the_body),
        TEST(a_browser_may_send_every_method_of_a_route),
        TEST(a_body_that_is_too_long_is_refused),
        cmocka_unit_test_setup_teardown(one_address_cannot_take_all_connections, set_up_with_few_connections,
                                        tear_down),
        TEST(a_claimed_field_cannot_be_written_by_the_user),
        cmocka_unit_test_setup_teardown(stopping_answers_what_is_open, set_up, tear_down_stopped),
        cmocka_unit_test_setup_teardown(a_host_that_stops_refuses_new_connections, set_up, tear_down_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
