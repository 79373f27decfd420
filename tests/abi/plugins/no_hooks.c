/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define HOOKS NULL
#include "bad_plugin.h"
