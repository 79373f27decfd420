/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define NAME NULL
#include "bad_plugin.h"
