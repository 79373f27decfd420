/* SPDX-License-Identifier: Apache-2.0
 *
 * Freezes what version 1.1 appended, as layout_v1.c freezes version 1.0.
 */
#include "core_plugin.h"

#if UINTPTR_MAX == UINT64_MAX

#define AT(type, member, offset) _Static_assert(offsetof(struct type, member) == (offset), #type "." #member " moved")
#define SIZE_AT_LEAST(type, size) _Static_assert(sizeof(struct type) >= (size), #type " shrank")

AT(core_plugin_hooks, reconfigure, 24);
SIZE_AT_LEAST(core_plugin_hooks, 32);

#endif
