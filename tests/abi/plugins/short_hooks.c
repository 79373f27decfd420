/* SPDX-License-Identifier: Apache-2.0 */
#define HOOKS_SIZE (sizeof(struct core_plugin_hooks) - 1)
#include "bad_plugin.h"
