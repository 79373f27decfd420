/* SPDX-License-Identifier: Apache-2.0 */
#include "flows.h"
#include "mfa_profile.h"

enum mfa_outcome mfa_flow_status(struct mfa_flow *flow)
{
    struct mfa_enrolment_view *view = &flow->enrolment;
    struct mfa_profile profile;
    enum mfa_status status = mfa_profile_load(&profile, &flow->core->host, flow->user_id);

    if (status != MFA_OK && status != MFA_ERR_NOT_FOUND)
        return MFA_OUTCOME_INTERNAL;
    flow->hint[0] = '\0';
    *view = (struct mfa_enrolment_view){
        .mode = mfa_mode_name(flow->settings->config.mode), .hint = flow->hint, .confirmed_at = -1};
    if (status == MFA_OK) {
        mfa_user_data_hint(profile.user_data, mfa_flow_sender(flow), flow->hint);
        view->is_active = true;
        view->recovery_codes_left = mfa_profile_recovery_codes_left(&profile);
        view->confirmed_at = mfa_profile_confirmed_at(&profile);
    }
    mfa_profile_clear(&profile);
    flow->reply.enrolment = view;
    return MFA_OUTCOME_STATUS;
}
