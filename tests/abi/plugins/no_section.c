/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define CONFIG_SECTION NULL
#include "bad_plugin.h"
