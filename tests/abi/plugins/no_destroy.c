/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define DESTROY NULL
#include "bad_plugin.h"
