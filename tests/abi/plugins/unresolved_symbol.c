/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls what nobody defines, but not before it is stopped: a host that resolves symbols late would load it.
 */
void nobody_defines_this(void *instance);

static inline void stop_at_last(void *instance)
{
    nobody_defines_this(instance);
}

#define STOP stop_at_last
#include "bad_plugin.h"
