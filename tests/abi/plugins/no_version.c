/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define VERSION NULL
#include "bad_plugin.h"
