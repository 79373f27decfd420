/* SPDX-License-Identifier: Apache-2.0 */
#define HOOKS_SIZE 8
#include "bad_plugin.h"
