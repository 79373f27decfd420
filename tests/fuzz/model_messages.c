/* SPDX-License-Identifier: Apache-2.0 */
#include "model_messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S_PER_HOUR 3600u
#define S_PER_DAY 86400u

static uint32_t second_of(const struct model_call *call)
{
    return (uint32_t)(call->begun_wall_ms / 1000);
}

static bool is_counted(const struct model_message *message, uint32_t now_s, uint32_t window_s)
{
    return message->at_s > 0 && !message->is_given_back && message->at_s + window_s > now_s;
}

static void check_limits(const struct model *model, size_t user, const char *destination, uint32_t now_s)
{
    size_t of_user = 0;
    size_t of_destination = 0;

    for (size_t i = 0; i < FAKE_GATEWAY_MAX; i++) {
        const struct model_message *message = &model->messages[i];
        of_user += message->user == user && is_counted(message, now_s, S_PER_HOUR);
        of_destination += strcmp(message->destination, destination) == 0 && is_counted(message, now_s, S_PER_DAY);
    }
    assert_true(model->policy.sends_per_user_hour == 0 || of_user <= model->policy.sends_per_user_hour);
    assert_true(model->policy.sends_per_destination_day == 0 ||
                of_destination <= model->policy.sends_per_destination_day);
}

/* What stands behind `key`; NULL: the key is not there. */
static const char *find_behind(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    return found != NULL ? found + strlen(key) : NULL;
}

/* The digits of the number, which is the same destination however it is written. */
static void read_destination(const struct model *model, const struct mfa_http_request *request,
                             char destination[static MODEL_DESTINATION_SIZE])
{
    const char *at = model->makes_code ? find_behind(request->url_secret, "numero=")
                                       : find_behind(request->body_secret, "\"phone_number\":\"");
    size_t len = 0;

    assert_non_null(at);
    for (; *at != '\0' && *at != '"' && *at != '&'; at++) {
        assert_true(len < MODEL_DESTINATION_SIZE - 1);
        if (*at == '%')
            at += 2;
        else if (*at >= '0' && *at <= '9')
            destination[len++] = *at;
    }
    destination[len] = '\0';
}

static void read_code(const struct mfa_http_request *request, char code[static MFA_CODE_SIZE])
{
    const char *found = find_behind(request->url_secret, "is%3A%20");

    code[0] = '\0';
    if (found != NULL)
        (void)snprintf(code, MFA_CODE_SIZE, "%.*s", (int)strspn(found, "0123456789"), found);
}

static void check_interval(const struct model *model, const struct model_session *session, uint64_t now_ms)
{
    /* One message at a time. */
    assert_true(session->code_count == 0 || session->codes[session->code_count - 1].is_settled);
    /* The first re-send is free. */
    if (session->sent_count >= 2)
        assert_true(now_ms >= session->last_sent_ms + (uint64_t)model->policy.resend_interval_s * 1000);
}

static void see_message(struct model *model, size_t i, struct model_call *call)
{
    const struct mfa_http_request *request = model->fixture->gateway.exchanges[i].request;
    struct model_message *message = &model->messages[i];
    uint32_t now_s = second_of(call);

    *message = (struct model_message){.user = call->user, .at_s = now_s};
    read_destination(model, request, message->destination);
    /* A call that waited for a worker is late with its message. */
    if (now_s >= model->newest_s)
        check_limits(model, call->user, message->destination, now_s);
    model->newest_s = now_s > model->newest_s ? now_s : model->newest_s;
    call->has_sent = true;
    call->sent = (struct model_code){.made_ms = call->begun_ms};
    read_code(request, call->sent.text);
    assert_int_equal(model->makes_code, call->sent.text[0] != '\0');
    if (call->op != MODEL_CHALLENGE)
        return;
    check_interval(model, call->session, call->begun_ms);
    assert_true(call->session->code_count < MODEL_CODES);
    call->session->codes[call->session->code_count++] = call->sent;
}

static void see_check(struct model *model, struct model_call *call)
{
    assert_false(model->makes_code);
    assert_true(call->op == MODEL_VERIFY || call->op == MODEL_CONFIRM);
    call->has_checked = true;
    call->session->checks++;
    if (model->policy.attempts_per_session > 0)
        assert_true(call->session->checks <= model->policy.attempts_per_session);
}

void model_see_requests(struct model *model, uint64_t number)
{
    for (; model->requests_seen < model->fixture->gateway.count; model->requests_seen++) {
        struct model_call *call = model_call(model, number);
        assert_false(call->is_done);
        model->caller[model->requests_seen] = number;
        if (call->op == MODEL_VERIFY || call->op == MODEL_CONFIRM)
            see_check(model, call);
        else
            see_message(model, model->requests_seen, call);
    }
}

static void settle_code(struct model_session *session, uint64_t begun_ms, bool is_definite)
{
    struct model_code *code = &session->codes[session->code_count - 1];

    code->is_settled = true;
    code->is_withdrawn = is_definite;
    if (is_definite)
        return;
    session->sent_count++;
    session->last_sent_ms = begun_ms;
}

uint64_t model_answer(struct model *model, bool is_done, bool is_definite, bool was_never_sent)
{
    size_t i = model->fixture->gateway.answered;
    struct model_call *call = model_call(model, model->caller[i]);

    if (call->op == MODEL_VERIFY || call->op == MODEL_CONFIRM) {
        call->is_accepted = is_done;
        call->session->checks -= was_never_sent;
        return model->caller[i];
    }
    call->sent.is_settled = true;
    call->sent.is_withdrawn = is_definite;
    model->messages[i].is_given_back = is_definite;
    if (call->op == MODEL_CHALLENGE)
        settle_code(call->session, call->begun_ms, is_definite);
    return model->caller[i];
}
