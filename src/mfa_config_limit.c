/* SPDX-License-Identifier: Apache-2.0 */
#include "mfa_config_limit.h"

void mfa_limit_read(const struct mfa_yaml_node *node, const struct mfa_policy_limit *limit, void *object)
{
    int64_t number;

    mfa_limit_set(limit, object, limit->fallback);
    if (node == NULL || !mfa_yaml_integer(node, &number))
        return;
    if (number == 0 && limit->zero_means != NULL)
        mfa_yaml_warning(node, "is 0: %s", limit->zero_means);
    else if (number < limit->min || number > limit->max) {
        mfa_yaml_error(node, "must be from %u to %u%s", limit->min, limit->max,
                       limit->zero_means == NULL ? "" : ", or 0 to switch the limit off");
        return;
    }
    mfa_limit_set(limit, object, (uint32_t)number);
}
