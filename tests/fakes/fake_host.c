/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

void fake_host_init(struct fake_host *host)
{
    memset(host, 0, sizeof *host);
    pthread_mutex_init(&host->mutex, NULL);
    pthread_cond_init(&host->completed, NULL);
    host->monotonic_ms = 86399977;
    host->patience_ms = 30000;
    host->wall_ms = 1700000000123;
    host->next_version = 41;
    host->random_state = 0x9e3779b97f4a7c15;
}

void fake_host_clear(struct fake_host *host)
{
    for (size_t i = 0; i < FAKE_MAX_USERS; i++) {
        for (size_t j = 0; j < 2; j++)
            free(host->users[i].records[j].text);
    }
    for (size_t i = 0; i < host->completion_count; i++)
        mfa_http_reply_clear(&host->completions[i].http);
    pthread_cond_destroy(&host->completed);
    pthread_mutex_destroy(&host->mutex);
}

static struct fake_user *find_user(struct fake_host *host, const char *user_id)
{
    for (size_t i = 0; i < FAKE_MAX_USERS; i++) {
        if (host->users[i].user_id[0] == '\0')
            snprintf(host->users[i].user_id, sizeof host->users[i].user_id, "%s", user_id);
        if (strcmp(host->users[i].user_id, user_id) == 0)
            return &host->users[i];
    }
    fail_msg("more users than the fake host holds");
    return NULL;
}

static void put(struct fake_host *host, struct fake_record *record, const char *data, size_t len)
{
    free(record->text);
    record->text = data != NULL ? strndup(data, len) : NULL;
    record->version = host->next_version++;
}

void fake_host_set_record(struct fake_host *host, enum mfa_record record, const char *user_id, const char *text)
{
    pthread_mutex_lock(&host->mutex);
    put(host, &find_user(host, user_id)->records[record], text, text != NULL ? strlen(text) : 0);
    pthread_mutex_unlock(&host->mutex);
}

void fake_host_set_profile(struct fake_host *host, const char *user_id, const char *text)
{
    fake_host_set_record(host, MFA_RECORD_ENROLMENT, user_id, text);
}

char *fake_host_record(struct fake_host *host, enum mfa_record record, const char *user_id)
{
    const char *text = NULL;
    char *copy = NULL;

    pthread_mutex_lock(&host->mutex);
    text = find_user(host, user_id)->records[record].text;
    if (text != NULL)
        copy = strdup(text);
    pthread_mutex_unlock(&host->mutex);
    return copy;
}

char *fake_host_profile(struct fake_host *host, const char *user_id)
{
    return fake_host_record(host, MFA_RECORD_ENROLMENT, user_id);
}

void fake_host_advance(struct fake_host *host, uint64_t ms)
{
    pthread_mutex_lock(&host->mutex);
    host->monotonic_ms += ms;
    host->wall_ms += (int64_t)ms;
    pthread_mutex_unlock(&host->mutex);
}

void fake_host_fail_clock(struct fake_host *host, bool fails)
{
    pthread_mutex_lock(&host->mutex);
    host->clock_fails = fails;
    pthread_mutex_unlock(&host->mutex);
}

static struct fake_completion *find_completion(struct fake_host *host, uint64_t call)
{
    for (size_t i = 0; i < host->completion_count; i++)
        if (host->completions[i].call == call)
            return &host->completions[i];
    return NULL;
}

static struct timespec in_ten_seconds(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    return until;
}

const struct fake_completion *fake_host_wait(struct fake_host *host, uint64_t call)
{
    struct fake_completion *completion = NULL;
    struct timespec until = in_ten_seconds();
    int waited = 0;

    pthread_mutex_lock(&host->mutex);
    while ((completion = find_completion(host, call)) == NULL && waited == 0)
        waited = pthread_cond_timedwait(&host->completed, &host->mutex, &until);
    pthread_mutex_unlock(&host->mutex);
    assert_non_null(completion);
    assert_int_equal(completion->count, 1);
    return completion;
}

void fake_host_await_passwords(struct fake_host *host, unsigned count)
{
    struct timespec until = in_ten_seconds();
    int waited = 0;

    pthread_mutex_lock(&host->mutex);
    while (host->waiting_passwords < count && waited == 0)
        waited = pthread_cond_timedwait(&host->completed, &host->mutex, &until);
    pthread_mutex_unlock(&host->mutex);
    assert_int_equal(waited, 0);
}

void fake_host_let_passwords_go(struct fake_host *host)
{
    pthread_mutex_lock(&host->mutex);
    host->passwords_wait = false;
    pthread_cond_broadcast(&host->completed);
    pthread_mutex_unlock(&host->mutex);
}

/* --- The port ----------------------------------------------------------------------------------------------------- */

static void fake_log(void *ctx, enum mfa_log_level level, const char *line)
{
    struct fake_host *host = ctx;
    size_t used = 0;

    pthread_mutex_lock(&host->mutex);
    used = strlen(host->log);
    snprintf(host->log + used, sizeof host->log - used, "%d %s\n", (int)level, line);
    pthread_mutex_unlock(&host->mutex);
}

static enum mfa_status fake_monotonic_ms(void *ctx, uint64_t *ms)
{
    struct fake_host *host = ctx;
    bool fails = false;

    pthread_mutex_lock(&host->mutex);
    fails = host->clock_fails;
    *ms = fails ? 0 : host->monotonic_ms;
    pthread_mutex_unlock(&host->mutex);
    return fails ? MFA_ERR_INTERNAL : MFA_OK;
}

static enum mfa_status fake_wall_ms(void *ctx, int64_t *ms)
{
    struct fake_host *host = ctx;
    bool fails = false;

    pthread_mutex_lock(&host->mutex);
    fails = host->clock_fails || host->wall_clock_fails;
    *ms = fails ? 0 : host->wall_ms;
    pthread_mutex_unlock(&host->mutex);
    return fails ? MFA_ERR_INTERNAL : MFA_OK;
}

static unsigned char draw(struct fake_host *host)
{
    if (host->script_len > 0) {
        host->script_len--;
        return *host->script++;
    }
    host->random_state = host->random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned char)(host->random_state >> 56);
}

static enum mfa_status fake_random(void *ctx, void *bytes, size_t len)
{
    struct fake_host *host = ctx;
    unsigned char *out = bytes;
    bool fails = false;

    pthread_mutex_lock(&host->mutex);
    fails = host->random_fails;
    for (size_t i = 0; i < len; i++)
        out[i] = fails ? 0 : draw(host);
    pthread_mutex_unlock(&host->mutex);
    return fails ? MFA_ERR_INTERNAL : MFA_OK;
}

static enum mfa_status fake_load(void *ctx, enum mfa_record record, const char *user_id, struct mfa_buffer *out,
                                 uint64_t *version)
{
    struct fake_host *host = ctx;
    const struct fake_record *stored = NULL;
    enum mfa_status status = MFA_ERR_INTERNAL;

    *version = 0;
    mfa_buffer_reset(out);
    pthread_mutex_lock(&host->mutex);
    host->loads++;
    stored = &find_user(host, user_id)->records[record];
    if (!host->load_fails) {
        status = stored->text != NULL ? mfa_buffer_append_text(out, stored->text) : MFA_ERR_NOT_FOUND;
        *version = stored->text != NULL ? stored->version : 0;
    }
    pthread_mutex_unlock(&host->mutex);
    return status;
}

static enum mfa_status fake_store(void *ctx, enum mfa_record record, const char *user_id, uint64_t expected,
                                  const char *data, size_t len)
{
    struct fake_host *host = ctx;
    struct fake_record *stored = NULL;
    enum mfa_status status = MFA_OK;

    pthread_mutex_lock(&host->mutex);
    host->stores++;
    stored = &find_user(host, user_id)->records[record];
    if (host->store_fails) {
        status = MFA_ERR_INTERNAL;
    } else if (host->conflicts > 0) {
        host->conflicts--;
        status = MFA_ERR_CONFLICT;
    } else if (expected != (stored->text != NULL ? stored->version : 0)) {
        status = MFA_ERR_CONFLICT;
    } else {
        put(host, stored, data, len);
    }
    pthread_mutex_unlock(&host->mutex);
    return status;
}

static enum mfa_status fake_password_check(void *ctx, const char *user_id, const char *password_secret, size_t len)
{
    struct fake_host *host = ctx;
    bool is_right = len == strlen(FAKE_PASSWORD) && memcmp(password_secret, FAKE_PASSWORD, len) == 0;
    enum mfa_status status = is_right ? MFA_OK : MFA_ERR_DENIED;

    (void)user_id;
    pthread_mutex_lock(&host->mutex);
    host->waiting_passwords++;
    pthread_cond_broadcast(&host->completed);
    while (host->passwords_wait)
        pthread_cond_wait(&host->completed, &host->mutex);
    host->waiting_passwords--;
    if (host->password_check_is_busy)
        status = MFA_ERR_FULL;
    if (host->password_check_fails)
        status = MFA_ERR_INTERNAL;
    pthread_mutex_unlock(&host->mutex);
    return status;
}

static void fake_complete(void *ctx, uint64_t call, const struct mfa_reply *reply)
{
    struct fake_host *host = ctx;
    struct fake_completion *completion = NULL;

    pthread_mutex_lock(&host->mutex);
    completion = find_completion(host, call);
    if (completion == NULL && host->completion_count < FAKE_MAX_CALLS)
        completion = &host->completions[host->completion_count++];
    if (completion != NULL && completion->count++ == 0) {
        completion->call = call;
        completion->outcome = reply->outcome;
        if (mfa_reply_render(reply, &completion->http) != MFA_OK)
            completion->outcome = MFA_OUTCOME_INTERNAL;
        if (reply->grant_secret != NULL)
            snprintf(completion->grant, sizeof completion->grant, "%.*s", (int)reply->grant_len, reply->grant_secret);
    }
    pthread_cond_broadcast(&host->completed);
    pthread_mutex_unlock(&host->mutex);
}

static uint64_t fake_deadline_ms(void *ctx, uint64_t call)
{
    struct fake_host *host = ctx;
    uint64_t deadline_ms = 0;

    (void)call;
    pthread_mutex_lock(&host->mutex);
    if (!host->is_cancelled)
        deadline_ms = host->monotonic_ms + host->patience_ms;
    pthread_mutex_unlock(&host->mutex);
    return deadline_ms;
}

struct mfa_host_port fake_host_port(struct fake_host *host)
{
    return (struct mfa_host_port){.ctx = host,
                                  .log = fake_log,
                                  .monotonic_ms = fake_monotonic_ms,
                                  .wall_ms = fake_wall_ms,
                                  .random = fake_random,
                                  .profile_load = fake_load,
                                  .profile_store = fake_store,
                                  .password_check = fake_password_check,
                                  .complete = fake_complete,
                                  .deadline_ms = fake_deadline_ms};
}
