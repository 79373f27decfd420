/* SPDX-License-Identifier: Apache-2.0 */
#define MAJOR (CORE_API_MAJOR + 1)
#include "bad_plugin.h"
