/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define STOP NULL
#include "bad_plugin.h"
