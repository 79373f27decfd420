/* SPDX-License-Identifier: Apache-2.0 */
#define REQUIRES_MINOR (CORE_API_MINOR + 1)
#include "bad_plugin.h"
