/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#define CREATE NULL
#include "bad_plugin.h"
