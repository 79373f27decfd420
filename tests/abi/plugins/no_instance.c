/* SPDX-License-Identifier: Apache-2.0 */
#define INSTANCE NULL
#include "bad_plugin.h"
