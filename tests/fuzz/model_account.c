/* SPDX-License-Identifier: Apache-2.0 */
#include "model_account.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

bool model_is_attempt(const struct model *model, enum model_op op)
{
    switch (op) {
    case MODEL_CONFIRM:
    case MODEL_VERIFY:
    case MODEL_RECOVER: return true;
    case MODEL_ACTIVATE:
    case MODEL_DEACTIVATE:
    case MODEL_RENEW: return model->step_up_is_required;
    case MODEL_LOGIN:
    case MODEL_CHALLENGE:
    case MODEL_STATUS:
    case MODEL_RESET: break;
    }
    return false;
}

static uint64_t delay_ms(const struct mfa_policy *policy, unsigned recent)
{
    uint64_t delay_s = policy->backoff_base_s;

    if (recent <= policy->backoff_free_failures)
        return 0;
    for (unsigned i = policy->backoff_free_failures + 1; i < recent && delay_s < policy->backoff_max_s; i++)
        delay_s *= 2;
    return 1000 * (delay_s < policy->backoff_max_s ? delay_s : policy->backoff_max_s);
}

void model_fail_account(struct model *model, const struct model_call *call)
{
    struct model_user *user = &model->users[call->user];
    int64_t wall_ms = model->fixture->host.wall_ms;
    uint64_t until_ms = 0;

    if (wall_ms - user->last_failure_wall_ms > (int64_t)model->policy.backoff_window_s * 1000)
        user->recent = 0;
    user->consecutive++;
    user->recent++;
    user->last_failure_wall_ms = wall_ms;
    until_ms = call->begun_ms + delay_ms(&model->policy, user->recent);
    user->until_ms = until_ms > user->until_ms ? until_ms : user->until_ms;
}

/* Calls that have begun are as free as those to come. */
void model_forgive_account(struct model *model, size_t which)
{
    struct model_user *user = &model->users[which];

    user->consecutive = user->recent = user->tries = 0;
    user->until_ms = 0;
    user->last_failure_wall_ms = 0;
    for (uint64_t number = 1; number <= model->fixture->call_count; number++) {
        struct model_call *call = &model->calls[number];
        if (call->user != which || call->is_done)
            continue;
        call->until_ms = 0;
        call->consecutive = 0;
        user->tries += model_is_attempt(model, call->op);
    }
}

void model_check_code_allowed(const struct model *model, const struct model_call *call)
{
    uint32_t most = model->policy.attempts_max_consecutive;

    assert_true(call->begun_ms >= call->until_ms);
    assert_true(most == 0 || call->consecutive < most);
}

void model_check_secret_allowed(const struct model *model, const struct model_call *call)
{
    assert_true(model->fixture->host.monotonic_ms >= call->until_ms);
}
