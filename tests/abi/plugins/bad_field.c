/* SPDX-License-Identifier: Apache-2.0 */
#define PROFILE_FIELD "not.a.field"
#include "bad_plugin.h"
