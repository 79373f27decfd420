/* SPDX-License-Identifier: Apache-2.0 */
#define STRUCT_SIZE (sizeof(struct core_plugin_descriptor) - 1)
#include "bad_plugin.h"
