/* SPDX-License-Identifier: Apache-2.0 */
#define CREATE_STATUS CORE_ERR_INTERNAL
#define INSTANCE NULL
#include "bad_plugin.h"
