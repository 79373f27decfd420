/* SPDX-License-Identifier: Apache-2.0 */
#define PROFILE_FIELD "mfa"
#include "bad_plugin.h"
