/* SPDX-License-Identifier: Apache-2.0 */
#define HOOKS_SIZE (offsetof(struct core_plugin_hooks, reconfigure) - 1) /* version 1.0 ended there */
#include "bad_plugin.h"
