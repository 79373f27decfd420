/* SPDX-License-Identifier: Apache-2.0
 *
 * A shared object that is no plugin.
 */
#include "core_plugin.h"

CORE_PLUGIN_EXPORT extern const uint32_t something_else;
const uint32_t something_else = CORE_PLUGIN_MAGIC;
